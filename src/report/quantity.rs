//! What a line of a table shows: an accuracy, or the harmonic mean of two.

use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::stats::harmonic::gradient;

/// A quantity of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Accuracy among a group of classes.
    Accuracy(Classes),
    /// Harmonic mean of the accuracies among base and new classes.
    H,
}

impl Quantity {
    /// Its value in a cell, in percent.
    pub fn value(self, row: &SummaryRow) -> Option<f64> {
        match self {
            Self::Accuracy(classes) => row.accuracy(classes).mean(),
            Self::H => row.h_pct(),
        }
    }

    /// Sample standard deviation over seeds, in points; of H that of the seeds' own H.
    pub fn spread(self, row: &SummaryRow) -> Option<f64> {
        match self {
            Self::Accuracy(classes) => row.accuracy(classes).std(),
            Self::H => row.h.std(),
        }
    }

    /// One number per seed, in percent, whose mean is [`Self::value`]. H is not the mean of the seeds' H, so of
    /// H it is the tangent at the means, which is what the error of H follows.
    pub fn by_seed(self, row: &SummaryRow) -> Vec<(Option<u64>, f64)> {
        let Self::Accuracy(classes) = self else { return tangent(row).unwrap_or_default() };
        row.accuracy(classes).by_seed.clone()
    }

    /// The groups of classes it is made of.
    pub fn parts(self) -> &'static [Classes] {
        match self {
            Self::Accuracy(Classes::Base) => &[Classes::Base],
            Self::Accuracy(Classes::New) => &[Classes::New],
            Self::Accuracy(Classes::All) => &[Classes::All],
            Self::H => &[Classes::Base, Classes::New],
        }
    }
}

/// `None` where a seed has one half alone.
fn tangent(row: &SummaryRow) -> Option<Vec<(Option<u64>, f64)>> {
    let (by_base, by_new) = gradient(row.base.mean()?, row.new.mean()?)?;
    if row.base.n() != row.new.n() {
        return None;
    }
    let of = |(seed, base): &(Option<u64>, f64)| {
        let new = row.new.by_seed.iter().find(|(other, _)| other == seed)?.1;
        Some((*seed, by_base * base + by_new * new))
    };
    row.base.by_seed.iter().map(of).collect()
}
