//! Prompts read from files, beside the counts they should give.
//!
//! The reference is the run that trained them, where it is among the records, else the authors' log of the same
//! dataset, seed, shots and K. Counts are compared, not percentages: one image more or less is visible.

use crate::record::{Evaluation, Outcome, RunRecord};
use crate::report::compare::published::{FigureKey, Published, published};
use crate::report::context::Context;
use crate::report::error::ReportError;
use crate::report::markdown::Table;
use crate::report::names::{dataset_name, dataset_order, method_name};
use crate::report::number::{NONE, count, signed};
use crate::report::part::Part;

/// The swept setting that marks such a record.
const FROM_FILE: &str = "prompts";

/// Correct predictions and images that an evaluation should give, and who says so.
type Expected = (u64, u64, &'static str);

/// The section.
pub fn render(context: &Context<'_>) -> Result<Part, ReportError> {
    let figures = published()?;
    let header =
        ["dataset", "method", "classes", "seed", "here", "reference", "difference", "points", "reference is"];
    let mut table = Table::new(header).left(3);
    let (mut compared, mut equal, mut largest) = (0, 0, 0_u64);
    let mut records: Vec<&RunRecord> =
        context.records.iter().copied().filter(|r| r.cell.variant.contains_key(FROM_FILE)).collect();
    records.sort_by_key(|r| (dataset_order(&r.cell.dataset), r.cell.seed));
    for record in records.iter().filter(|r| r.outcome == Outcome::Complete) {
        for evaluation in &record.evaluations {
            let of_log = || log(record, evaluation, &figures);
            let expected = trained(context, record, evaluation).or_else(of_log);
            let difference =
                expected.filter(|e| e.1 == evaluation.total).map(|e| evaluation.correct.abs_diff(e.0));
            compared += usize::from(difference.is_some());
            equal += usize::from(difference == Some(0));
            largest = largest.max(difference.unwrap_or(0));
            table.row(line(record, evaluation, expected));
        }
    }
    let body = if table.is_empty() {
        "No record was made from a file of prompts.\n".to_owned()
    } else {
        format!(
            "**{}**\n\n{equal} of {} that have a reference are equal to the image; the largest difference is {}.\n\n\
             {}\n_Correct predictions / test images. The authors' logs come from half precision on a GPU: a few \
             images may differ. A reference over another number of images is shown and not compared._\n",
            context.titled("Prompts from files"),
            count(compared, "evaluation"),
            count(largest as usize, "image"),
            table.markdown(),
        )
    };
    Ok(Part { heading: "Prompts from files".to_owned(), body, ..Part::default() })
}

fn line(record: &RunRecord, evaluation: &Evaluation, expected: Option<Expected>) -> [String; 9] {
    let ratio = |correct: u64, total: u64| format!("{correct} / {total}");
    let comparable = expected.filter(|e| e.1 == evaluation.total);
    let images = comparable.map(|e| evaluation.correct as i64 - e.0 as i64);
    let points = images.map(|images| signed(100.0 * images as f64 / evaluation.total.max(1) as f64));
    [
        dataset_name(&evaluation.dataset).to_owned(),
        method_name(&record.cell.method).to_owned(),
        evaluation.classes.to_string(),
        record.cell.seed.map_or_else(String::new, |seed| seed.to_string()),
        ratio(evaluation.correct, evaluation.total),
        expected.map_or_else(|| NONE.to_owned(), |e| ratio(e.0, e.1)),
        images.map_or_else(|| NONE.to_owned(), |images| format!("{images:+}").replace('-', "−")),
        points.unwrap_or_else(|| NONE.to_owned()),
        expected.map_or(NONE, |e| e.2).to_owned(),
    ]
}

/// The counts of the record that trained these prompts.
fn trained(context: &Context<'_>, record: &RunRecord, evaluation: &Evaluation) -> Option<Expected> {
    let mut cell = record.cell.clone();
    cell.variant.remove(FROM_FILE);
    let same = |other: &&&RunRecord| {
        other.cell == cell && other.outcome == Outcome::Complete && other.key != record.key
    };
    let origin = context.records.iter().find(same)?;
    let place = |e: &&Evaluation| (&e.dataset, e.classes) == (&evaluation.dataset, evaluation.classes);
    origin.evaluations.iter().find(place).map(|e| (e.correct, e.total, "the run that trained them"))
}

/// The counts of the authors' log.
fn log(
    record: &RunRecord,
    evaluation: &Evaluation,
    figures: &std::collections::BTreeMap<FigureKey, Published>,
) -> Option<Expected> {
    let cell = &record.cell;
    let figure = figures.get(&FigureKey {
        method: cell.method.clone(),
        train_dataset: cell.dataset.clone(),
        dataset: evaluation.dataset.clone(),
        train_classes: cell.train_classes,
        classes: evaluation.classes,
        shots: cell.shots,
    })?;
    if record.config.get("rpo.k") != figure.k.map(|k| k.to_string()).as_ref() || cell.profile == "pocket" {
        return None;
    }
    let (_, correct, total) = figure.counts.iter().find(|(seed, ..)| Some(*seed) == cell.seed)?;
    Some((*correct, *total, "the authors' log"))
}
