//! Where the numbers come from: versions, machine, model, data and hashes.
//!
//! A value that differs between records is listed with every value it took, so a mixed report cannot
//! pass as a uniform one.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::RunRecord;
use crate::report::context::Context;
use crate::report::facts::{FACTS, short};
use crate::report::markdown::{Table, folded};
use crate::report::names::dataset_name;
use crate::report::number::NONE;
use crate::report::part::Part;

/// The section.
pub fn render(context: &Context<'_>) -> Part {
    let mut body = origin(context);
    body.push('\n');
    body.push_str(&imported(context));
    body.push_str(&folded("Hashes of splits and draws", &hashes(context)));
    Part { heading: "Provenance".to_owned(), body, ..Part::default() }
}

fn origin(context: &Context<'_>) -> String {
    let mut table = Table::new(["fact", "value"]).left(2);
    for fact in FACTS {
        let values: BTreeSet<String> = own(context).map(|r| (fact.value)(r)).collect();
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

/// Records that were made here: the others do not say on what.
fn own<'a>(context: &Context<'a>) -> impl Iterator<Item = &'a RunRecord> {
    context.every_record().filter(|record| record.imported().is_none())
}

/// Every file that results were imported from; empty where there is none.
fn imported(context: &Context<'_>) -> String {
    let mut table = Table::new(["method", "kind", "dataset", "classes", "seed", "file", "SHA-256"]).left(7);
    let mut rows = BTreeSet::new();
    for record in context.every_record() {
        let Some(from) = record.imported() else { continue };
        let seed = record.cell.seed.map_or_else(|| NONE.to_owned(), |seed| seed.to_string());
        for evaluation in &record.evaluations {
            rows.insert([
                record.cell.method.clone(),
                from.kind.mark().to_owned(),
                dataset_name(&evaluation.dataset).to_owned(),
                evaluation.classes.to_string(),
                seed.clone(),
                format!("`{}`", from.source),
                short(&from.source_sha256),
            ]);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    rows.into_iter().for_each(|row| table.row(row));
    format!("{}\n", folded("Imported results, made by other programs and not verified", &table.markdown()))
}

fn hashes(context: &Context<'_>) -> String {
    let mut lists: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for record in context.every_record() {
        let dataset = record.cell.dataset.as_str();
        let mut add = |what: String, hash: &str| {
            lists.entry((dataset, what)).or_default().insert(short(hash));
        };
        if !record.provenance.split_sha256.is_empty() {
            add("split".to_owned(), &record.provenance.split_sha256);
        }
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
