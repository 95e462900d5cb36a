//! What every method ran with, how that differs from the published settings, and every protocol switch.
//!
//! All of it is read from the records: a suite's text cannot know what a command line changed. What no setting
//! expresses, such as fewer datasets, is stated by the suite and printed last.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol;
use crate::record::RunRecord;
use crate::report::arm::Arm;
use crate::report::context::Context;
use crate::report::markdown::Table;
use crate::report::names::method_name;
use crate::report::number::NONE;
use crate::report::part::Part;

/// Columns of the settings table: heading, and the settings of which a method has at most one.
const COLUMNS: [(&str, &[&str]); 4] = [
    ("K or context tokens", &["k", "context_tokens"]),
    ("learning rate", &["learning_rate"]),
    ("epochs", &["epochs"]),
    ("batch", &["batch_size"]),
];

/// The section.
pub fn render(context: &Context<'_>) -> Part {
    let mut body = format!("**Settings of every method**\n\n{}\n", settings(context));
    body.push_str(&departures(context));
    body.push_str("\n**Protocol switches**\n\n");
    body.push_str(&switches(context));
    if !context.spec.deviations.is_empty() {
        let mut table = Table::new(["what", "published", "here", "test"]).left(4);
        for deviation in &context.spec.deviations {
            table.row(
                [&deviation.subject, &deviation.published, &deviation.ours, &deviation.test]
                    .map(String::as_str),
            );
        }
        body.push_str(&format!("\n**Stated by the suite**\n\n{}", table.markdown()));
    }
    Part { heading: "Deviations in force".to_owned(), body, ..Part::default() }
}

/// What the arms' records say under some keys, every value once.
type Values<'a> = BTreeSet<&'a str>;

/// K, learning rate, epochs and batch of every arm.
fn settings(context: &Context<'_>) -> String {
    let mut arms: BTreeMap<Arm, Vec<&RunRecord>> = BTreeMap::new();
    for record in context.every_record() {
        arms.entry(context.arm_of_record(record)).or_default().push(record);
    }
    let mut table = Table::new(std::iter::once("method").chain(COLUMNS.map(|(heading, _)| heading)));
    for (arm, records) in &arms {
        let cell = |fields: &[&str]| {
            let keys: Vec<String> = fields.iter().map(|field| format!("{}.{field}", arm.method)).collect();
            let values: Values<'_> = records
                .iter()
                .flat_map(|r| keys.iter().filter_map(|key| r.config.get(key)))
                .map(String::as_str)
                .collect();
            if values.is_empty() {
                NONE.to_owned()
            } else {
                values.into_iter().collect::<Vec<_>>().join("; ")
            }
        };
        table.row(std::iter::once(arm.label()).chain(COLUMNS.map(|(_, fields)| cell(fields))));
    }
    table.markdown()
}

/// Settings with another value than the published one. Switches have a table of their own.
fn departures(context: &Context<'_>) -> String {
    let mut found: BTreeMap<(&str, &str), BTreeSet<Arm>> = BTreeMap::new();
    let mut known = false;
    for record in context.every_record() {
        for (key, value) in record.config.iter().filter(|(key, _)| !record.switches.contains_key(*key)) {
            let Some(published) = context.spec.published.get(key) else { continue };
            known = true;
            if published != value {
                found.entry((key, value)).or_default().insert(context.arm_of_record(record));
            }
        }
    }
    if found.is_empty() {
        let none = "Every setting that is no switch has its published value.\n";
        return if known { none.to_owned() } else { String::new() };
    }
    let mut table = Table::new(["setting", "here", "published", "of"]).left(4);
    for ((key, value), arms) in found {
        let published = context.spec.published.get(key).map_or(NONE, String::as_str);
        let of: Vec<String> = arms.iter().map(Arm::label).collect();
        table.row([key.to_owned(), value.to_owned(), published.to_owned(), of.join(", ")]);
    }
    format!("**Settings that differ from the published ones**\n\n{}", table.markdown())
}

fn switches(context: &Context<'_>) -> String {
    let mut values: BTreeMap<&str, BTreeMap<&str, Values<'_>>> = BTreeMap::new();
    for record in context.every_record() {
        for (name, value) in &record.switches {
            values
                .entry(name)
                .or_default()
                .entry(value)
                .or_default()
                .insert(method_name(&record.cell.method));
        }
    }
    let mut table = Table::new(["switch", "value", "published", "methods"]).left(4);
    for (name, by_value) in values {
        for (value, methods) in by_value {
            let published = protocol::published(name).unwrap_or(NONE);
            let same = if published == value { "the same" } else { published };
            table.row([
                name.to_owned(),
                value.to_owned(),
                same.to_owned(),
                methods.into_iter().collect::<Vec<_>>().join(", "),
            ]);
        }
    }
    if table.is_empty() { "No record names a switch.\n".to_owned() } else { table.markdown() }
}
