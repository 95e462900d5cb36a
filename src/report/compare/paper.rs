//! A run against the published figures.
//!
//! Verdicts are about seeds: consistent if TOST shows the means within ±1 point at 5 %, different if Welch's
//! t rejects equality at 5 % and equivalence is not shown, else nothing can be told. Where neither side has any
//! spread over seeds, the images' own error takes its place. A cell over other test images than the published
//! ones, or with another number of prompts, is shown with that reason and without a verdict.

use super::comparable::{check_comparable, published_images};
use super::published::{FigureKey, Published, published};
use super::{ALPHA, MARGIN_POINTS};
use crate::data::Classes;
use crate::frame::{Accuracy, Frame, SummaryRow};
use crate::record::RunRecord;
use crate::report::error::ReportError;
use crate::report::names::{dataset_order, method_order};
use crate::stats::describe::mean;
use crate::stats::equivalence::Verdict;
use crate::stats::t_tests::{ImageCount, MeanDifference};
use crate::stats::{Interval, StatsError};

/// One cell beside its published figure.
#[derive(Clone, Debug, PartialEq)]
pub struct PaperLine {
    /// Method, datasets, classes, shots.
    pub place: FigureKey,
    /// Our accuracies.
    pub ours: Accuracy,
    /// The published figure.
    pub published: Published,
    /// Why the two cannot be compared, whatever their numbers.
    pub obstacle: Option<String>,
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

    /// Ours − published, in points; `None` where an obstacle stands between them.
    pub fn difference(&self) -> Option<f64> {
        let comparable = self.obstacle.is_none();
        Some(self.ours.mean()? - self.published_mean()?).filter(|_| comparable)
    }

    /// What the two allow to be said.
    pub fn verdict(&self) -> Verdict {
        self.estimate().map_or(Verdict::CannotTell, |e| Verdict::of(&e, MARGIN_POINTS, ALPHA))
    }

    /// 95 % interval of the difference, where both have seeds.
    pub fn interval(&self) -> Option<Interval> {
        self.estimate()?.interval(0.95).ok()
    }

    /// Welch's estimate, or that of the images where neither side has any spread over two seeds or more.
    pub fn estimate(&self) -> Option<MeanDifference> {
        if self.obstacle.is_some() {
            return None;
        }
        match MeanDifference::welch(&self.ours.values(), &self.published_values()) {
            Err(StatsError::NoSpread) => {
                let ours = ImageCount::averaged(self.ours.correct, self.ours.total, self.ours.n());
                let sum = |of: fn(&(u64, u64, u64)) -> u64| self.published.counts.iter().map(of).sum();
                let n = self.published.counts.len();
                let theirs = ImageCount::averaged(sum(|c| c.1), sum(|c| c.2), n);
                MeanDifference::of_images(ours, theirs).ok()
            }
            estimate => estimate.ok(),
        }
    }
}

/// A run beside the paper.
#[derive(Clone, Debug, PartialEq)]
pub struct PaperComparison {
    /// Cells with a published figure, in page order.
    pub lines: Vec<PaperLine>,
    /// Cells of the run for which none was published, in page order.
    pub unpublished: Vec<FigureKey>,
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

fn order(place: &FigureKey) -> Order {
    (method_order(&place.method), place.shots, dataset_order(&place.dataset), place.classes)
}

fn place_of(row: &SummaryRow, classes: Classes) -> FigureKey {
    FigureKey {
        method: row.place.method.clone(),
        train_dataset: row.place.train_dataset.clone(),
        dataset: row.place.dataset.clone(),
        train_classes: row.place.train_classes,
        classes,
        shots: row.place.shots,
    }
}

fn line(records: &[RunRecord], place: FigureKey, ours: &Accuracy, figure: &Published) -> PaperLine {
    let obstacle = other_images(records, &place, figure).or_else(|| other_prompts(records, &place, figure));
    PaperLine { place, ours: ours.clone(), published: figure.clone(), obstacle }
}

/// Another number of test images than was published, at any seed.
fn other_images(records: &[RunRecord], place: &FigureKey, figure: &Published) -> Option<String> {
    let of_logs = || figure.counts.first().map(|(_, _, total)| *total);
    let published = published_images(&place.dataset, place.classes).or_else(of_logs)?;
    let same = |r: &&RunRecord| {
        (&r.cell.method, &r.cell.dataset, r.cell.train_classes, r.cell.shots)
            == (&place.method, &place.train_dataset, place.train_classes, place.shots)
    };
    let here = records.iter().filter(same).flat_map(|r| &r.evaluations);
    let mut totals =
        here.filter(|e| (&e.dataset, e.classes) == (&place.dataset, place.classes)).map(|e| e.total);
    let other = totals.find(|total| *total != published)?;
    Some(format!("{other} test images here, {published} published"))
}

/// With another number of prompts the published runs answer another question.
fn other_prompts(records: &[RunRecord], place: &FigureKey, figure: &Published) -> Option<String> {
    let same = |r: &&RunRecord| r.cell.method == place.method && r.cell.shots == place.shots;
    let k = figure.k?;
    let ours = records.iter().filter(same).filter_map(|r| r.config.get("rpo.k"));
    let other = ours.into_iter().find(|ours| **ours != k.to_string())?;
    Some(format!("K = {other} here, {k} published"))
}
