//! Cells that failed, and planned cells without a record. Silence here means there are none, and says so.

use std::collections::BTreeSet;

use crate::record::{Cell, Outcome};
use crate::report::context::Context;
use crate::report::markdown::Table;
use crate::report::names::{dataset_name, method_name};
use crate::report::page::Part;

/// The section.
pub fn render(context: &Context<'_>) -> Part {
    let mut table = Table::new(["dataset", "method", "seed", "shots", "variant", "what happened"]).left(6);
    for record in context.failed() {
        if let Outcome::Failed { error } = &record.outcome {
            table.row(line(&record.cell, format!("failed: {error}")));
        }
    }
    for cell in missing(context) {
        table.row(line(&cell, "no record".to_owned()));
    }
    let body =
        if table.is_empty() { "None: every cell has a result.\n".to_owned() } else { table.markdown() };
    Part { heading: "Failed and missing cells".to_owned(), body, ..Part::default() }
}

fn line(cell: &Cell, what: String) -> [String; 6] {
    let variant: Vec<String> = cell.variant.iter().map(|(key, value)| format!("{key}={value}")).collect();
    [
        dataset_name(&cell.dataset).to_owned(),
        method_name(&cell.method).to_owned(),
        cell.seed.map_or_else(String::new, |s| s.to_string()),
        cell.shots.map_or_else(String::new, |s| s.to_string()),
        variant.join(" "),
        what,
    ]
}

/// Expected cells without a record, in order.
fn missing(context: &Context<'_>) -> Vec<Cell> {
    let present: BTreeSet<&Cell> = context.records.iter().map(|r| &r.cell).collect();
    let expected =
        if context.spec.expected.is_empty() { combinations(context) } else { context.spec.expected.clone() };
    let mut missing: Vec<Cell> = expected.into_iter().filter(|cell| !present.contains(cell)).collect();
    missing.sort();
    missing.dedup();
    missing
}

/// Every cell that occurs, with every dataset, and with every seed and number of shots where it has them.
fn combinations(context: &Context<'_>) -> Vec<Cell> {
    let cells = || context.records.iter().map(|r| &r.cell);
    let datasets: BTreeSet<&String> = cells().map(|c| &c.dataset).collect();
    let draws: BTreeSet<(u64, u32)> = cells().filter_map(|c| c.seed.zip(c.shots)).collect();
    let templates: BTreeSet<Cell> = cells()
        .map(|c| Cell {
            dataset: String::new(),
            seed: c.seed.map(|_| 0),
            shots: c.shots.map(|_| 0),
            ..c.clone()
        })
        .collect();
    let mut all = Vec::new();
    for template in &templates {
        for dataset in &datasets {
            let place = Cell { dataset: (*dataset).clone(), ..template.clone() };
            if template.seed.is_none() {
                all.push(place);
            } else {
                let at = |(seed, shots): &(u64, u32)| Cell {
                    seed: Some(*seed),
                    shots: Some(*shots),
                    ..place.clone()
                };
                all.extend(draws.iter().map(at));
            }
        }
    }
    all
}
