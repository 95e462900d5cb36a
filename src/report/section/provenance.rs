//! Where the numbers come from: switches in force, deviations, hashes and versions.
//!
//! A value that differs between records is listed with every value it took, so a mixed report cannot
//! pass as a uniform one.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol;
use crate::record::RunRecord;
use crate::report::context::Context;
use crate::report::markdown::{Table, folded};
use crate::report::names::dataset_name;
use crate::report::page::Part;

/// The section.
pub fn render(context: &Context<'_>) -> Part {
    let mut body = String::from("**Origin**\n\n");
    body.push_str(&origin(context));
    body.push_str("\n**Protocol switches in force**\n\n");
    body.push_str(&switches(context));
    if !context.spec.deviations.is_empty() {
        body.push_str("\n**Deviations from the published method**\n\n");
        let mut table = Table::new(["what", "published", "here", "test"]).left(4);
        for deviation in &context.spec.deviations {
            table.row(
                [&deviation.subject, &deviation.published, &deviation.ours, &deviation.test]
                    .map(String::as_str),
            );
        }
        body.push_str(&table.markdown());
    }
    body.push('\n');
    body.push_str(&folded("Hashes of splits and draws", &hashes(context)));
    Part { heading: "Provenance".to_owned(), body, ..Part::default() }
}

/// A line of the table: its name and its value in a record.
type Fact = (&'static str, fn(&RunRecord) -> String);

fn origin(context: &Context<'_>) -> String {
    let facts: [Fact; 11] = [
        ("version", |r| r.provenance.version.clone()),
        ("commit", |r| commit(r)),
        ("numerics version", |r| r.provenance.numerics_version.to_string()),
        ("cargo features", |r| r.provenance.features.join(" ")),
        ("Cargo.lock", |r| short(&r.provenance.lockfile_sha256)),
        ("device", |r| format!("{} ({})", r.provenance.device, r.provenance.device_model)),
        ("dtype of frozen weights", |r| r.provenance.dtype.clone()),
        ("decoder", |r| r.provenance.decoder.clone()),
        ("pictures", |r| r.provenance.data_kind.clone()),
        ("model weights", |r| short(&r.provenance.weights_sha256)),
        ("profile", |r| r.cell.profile.clone()),
    ];
    let mut table = Table::new(["fact", "value"]).left(2);
    for (name, fact) in facts {
        let values: BTreeSet<String> = context.records.iter().map(|r| fact(r)).collect();
        table.row([name.to_owned(), values.into_iter().collect::<Vec<_>>().join("; ")]);
    }
    let (train, evaluate, shared) = context.records.iter().fold((0.0, 0.0, 0.0), |sum, r| {
        (sum.0 + r.timing.train_secs, sum.1 + r.timing.evaluate_secs, sum.2 + r.timing.shared_secs)
    });
    table.row([
        "time".to_owned(),
        format!(
            "{train:.0} s training, {evaluate:.0} s evaluation, {shared:.0} s shared passes (counted in \
            every cell that uses them)"
        ),
    ]);
    table.markdown()
}

fn commit(record: &RunRecord) -> String {
    let id = record.provenance.commit.as_deref().map_or_else(|| "unknown".to_owned(), short);
    if record.provenance.dirty == Some(true) { format!("{id} with uncommitted changes") } else { id }
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
            let published = protocol::published(name).unwrap_or("–");
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

fn hashes(context: &Context<'_>) -> String {
    let mut lists: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for record in &context.records {
        let dataset = record.cell.dataset.as_str();
        let mut add = |what: String, hash: &str| {
            lists.entry((dataset, what)).or_default().insert(short(hash));
        };
        add("split".to_owned(), &record.provenance.split_sha256);
        if let (Some(draw), Some(seed), Some(shots)) =
            (&record.provenance.draw_sha256, record.cell.seed, record.cell.shots)
        {
            add(format!("draw, {shots} shots, seed {seed}"), draw);
        }
    }
    let mut table = Table::new(["dataset", "list", "SHA-256 (first 12 digits)"]).left(3);
    for ((dataset, what), values) in lists {
        table.row([
            dataset_name(dataset).to_owned(),
            what,
            values.into_iter().collect::<Vec<_>>().join("; "),
        ]);
    }
    table.markdown()
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}
