//! Trained on one dataset, evaluated on others, among all classes.
//!
//! The source dataset is the first column and never enters the average of targets.

use std::collections::BTreeSet;

use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::report::arm::Arm;
use crate::report::context::Context;
use crate::report::emphasis::{markdown, of_lines};
use crate::report::guide::{Anchor, explained, fewer_seeds_in, spread_over};
use crate::report::markdown::Table;
use crate::report::names::{dataset_name, dataset_order};
use crate::report::number::{NONE, comma_shots, count, two, with_spread};
use crate::report::part::Part;
use crate::report::quantity::Quantity;
use crate::stats::describe::mean;

/// The section, with a table per source dataset and number of shots.
pub fn render(context: &Context<'_>) -> Part {
    let rows: Vec<&SummaryRow> = context.summary.iter().filter(|r| r.all.n() > 0).collect();
    let moved = |r: &&&SummaryRow| r.place.dataset != r.place.train_dataset;
    let sources: BTreeSet<&str> = rows.iter().filter(moved).map(|r| r.place.train_dataset.as_str()).collect();
    let mut body = String::new();
    for source in sources {
        let from: Vec<&SummaryRow> =
            rows.iter().copied().filter(|r| r.place.train_dataset == source).collect();
        let shots: BTreeSet<u32> = from.iter().filter_map(|r| r.place.shots).collect();
        for k in shots {
            let takes_part = |r: &&&SummaryRow| r.place.shots.is_none_or(|shots| shots == k);
            let rows: Vec<&SummaryRow> = from.iter().filter(takes_part).copied().collect();
            body.push_str(&table(context, source, k, &rows));
        }
    }
    if body.is_empty() {
        body.push_str("No record was evaluated on another dataset than it was trained on.\n");
    }
    Part { heading: "Transfer to other datasets".to_owned(), body, ..Part::default() }
}

fn table(context: &Context<'_>, source: &str, shots: u32, rows: &[&SummaryRow]) -> String {
    let targets: BTreeSet<&str> =
        rows.iter().map(|r| r.place.dataset.as_str()).filter(|id| *id != source).collect();
    let mut targets: Vec<&str> = targets.into_iter().collect();
    targets.sort_by_key(|id| dataset_order(id));
    let arms: BTreeSet<Arm> = rows.iter().map(|r| context.arm(r)).collect();
    let find = |arm: &Arm, dataset: &str| {
        rows.iter().copied().find(|r| r.place.dataset == dataset && context.arm(r) == *arm)
    };
    let value = |arm: &Arm, dataset: &str| find(arm, dataset).and_then(|r| r.all.mean());
    let average = |arm: &Arm| {
        let values: Option<Vec<f64>> = targets.iter().map(|id| value(arm, id)).collect();
        values.and_then(|values| mean(&values))
    };
    let hole = |arm: &Arm| {
        let failed = context.has_failed(arm, source, Some(shots));
        if failed { "failed".to_owned() } else { NONE.to_owned() }
    };
    let header = ["method".to_owned(), dataset_name(source).to_owned()]
        .into_iter()
        .chain(targets.iter().map(|id| dataset_name(id).to_owned()))
        .chain([format!("average of {}", count(targets.len(), "target"))]);
    let mut table = Table::new(header);
    let columns: Vec<&str> = std::iter::once(source).chain(targets.iter().copied()).collect();
    let lines: Vec<Vec<Option<&SummaryRow>>> =
        columns.iter().map(|id| arms.iter().map(|arm| find(arm, id)).collect()).collect();
    let [marks] = of_lines(context, &lines, [Quantity::Accuracy(Classes::All)]);
    let seeds = || rows.iter().map(|r| r.n_seeds()).filter(|n| *n > 0);
    let seeds = (seeds().min().unwrap_or(0), seeds().max().unwrap_or(0));
    let fewer = |r: &SummaryRow| (1..seeds.1).contains(&r.n_seeds());
    for (a, arm) in arms.iter().enumerate() {
        let cells = lines.iter().zip(&marks).map(|(line, mark)| {
            let number = |r: &SummaryRow| with_spread(r.all.mean(), r.all.std());
            let dagger = if line[a].is_some_and(fewer) { " †" } else { "" };
            markdown(line[a].map_or_else(|| hole(arm), number), mark.as_ref(), a) + dagger
        });
        table.row(std::iter::once(arm.label()).chain(cells).chain([two(average(arm))]));
    }
    format!(
        "**{}**\n\n{}\n_Accuracy in percent among {} classes of each target; {}. **Bold**: better than every other \
         line of the column by a test at 5 % (seeds and images both drawn at random, Holm's correction over the \
         columns); <u>underlined</u>: second in a column that has a bold one, not tested; averages are not tested. \
         “—”: no record; an average needs every target. {}_\n\n{}",
        context.titled(&format!("Trained on {}{}", dataset_name(source), comma_shots(Some(shots)))),
        table.markdown(),
        Classes::All,
        spread_over(seeds),
        explained(Anchor::Transfer),
        fewer_seeds_in(&partial(context, rows, seeds.1)),
    )
}

/// Cells with fewer than `most` seeds, in words.
fn partial(context: &Context<'_>, rows: &[&SummaryRow], most: usize) -> Vec<String> {
    let fewer = rows.iter().filter(|r| (1..most).contains(&r.n_seeds()));
    let words = |r: &&SummaryRow| {
        let (dataset, arm) = (dataset_name(&r.place.dataset), context.arm(r).label());
        format!("{dataset}, {arm}: {} of {most}", r.n_seeds())
    };
    fewer.map(words).collect()
}
