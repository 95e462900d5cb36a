//! How this run differs from the published method, and every protocol switch with the value it had.
//!
//! A switch that differs between records is listed with every value it took.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol;
use crate::report::context::Context;
use crate::report::markdown::Table;
use crate::report::number::NONE;
use crate::report::page::Part;

/// The section.
pub fn render(context: &Context<'_>) -> Part {
    let mut body = String::new();
    if context.spec.deviations.is_empty() {
        body.push_str("The suite names no deviation from the published method for this profile.\n");
    } else {
        let mut table = Table::new(["what", "published", "here", "test"]).left(4);
        for deviation in &context.spec.deviations {
            table.row(
                [&deviation.subject, &deviation.published, &deviation.ours, &deviation.test]
                    .map(String::as_str),
            );
        }
        body.push_str(&table.markdown());
    }
    body.push_str("\n**Protocol switches**\n\n");
    body.push_str(&switches(context));
    Part { heading: "Deviations in force".to_owned(), body, ..Part::default() }
}

fn switches(context: &Context<'_>) -> String {
    type Methods<'a> = BTreeSet<&'a str>;
    let mut values: BTreeMap<&str, BTreeMap<&str, Methods<'_>>> = BTreeMap::new();
    for record in &context.records {
        for (name, value) in &record.switches {
            values.entry(name).or_default().entry(value).or_default().insert(&record.cell.method);
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
