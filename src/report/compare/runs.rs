//! Two runs against each other, cell by cell.
//!
//! Seeds are paired only where both runs trained on the same draw; then a line is about the seeds that both have,
//! its columns included. Otherwise the runs are two independent samples. Equal counts at every one of these seeds
//! are called identical, and nothing else is. Where the differences have no spread over seeds (or nothing is drawn),
//! the images' own error takes its place: no spread is not certainty.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{Change, changes};
use super::{ALPHA, MARGIN_POINTS};
use crate::data::Classes;
use crate::frame::{Accuracy, Frame, Row};
use crate::record::RunRecord;
use crate::report::error::ReportError;
use crate::report::names::{dataset_order, method_order};
use crate::report::pairing::differences;
use crate::stats::equivalence::Verdict;
use crate::stats::paired::sign_flip_p;
use crate::stats::settled::settled;
use crate::stats::t_tests::{ImageCount, MeanDifference};
use crate::stats::{Interval, StatsError};

/// What two runs of one cell allow to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunVerdict {
    /// The same counts at every seed that is compared.
    Identical,
    /// As against the paper: consistent, different, or neither can be told.
    Of(Verdict),
    /// Only one run has the cell.
    OneSided,
}

impl RunVerdict {
    /// The verdict as it is printed and written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Of(verdict) => verdict.as_str(),
            Self::OneSided => "one_run_only",
        }
    }
}

/// One cell in both runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunLine {
    /// Coordinates of the cell, without suite, profile and seed.
    pub place: Row,
    /// Accuracies in the first run, if it has the cell: of the common seeds where seeds are paired.
    pub first: Option<Accuracy>,
    /// Accuracies in the second run, likewise.
    pub second: Option<Accuracy>,
    /// Whether seeds are paired: both runs trained on the same draws.
    pub paired: bool,
    /// Seeds of either run that the other lacks and that are left out of a paired line.
    pub left_out: usize,
}

impl RunLine {
    /// Differences second − first at common seeds, in points. Empty where seeds are not paired.
    pub fn differences(&self) -> Vec<f64> {
        let both = self.first.as_ref().zip(self.second.as_ref()).filter(|_| self.paired);
        both.map_or_else(Vec::new, |(a, b)| {
            differences(&b.by_seed, &a.by_seed).into_iter().map(|(_, difference)| difference).collect()
        })
    }

    /// Difference of the means second − first, in points.
    pub fn difference(&self) -> Option<f64> {
        Some(settled(self.second.as_ref()?.mean()? - self.first.as_ref()?.mean()?))
    }

    /// 95 % interval of the difference: paired t, Welch's, or of the images' own error.
    pub fn interval(&self) -> Option<Interval> {
        self.estimate()?.interval(0.95).ok()
    }

    /// Exact sign-flip p of paired seeds.
    pub fn sign_flip_p(&self) -> Option<f64> {
        sign_flip_p(&self.differences()).ok()
    }

    /// The verdict on this cell.
    pub fn verdict(&self) -> RunVerdict {
        match (&self.first, &self.second) {
            _ if self.identical() => RunVerdict::Identical,
            (Some(_), Some(_)) => RunVerdict::Of(
                self.estimate().map_or(Verdict::CannotTell, |e| Verdict::of(&e, MARGIN_POINTS, ALPHA)),
            ),
            _ => RunVerdict::OneSided,
        }
    }

    /// What the verdict rests on; `None` for identical counts, which need no test, and with one drawn seed, where
    /// nothing is known of the error.
    pub fn estimate(&self) -> Option<MeanDifference> {
        let (first, second) = self.first.as_ref().zip(self.second.as_ref())?;
        if self.identical() {
            return None;
        }
        let over_seeds = if self.paired {
            MeanDifference::paired(&self.differences())
        } else {
            MeanDifference::welch(&second.values(), &first.values())
        };
        let drawn = [first, second].iter().any(|a| a.by_seed.iter().any(|(seed, _)| seed.is_some()));
        match over_seeds {
            Err(StatsError::NoSpread) => self.of_images(),
            Err(StatsError::TooFew { .. }) if !drawn => self.of_images(),
            estimate => estimate.ok(),
        }
    }

    /// Whether the counts are the same at every seed that is compared.
    fn identical(&self) -> bool {
        let both = self.first.as_ref().zip(self.second.as_ref());
        both.is_some_and(|(a, b)| a.by_seed == b.by_seed && (a.correct, a.total) == (b.correct, b.total))
    }

    fn of_images(&self) -> Option<MeanDifference> {
        let count = |a: &Accuracy| ImageCount::averaged(a.correct, a.total, a.n());
        MeanDifference::of_images(count(self.second.as_ref()?), count(self.first.as_ref()?)).ok()
    }
}

/// Two runs side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct RunComparison {
    /// What differs besides the numbers.
    pub changes: Vec<Change>,
    /// Every cell of either run, in page order.
    pub lines: Vec<RunLine>,
}

/// Compares two runs. Suite, profile, type and kind of data may differ: that is what is compared.
///
/// # Errors
/// [`ReportError::Empty`] if either has no record, [`ReportError::Frame`] for contradictory records.
pub fn between_runs(first: &[RunRecord], second: &[RunRecord]) -> Result<RunComparison, ReportError> {
    if first.is_empty() || second.is_empty() {
        return Err(ReportError::Empty);
    }
    let changes = changes(first, second);
    let draws = [draws(first), draws(second)];
    let (first, second) = (cells(first)?, cells(second)?);
    let mut places: Vec<Row> = first.keys().chain(second.keys()).cloned().collect();
    places.sort_by_key(|r| (method_order(&r.method), dataset_order(&r.dataset), r.clone()));
    places.dedup();
    let line = |place: Row| line(place, &first, &second, &draws);
    Ok(RunComparison { changes, lines: places.into_iter().map(line).collect() })
}

fn line(place: Row, first: &Cells, second: &Cells, draws: &[Draws; 2]) -> RunLine {
    let (a, b) = (first.get(&place), second.get(&place));
    let accuracies =
        |seeds: Option<&BTreeSet<Seed>>| [a, b].map(|cell| cell.map(|cell| accuracy(cell, seeds)));
    let Some((a, b)) = a.zip(b).filter(|(a, b)| same_draws(&place, a, b, draws)) else {
        let [first, second] = accuracies(None);
        return RunLine { place, first, second, paired: false, left_out: 0 };
    };
    let seeds = |cell: &Counts| cell.keys().copied().collect::<BTreeSet<Seed>>();
    let (of_first, of_second) = (seeds(a), seeds(b));
    let left_out = of_first.symmetric_difference(&of_second).count();
    let common = of_first.intersection(&of_second).copied().collect();
    let [first, second] = accuracies(Some(&common));
    RunLine { place, first, second, paired: true, left_out }
}

type Seed = Option<u64>;
/// Correct predictions and test images by seed.
type Counts = BTreeMap<Seed, (u64, u64)>;
type Cells = BTreeMap<Row, Counts>;

fn cells(records: &[RunRecord]) -> Result<Cells, ReportError> {
    let mut cells = Cells::new();
    let frame = Frame::from_records(records)?;
    for row in frame.summary() {
        for classes in [Classes::Base, Classes::New, Classes::All] {
            let own = frame.rows().iter().filter(|r| r.classes == classes && row.holds(r));
            let counts: Counts = own.map(|r| (r.seed, (r.correct, r.total))).collect();
            if !counts.is_empty() {
                let (trainable_parameters, numerics_version) = (0, 0);
                let mut place = Row { classes, trainable_parameters, numerics_version, ..row.place.clone() };
                let words = [&mut place.suite, &mut place.profile, &mut place.data, &mut place.dtype];
                words.into_iter().chain([&mut place.settings]).for_each(String::clear);
                cells.insert(place, counts);
            }
        }
    }
    Ok(cells)
}

/// The accuracies at some seeds, or at all.
fn accuracy(counts: &Counts, seeds: Option<&BTreeSet<Seed>>) -> Accuracy {
    let mut accuracy = Accuracy::default();
    for (seed, (correct, total)) in counts.iter().filter(|(seed, _)| seeds.is_none_or(|s| s.contains(seed))) {
        let share = if *total == 0 { 0.0 } else { *correct as f64 / *total as f64 };
        accuracy.by_seed.push((*seed, 100.0 * share));
        accuracy.correct += correct;
        accuracy.total += total;
    }
    accuracy
}

/// What was drawn for a dataset at a number of shots and a seed; more than one hash where records disagree.
type Draws = BTreeMap<(String, Classes, Option<u32>, Option<u64>), BTreeSet<String>>;

fn draws(records: &[RunRecord]) -> Draws {
    let mut draws = Draws::new();
    for record in records {
        let cell = &record.cell;
        let place = (cell.dataset.clone(), cell.train_classes, cell.shots, cell.seed);
        let hash = record.provenance.draw_sha256.clone().unwrap_or_default();
        draws.entry(place).or_default().insert(hash);
    }
    draws
}

/// Whether both runs drew the same images at every seed they share, and share one.
fn same_draws(place: &Row, first: &Counts, second: &Counts, draws: &[Draws; 2]) -> bool {
    let shared: Vec<Seed> = first.keys().filter(|seed| second.contains_key(seed)).copied().collect();
    let same = |seed: &Seed| {
        let at = (place.train_dataset.clone(), place.train_classes, place.shots, *seed);
        draws[0].get(&at).zip(draws[1].get(&at)).is_some_and(|(a, b)| a == b && a.len() == 1)
    };
    !shared.is_empty() && shared.iter().all(same)
}
