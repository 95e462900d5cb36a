//! Where the numbers come from: versions, machine, model, data and hashes.
//!
//! A value that differs between records is listed with every value it took, so a mixed report cannot
//! pass as a uniform one.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::context::Context;
use crate::report::facts::{FACTS, short};
use crate::report::markdown::{Table, folded};
use crate::report::names::dataset_name;
use crate::report::page::Part;

/// The section.
pub fn render(context: &Context<'_>) -> Part {
    let mut body = origin(context);
    body.push('\n');
    body.push_str(&folded("Hashes of splits and draws", &hashes(context)));
    Part { heading: "Provenance".to_owned(), body, ..Part::default() }
}

fn origin(context: &Context<'_>) -> String {
    let mut table = Table::new(["fact", "value"]).left(2);
    for fact in FACTS {
        let values: BTreeSet<String> = context.every_record().map(|r| (fact.value)(r)).collect();
        table.row([fact.name.to_owned(), values.into_iter().collect::<Vec<_>>().join("; ")]);
    }
    let (train, evaluate, shared) = context.every_record().fold((0.0, 0.0, 0.0), |sum, r| {
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

fn hashes(context: &Context<'_>) -> String {
    let mut lists: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for record in context.every_record() {
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
