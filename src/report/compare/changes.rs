//! What differs between two runs besides their numbers: code, machine, model, data and configuration.
//!
//! Sets of values are compared, not records one by one: a sweep that both runs hold is no change.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::RunRecord;
use crate::report::facts::{FACTS, short};
use crate::report::markdown::Table;
use crate::report::names::{dataset_name, dataset_order, method_name, method_order};
use crate::report::number::NONE;

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// `code`, `machine`, `model`, `data` or `configuration`.
    pub group: String,
    /// What it is: a fact, a setting, a split or a draw.
    pub what: String,
    /// Its values in the first run, joined by `; `; empty where the first run has none.
    pub first: String,
    /// Its values in the second run.
    pub second: String,
}

/// Everything that differs, by group in page order. Cells that only one run has count for none of it.
pub fn changes(first: &[RunRecord], second: &[RunRecord]) -> Vec<Change> {
    let mut all: Vec<Change> = FACTS
        .iter()
        .filter_map(|fact| {
            let of = |records: &[RunRecord]| records.iter().map(fact.value).collect();
            change(fact.group, fact.name.to_owned(), &of(first), &of(second))
        })
        .collect();
    all.extend(by_name("data", &lists(first), &lists(second)));
    all.extend(by_name("configuration", &settings(first), &settings(second)));
    all
}

type Values = BTreeSet<String>;

/// Owner (dataset, shots and seed; or method) of a list or setting, and its name.
type Name = ((usize, String), String);

fn change(group: &str, what: String, first: &Values, second: &Values) -> Option<Change> {
    let joined = |values: &Values| values.iter().cloned().collect::<Vec<_>>().join("; ");
    (first != second).then(|| Change {
        group: group.to_owned(),
        what,
        first: joined(first),
        second: joined(second),
    })
}

/// Differences under the names of either map. A method, dataset or seed that only one run has is a matter
/// of cells, not of settings, so its owner (the sorting key) must occur in both.
fn by_name(group: &str, first: &BTreeMap<Name, Values>, second: &BTreeMap<Name, Values>) -> Vec<Change> {
    let owners =
        |map: &BTreeMap<Name, Values>| map.keys().map(|name| name.0.clone()).collect::<BTreeSet<_>>();
    let shared: BTreeSet<_> = owners(first).intersection(&owners(second)).cloned().collect();
    let names: BTreeSet<&Name> = first.keys().chain(second.keys()).collect();
    let none = Values::new();
    let compared = names.into_iter().filter(|name| shared.contains(&name.0)).filter_map(|name| {
        let of = |map: &'_ BTreeMap<Name, Values>| map.get(name).unwrap_or(&none).clone();
        change(group, name.1.clone(), &of(first), &of(second))
    });
    compared.collect()
}

/// Hashes of splits, and of draws by shots and seed.
fn lists(records: &[RunRecord]) -> BTreeMap<Name, Values> {
    let mut lists: BTreeMap<Name, Values> = BTreeMap::new();
    for record in records {
        let dataset = record.cell.dataset.as_str();
        let mut add = |what: String, hash: &str| {
            let (place, id) = dataset_order(dataset);
            let name = ((place, format!("{id} {what}")), format!("{what} of {}", dataset_name(dataset)));
            lists.entry(name).or_default().insert(short(hash));
        };
        add("split".to_owned(), &record.provenance.split_sha256);
        let draw = record.provenance.draw_sha256.as_deref().zip(record.cell.seed).zip(record.cell.shots);
        if let Some(((draw, seed), shots)) = draw {
            add(format!("draw ({shots} shots, seed {seed})"), draw);
        }
    }
    lists
}

/// Values of hyper-parameters and switches by method.
fn settings(records: &[RunRecord]) -> BTreeMap<Name, Values> {
    let mut settings: BTreeMap<Name, Values> = BTreeMap::new();
    for record in records {
        let method = record.cell.method.as_str();
        for (key, value) in record.config.iter().chain(&record.switches) {
            let name = (method_order(method), format!("{key} ({})", method_name(method)));
            settings.entry(name).or_default().insert(value.clone());
        }
    }
    settings
}

/// The differences as Markdown.
pub fn markdown(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "Code, machine, model, data and configuration are the same in both runs.\n".to_owned();
    }
    let mut table = Table::new(["group", "what", "first", "second"]).left(4);
    for change in changes {
        let text = |value: &str| if value.is_empty() { NONE.to_owned() } else { value.to_owned() };
        table.row([change.group.clone(), change.what.clone(), text(&change.first), text(&change.second)]);
    }
    table.markdown()
}
