//! Two runs against each other, cell by cell.
//!
//! Seeds are paired only where both runs trained on the same draw; otherwise the runs are two independent
//! samples. Equal counts at every seed are called identical, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{Change, changes};
use super::{ALPHA, MARGIN_POINTS};
use crate::data::Classes;
use crate::frame::{Accuracy, Frame, Row};
use crate::record::RunRecord;
use crate::report::error::ReportError;
use crate::report::names::{dataset_order, method_order};
use crate::report::pairing::pairs;
use crate::stats::Interval;
use crate::stats::describe::mean;
use crate::stats::equivalence::Verdict;
use crate::stats::paired::sign_flip_p;
use crate::stats::t_tests::MeanDifference;

/// What two runs of one cell allow to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunVerdict {
    /// The same counts at every seed of either run.
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
    /// Accuracies in the first run, if it has the cell.
    pub first: Option<Accuracy>,
    /// Accuracies in the second run, if it has the cell.
    pub second: Option<Accuracy>,
    /// Whether seeds are paired: both runs trained on the same draws.
    pub paired: bool,
}

impl RunLine {
    /// Differences second − first at common seeds, in points. Empty where seeds are not paired.
    pub fn differences(&self) -> Vec<f64> {
        let both = self.first.as_ref().zip(self.second.as_ref()).filter(|_| self.paired);
        both.map_or_else(Vec::new, |(a, b)| pairs(a, b).into_iter().map(|(a, b)| b - a).collect())
    }

    /// Mean difference second − first in points: over common seeds where they are paired.
    pub fn difference(&self) -> Option<f64> {
        let unpaired = || Some(self.second.as_ref()?.mean()? - self.first.as_ref()?.mean()?);
        if self.paired { mean(&self.differences()) } else { unpaired() }
    }

    /// 95 % t interval of the mean difference, paired or Welch's.
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
            (Some(a), Some(b)) if a.by_seed == b.by_seed && (a.correct, a.total) == (b.correct, b.total) => {
                RunVerdict::Identical
            }
            (Some(_), Some(_)) => RunVerdict::Of(
                self.estimate().map_or(Verdict::CannotTell, |e| Verdict::of(&e, MARGIN_POINTS, ALPHA)),
            ),
            _ => RunVerdict::OneSided,
        }
    }

    fn estimate(&self) -> Option<MeanDifference> {
        if self.paired {
            return MeanDifference::paired(&self.differences()).ok();
        }
        MeanDifference::welch(&self.second.as_ref()?.values(), &self.first.as_ref()?.values()).ok()
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
    let line = |place: Row| {
        let (a, b) = (first.get(&place).cloned(), second.get(&place).cloned());
        let paired = a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| same_draws(&place, a, b, &draws));
        RunLine { first: a, second: b, paired, place }
    };
    Ok(RunComparison { changes, lines: places.into_iter().map(line).collect() })
}

fn cells(records: &[RunRecord]) -> Result<BTreeMap<Row, Accuracy>, ReportError> {
    let mut cells = BTreeMap::new();
    for row in Frame::from_records(records)?.summary() {
        for classes in [Classes::Base, Classes::New, Classes::All] {
            if row.accuracy(classes).n() > 0 {
                let (trainable_parameters, numerics_version) = (0, 0);
                let mut place = Row { classes, trainable_parameters, numerics_version, ..row.place.clone() };
                let words = [&mut place.suite, &mut place.profile, &mut place.data, &mut place.dtype];
                words.into_iter().chain([&mut place.settings]).for_each(String::clear);
                cells.insert(place, row.accuracy(classes).clone());
            }
        }
    }
    Ok(cells)
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
fn same_draws(place: &Row, first: &Accuracy, second: &Accuracy, draws: &[Draws; 2]) -> bool {
    let seeds = |a: &Accuracy| a.by_seed.iter().map(|s| s.0).collect::<BTreeSet<_>>();
    let shared: Vec<_> = seeds(first).intersection(&seeds(second)).copied().collect();
    let same = |seed: &Option<u64>| {
        let at = (place.train_dataset.clone(), place.train_classes, place.shots, *seed);
        draws[0].get(&at).zip(draws[1].get(&at)).is_some_and(|(a, b)| a == b && a.len() == 1)
    };
    !shared.is_empty() && shared.iter().all(same)
}
