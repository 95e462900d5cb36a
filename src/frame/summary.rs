//! Rows averaged over seeds: base, new, H, and the accuracy among all classes.
//!
//! `h_pct` is H of the mean base and mean new accuracy, `h_seed_mean_pct` the mean of the seeds' H: two
//! different numbers under two names. Spread is the sample standard deviation (ddof 1), absent below two seeds.

use super::row::Row;
use crate::data::Classes;
use crate::stats::describe::{mean, sample_std};
use crate::stats::harmonic::harmonic_mean;

/// Accuracies of one group of classes over seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accuracy {
    /// Accuracy in percent per seed, ascending by seed; zero-shot has a single entry with no seed.
    pub by_seed: Vec<(Option<u64>, f64)>,
    /// Correct predictions, summed over seeds.
    pub correct: u64,
    /// Test images, summed over seeds.
    pub total: u64,
}

impl Accuracy {
    /// The accuracies in percent without their seeds.
    pub fn values(&self) -> Vec<f64> {
        self.by_seed.iter().map(|(_, value)| *value).collect()
    }

    /// Number of runs.
    pub fn n(&self) -> usize {
        self.by_seed.len()
    }

    /// Mean in percent; `None` without a run.
    pub fn mean(&self) -> Option<f64> {
        mean(&self.values())
    }

    /// Sample standard deviation in points; `None` below two runs.
    pub fn std(&self) -> Option<f64> {
        sample_std(&self.values())
    }
}

/// One dataset × method (× variant × shots …) over its seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// Any row of the group with seed, classes and counts cleared: the coordinates. Its number of trained
    /// parameters is the largest of any seed; it never tells groups apart.
    pub place: Row,
    /// Accuracy among base classes.
    pub base: Accuracy,
    /// Accuracy among new classes.
    pub new: Accuracy,
    /// Accuracy among all classes.
    pub all: Accuracy,
    /// H in percent of every seed that has both halves.
    pub h: Accuracy,
}

impl SummaryRow {
    /// H of the mean base and the mean new accuracy.
    pub fn h_pct(&self) -> Option<f64> {
        harmonic_mean(self.base.mean()?, self.new.mean()?)
    }

    /// Whether `row` is one of those averaged here.
    pub fn holds(&self, row: &Row) -> bool {
        self.place.same_cell(row)
    }

    /// Number of distinct seeds; 0 for zero-shot, which has none.
    pub fn n_seeds(&self) -> usize {
        let seeds = [&self.base, &self.new, &self.all].map(|a| a.by_seed.iter().filter_map(|s| s.0));
        seeds.into_iter().flatten().collect::<std::collections::BTreeSet<u64>>().len()
    }

    /// The accuracy among one group of classes.
    pub fn accuracy(&self, classes: Classes) -> &Accuracy {
        match classes {
            Classes::Base => &self.base,
            Classes::New => &self.new,
            Classes::All => &self.all,
        }
    }
}

/// Groups sorted rows by everything but seed and classes: what is averaged has one settings identity.
pub(super) fn summarise(rows: &[Row]) -> Vec<SummaryRow> {
    rows.chunk_by(Row::same_cell).map(summary_row).collect()
}

fn place_of(row: &Row) -> Row {
    let mut place = row.clone();
    place.seed = None;
    place.classes = Classes::All;
    (place.correct, place.total, place.trainable_parameters, place.reported) = (0, 0, 0, None);
    place
}

fn summary_row(members: &[Row]) -> SummaryRow {
    let mut place = place_of(&members[0]);
    place.trainable_parameters = members.iter().map(|row| row.trainable_parameters).max().unwrap_or(0);
    let of = |classes: Classes| {
        let mut accuracy = Accuracy::default();
        for row in members.iter().filter(|row| row.classes == classes) {
            accuracy.by_seed.push((row.seed, row.accuracy_pct()));
            accuracy.correct += row.correct;
            accuracy.total += row.total;
        }
        accuracy
    };
    let (base, new) = (of(Classes::Base), of(Classes::New));
    let mut h = Accuracy::default();
    for (seed, base_pct) in &base.by_seed {
        let partner = new.by_seed.iter().find(|(other, _)| other == seed);
        let value = partner.and_then(|(_, new_pct)| harmonic_mean(*base_pct, *new_pct));
        h.by_seed.extend(value.map(|value| (*seed, value)));
    }
    SummaryRow { place, base, new, all: of(Classes::All), h }
}
