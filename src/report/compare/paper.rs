//! A run against the published figures.
//!
//! Verdicts are about seeds: consistent if TOST shows the means within ±1 point at 5 %, different if Welch's
//! t rejects equality at 5 % and equivalence is not shown, else nothing can be told.

use super::published::{Place, Published, published};
use super::{ALPHA, MARGIN_POINTS};
use crate::data::Classes;
use crate::frame::{Accuracy, Frame, SummaryRow};
use crate::record::RunRecord;
use crate::report::context::is_pocket;
use crate::report::error::ReportError;
use crate::report::names::{dataset_order, method_order};
use crate::stats::Interval;
use crate::stats::describe::mean;
use crate::stats::equivalence::{Verdict, verdict};
use crate::stats::t_tests::MeanDifference;

/// One cell beside its published figure.
#[derive(Clone, Debug, PartialEq)]
pub struct PaperLine {
    /// Method, datasets, classes, shots.
    pub place: Place,
    /// Our accuracies.
    pub ours: Accuracy,
    /// The published figure.
    pub published: Published,
    /// What the two allow to be said.
    pub verdict: Verdict,
}

impl PaperLine {
    /// The published mean: over seeds where they are known, else as printed.
    pub fn published_mean(&self) -> Option<f64> {
        mean(&self.published_values()).or(self.published.printed_pct)
    }

    /// The published accuracies by seed in percent; empty where only a mean is known.
    pub fn published_values(&self) -> Vec<f64> {
        self.published.by_seed.iter().map(|(_, value)| *value).collect()
    }

    /// Ours − published, in points.
    pub fn difference(&self) -> Option<f64> {
        Some(self.ours.mean()? - self.published_mean()?)
    }

    /// Welch's 95 % interval of the difference, where both have seeds.
    pub fn interval(&self) -> Option<Interval> {
        let estimate = MeanDifference::welch(&self.ours.values(), &self.published_values()).ok()?;
        estimate.interval(0.95).ok()
    }
}

/// A run beside the paper.
#[derive(Clone, Debug, PartialEq)]
pub struct PaperComparison {
    /// Cells with a published figure, in page order.
    pub lines: Vec<PaperLine>,
    /// Cells of the run for which none was published, in page order.
    pub unpublished: Vec<Place>,
    /// How many results were left out because they belong to a variant of a method.
    pub variants_left_out: usize,
}

/// Sets every cell that has a published figure beside it. Variants of a method are left out.
///
/// # Errors
/// [`ReportError::NotComparable`] for pocket, folder or limited records, or if no figure was published
/// for any cell; [`ReportError::Empty`] without records; [`ReportError::Frame`] for contradictory ones.
pub fn against_paper(records: &[RunRecord]) -> Result<PaperComparison, ReportError> {
    if records.is_empty() {
        return Err(ReportError::Empty);
    }
    check_comparable(records)?;
    let figures = published()?;
    let summary = Frame::from_records(records)?.summary();
    let (plain, variants): (Vec<&SummaryRow>, Vec<&SummaryRow>) =
        summary.iter().partition(|r| r.place.variant.is_empty());
    let (mut lines, mut unpublished) = (Vec::new(), Vec::new());
    for row in plain {
        for classes in [Classes::Base, Classes::New, Classes::All] {
            let (place, ours) = (place_of(row, classes), row.accuracy(classes));
            match figures.get(&place) {
                _ if ours.n() == 0 => {}
                Some(figure) => lines.push(line(records, place, ours, figure)),
                None => unpublished.push(place),
            }
        }
    }
    if lines.is_empty() {
        let reason = "no figure was published for any of its cells";
        return Err(ReportError::NotComparable { reason: reason.to_owned() });
    }
    lines.sort_by_key(|l| order(&l.place));
    unpublished.sort_by_key(order);
    Ok(PaperComparison { lines, unpublished, variants_left_out: variants.len() })
}

type Order = ((usize, String), Option<u32>, (usize, String), Classes);

fn order(place: &Place) -> Order {
    (method_order(&place.method), place.shots, dataset_order(&place.dataset), place.classes)
}

fn check_comparable(records: &[RunRecord]) -> Result<(), ReportError> {
    let refuse = |reason: &str| Err(ReportError::NotComparable { reason: reason.to_owned() });
    if records.iter().any(is_pocket) {
        return refuse("pocket pictures and the pocket CLIP are not what was published on");
    }
    if records.iter().any(|r| r.provenance.data_kind != "coop") {
        return refuse("the pictures are not those of the published datasets (--data names a folder)");
    }
    if let Some(limit) = records.iter().find_map(|r| r.cell.limit) {
        return refuse(&format!(
            "the run was limited (--limit {limit}) to part of the test images; run it without --limit"
        ));
    }
    Ok(())
}

fn place_of(row: &SummaryRow, classes: Classes) -> Place {
    Place {
        method: row.place.method.clone(),
        train_dataset: row.place.train_dataset.clone(),
        dataset: row.place.dataset.clone(),
        train_classes: row.place.train_classes,
        classes,
        shots: row.place.shots,
    }
}

fn line(records: &[RunRecord], place: Place, ours: &Accuracy, figure: &Published) -> PaperLine {
    let theirs: Vec<f64> = figure.by_seed.iter().map(|(_, value)| *value).collect();
    // With another number of prompts the published runs answer another question.
    let same_k = |r: &RunRecord| {
        r.config.get("rpo.k").zip(figure.k).is_none_or(|(ours, theirs)| *ours == theirs.to_string())
    };
    let same = |r: &&RunRecord| r.cell.method == place.method && r.cell.shots == place.shots;
    let verdict = if records.iter().filter(same).all(same_k) {
        verdict(&ours.values(), &theirs, MARGIN_POINTS, ALPHA)
    } else {
        Verdict::CannotTell
    };
    PaperLine { place, ours: ours.clone(), published: figure.clone(), verdict }
}
