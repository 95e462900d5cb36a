//! Which test images a method gets right, seed by seed: what tests within a dataset are made of.

use std::collections::BTreeMap;

use super::context::Context;
use super::quantity::Quantity;
use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::stats::crossed::{CrossedDifference, CrossedPair};
use crate::stats::harmonic::gradient;

/// Correctness of every test image of one dataset and group of classes.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageScores {
    /// Item paths in test order.
    paths: Vec<String>,
    /// True classes in test order.
    labels: Vec<u32>,
    /// Per seed (none for zero-shot) whether each image is right, ascending by seed.
    pub by_seed: Vec<(Option<u64>, Vec<bool>)>,
}

/// A seed and what both methods get right at it.
pub type SeedPair<'a> = (Option<u64>, &'a [bool], &'a [bool]);

impl ImageScores {
    /// Reads the predictions behind `row`'s accuracy among `classes`. `None` where the file of any seed is
    /// absent, is not what was recorded, or is about other images.
    pub fn of(context: &Context<'_>, row: &SummaryRow, classes: Classes) -> Option<Self> {
        let mut scores: Option<Self> = None;
        for (seed, _) in &row.accuracy(classes).by_seed {
            let key = context.frame.record_key(row, *seed, classes)?;
            let predictions = context.predictions(key, &row.place.dataset, classes)?;
            let right = predictions.iter().map(|p| p.label == p.predicted).collect();
            let (paths, labels): (Vec<String>, Vec<u32>) =
                predictions.into_iter().map(|p| (p.path, p.label)).unzip();
            let scores = scores.get_or_insert_with(|| Self {
                paths: paths.clone(),
                labels: labels.clone(),
                by_seed: Vec::new(),
            });
            if scores.paths != paths || scores.labels != labels {
                return None;
            }
            scores.by_seed.push((*seed, right));
        }
        scores
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.paths.len()
    }

    /// True class and path of every image, in test order.
    pub fn labelled(&self) -> impl Iterator<Item = (u32, &str)> {
        self.labels.iter().copied().zip(self.paths.iter().map(String::as_str))
    }

    /// Positions of every class's images, ascending by class.
    pub fn by_class(&self) -> BTreeMap<u32, Vec<usize>> {
        let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        self.labels.iter().enumerate().for_each(|(at, label)| classes.entry(*label).or_default().push(at));
        classes
    }

    /// Scores of images called by their number.
    #[cfg(test)]
    pub(super) fn made_of(labels: Vec<u32>, by_seed: Vec<(Option<u64>, Vec<bool>)>) -> Self {
        let paths = (0..labels.len()).map(|at| at.to_string()).collect();
        Self { paths, labels, by_seed }
    }

    /// Both at every seed they share; zero-shot, which has none, joins every seed of the other. `None` where
    /// the two are about other images.
    pub fn joined<'a>(&'a self, other: &'a Self) -> Option<Vec<SeedPair<'a>>> {
        if self.paths != other.paths {
            return None;
        }
        let mut pairs = Vec::new();
        for (seed, right) in &self.by_seed {
            for (of_other, also) in &other.by_seed {
                if seed == of_other || seed.is_none() || of_other.is_none() {
                    pairs.push((seed.or(*of_other), right.as_slice(), also.as_slice()));
                }
            }
        }
        Some(pairs)
    }
}

/// The images behind one quantity of a cell.
#[derive(Clone, Debug)]
pub struct CellScores<'a> {
    quantity: Quantity,
    parts: Vec<&'a ImageScores>,
}

impl<'a> CellScores<'a> {
    /// From what `read` has of each of the quantity's groups of classes; `None` where one is missing.
    pub fn new(quantity: Quantity, read: impl Fn(Classes) -> Option<&'a ImageScores>) -> Option<Self> {
        let parts = quantity.parts().iter().map(|classes| read(*classes)).collect::<Option<_>>()?;
        Some(Self { quantity, parts })
    }

    /// The difference self − other over their common seeds, accuracies in 0..=1. `None` for other images, for
    /// halves at other seeds, or with fewer than two common seeds of methods that draw.
    pub fn minus(&self, other: &Self) -> Option<CrossedDifference> {
        let joined: Vec<Vec<SeedPair<'_>>> =
            self.parts.iter().zip(&other.parts).map(|(a, b)| a.joined(b)).collect::<Option<_>>()?;
        let seeds = |part: &[SeedPair<'_>]| part.iter().map(|pair| pair.0).collect::<Vec<_>>();
        let drawn = seeds(joined.first()?);
        if joined.iter().any(|part| seeds(part) != drawn) {
            return None;
        }
        let sides: Vec<[Vec<&[bool]>; 2]> = joined
            .iter()
            .map(|part| [part.iter().map(|p| p.1).collect(), part.iter().map(|p| p.2).collect()])
            .collect();
        let weights = self.weights(&sides)?;
        let pairs: Vec<CrossedPair<'_>> = sides
            .iter()
            .zip(weights)
            .map(|(rows, weights)| CrossedPair {
                first: &rows[0],
                second: &rows[1],
                first_weight: weights[0],
                second_weight: weights[1],
            })
            .collect();
        CrossedDifference::of(&pairs, drawn.iter().any(Option::is_some)).ok()
    }

    /// What an accuracy of 1 of either side counts, part by part: of H its gradient at the means.
    fn weights(&self, sides: &[[Vec<&[bool]>; 2]]) -> Option<Vec<[f64; 2]>> {
        match (self.quantity, sides) {
            (Quantity::H, [base, new]) => {
                let of = |side: usize| gradient(share(&base[side])?, share(&new[side])?);
                let (first, second) = (of(0)?, of(1)?);
                Some(vec![[first.0, second.0], [first.1, second.1]])
            }
            _ => Some(vec![[1.0, 1.0]; sides.len()]),
        }
    }
}

/// Share of right ones over all rows; `None` without any.
fn share(rows: &[&[bool]]) -> Option<f64> {
    let total: usize = rows.iter().map(|row| row.len()).sum();
    let right = rows.iter().flat_map(|row| row.iter()).filter(|right| **right).count();
    (total > 0).then(|| right as f64 / total as f64)
}
