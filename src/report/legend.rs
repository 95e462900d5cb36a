//! What the words and names of a page mean, and how the CSV files call the same things.

use std::collections::BTreeSet;

use super::context::Context;
use super::markdown::{Table, folded};
use super::names::{dataset_name, dataset_order, method_name, method_order};
use crate::data::Classes;
use crate::frame::variant::BEYOND;
use crate::method::look_up;

/// One paragraph on the quantities that this page shows.
pub fn words(context: &Context<'_>) -> String {
    let evaluations = || context.records.iter().flat_map(|record| &record.evaluations);
    let has = |classes: Classes| evaluations().any(|evaluation| evaluation.classes == classes);
    let mut parts = Vec::new();
    if has(Classes::Base) {
        parts.push(
            "*base*: accuracy in percent among the first half of a dataset's classes, those trained on",
        );
    }
    if has(Classes::New) {
        parts.push("*new*: among the other half, which no training saw");
    }
    if has(Classes::Base) && has(Classes::New) {
        parts.push("*H*: the harmonic mean of base and new, high where both are");
    }
    if has(Classes::All) {
        parts.push("*all*: accuracy in percent among all classes of a dataset");
    }
    parts.push("*shots*: training images a class");
    parts.push("*seed*: one draw of training images, initial values and order");
    parts.push("*±*: sample standard deviation over seeds");
    let marked = context.every_record().filter_map(|record| record.training.as_ref()?.validation.mark());
    let marked: BTreeSet<&str> = marked.collect();
    let mark = match marked.is_empty() {
        true => String::new(),
        false => format!(
            "; *{BEYOND}*: something was chosen by more images than the few-shot rule allows, which is at most min(shots, 4) \
             validation images a class ({}), as published code does: no fair comparison with numbers without this mark",
            marked.into_iter().map(|images| images.replace('_', " ")).collect::<Vec<_>>().join(", "),
        ),
    };
    format!("**Words.** {}{mark}.", parts.join("; "))
}

/// Names on the page, and ids in the CSV files and on the command line; folded.
pub fn names(context: &Context<'_>) -> String {
    let mut methods: Vec<&str> = distinct(context.every_record().map(|record| record.cell.method.as_str()));
    methods.sort_by_key(|id| method_order(id));
    let tested = context.every_record().flat_map(|record| &record.evaluations);
    let trained = context.every_record().map(|record| record.cell.dataset.as_str());
    let mut datasets: Vec<&str> =
        distinct(tested.map(|evaluation| evaluation.dataset.as_str()).chain(trained));
    datasets.sort_by_key(|id| dataset_order(id));
    let mut table = Table::new(["here", "in CSV files and commands", "what it is"]).left(3);
    for id in methods {
        let summary = look_up(id).map_or("", |entry| entry.summary);
        table.row([method_name(id), &format!("`{id}`"), summary]);
    }
    for id in datasets {
        table.row([dataset_name(id), &format!("`{id}`"), "dataset"]);
    }
    folded("Names on this page and in the CSV files", &table.markdown())
}

fn distinct<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    ids.collect::<BTreeSet<_>>().into_iter().collect()
}
