//! The first paragraph of a page: what was run, in whole sentences made of counts.

use std::collections::BTreeSet;

use super::context::Context;
use super::facts::short;
use super::names::{method_name, method_order};
use super::number::count;
use crate::record::RunRecord;

/// Methods, datasets, seeds and shots, cells and predictions, model and machine, date.
pub fn what_was_run(context: &Context<'_>) -> String {
    let records = &context.records;
    let mut methods: Vec<&str> = distinct(records, |r| r.cell.method.as_str());
    methods.sort_by_key(|id| method_order(id));
    let names: Vec<&str> = methods.iter().map(|id| method_name(id)).collect();
    let trained = records.iter().filter(|r| r.training.is_some()).count();
    let evaluations = || records.iter().flat_map(|r| &r.evaluations);
    let own: BTreeSet<&str> = records.iter().map(|r| r.cell.dataset.as_str()).collect();
    let tested: BTreeSet<&str> = evaluations().map(|e| e.dataset.as_str()).collect();
    let predictions: u64 = evaluations().map(|e| e.total).sum();
    format!(
        "**What was run.** {} ({}) on {}{}{}{}: {}, of which {trained} were trained, {} with {predictions} \
         predictions of test images in all. {}",
        count(methods.len(), "method"),
        names.join(", "),
        count(own.len(), "dataset"),
        if tested.is_subset(&own) {
            String::new()
        } else {
            format!(", tested on {}", count(tested.len(), "dataset"))
        },
        listed(", shots per class ", distinct(records, |r| r.cell.shots)),
        listed(", seeds ", distinct(records, |r| r.cell.seed)),
        count(records.len(), "cell"),
        count(evaluations().count(), "evaluation"),
        where_and_when(records),
    )
}

fn where_and_when(records: &[&RunRecord]) -> String {
    let model =
        |r: &RunRecord| format!("`{}` (weights {})", r.cell.profile, short(&r.provenance.weights_sha256));
    let machine = |r: &RunRecord| {
        let origin = &r.provenance;
        format!("{} on {} ({})", origin.dtype, origin.device, origin.device_model)
    };
    let program = |r: &RunRecord| format!("rpo-bench {}", r.provenance.version);
    let own: Vec<&RunRecord> = records.iter().copied().filter(|r| r.imported().is_none()).collect();
    let imported = records.len() - own.len();
    if own.is_empty() {
        return "All of them were imported: another program made them.".to_owned();
    }
    let joined = |of: &dyn Fn(&RunRecord) -> String| {
        let values: BTreeSet<String> = own.iter().map(|r| of(r)).collect();
        values.into_iter().collect::<Vec<_>>().join(" and ")
    };
    // The first ten characters of an ISO 8601 time are its date.
    let days = distinct(&own, |r| r.provenance.finished_at.chars().take(10).collect::<String>());
    let when = match &days[..] {
        [first, .., last] => format!("between {first} and {last}"),
        [day] => format!("on {day}"),
        [] => "at an unknown time".to_owned(),
    };
    let others = match imported {
        0 => String::new(),
        n => format!(" Of the cells {n} were imported: another program made them."),
    };
    format!("Model {}, {}, {}, finished {when}.{others}", joined(&model), joined(&machine), joined(&program))
}

/// `word` and the values that are there; empty where there is none.
fn listed<T: ToString>(word: &str, values: Vec<Option<T>>) -> String {
    let values: Vec<String> = values.into_iter().flatten().map(|v| v.to_string()).collect();
    if values.is_empty() { String::new() } else { format!("{word}{}", values.join(", ")) }
}

fn distinct<'a, T: Ord>(records: &[&'a RunRecord], key: impl Fn(&'a RunRecord) -> T) -> Vec<T> {
    records.iter().map(|r| key(r)).collect::<BTreeSet<T>>().into_iter().collect()
}
