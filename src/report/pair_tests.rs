//! Friedman over all arms and Wilcoxon with Holm over all pairs, datasets being the blocks.
//!
//! Values are means over seeds: seeds are not independent datasets, and counting them as such would make
//! every p too small. Ranks are taken of values rounded to 1e-9, as Wilcoxon's test rounds differences, so
//! that both see the ties that counts of images make.

use super::emphasis::{ALPHA, Mark, Quantity};
use super::grid::Grid;
use crate::stats::StatsError;
use crate::stats::describe::mean;
use crate::stats::groups::indistinct_runs;
use crate::stats::holm::holm;
use crate::stats::ranks::{Friedman, friedman};
use crate::stats::wilcoxon::{SignedRank, signed_rank};

/// Tests of one quantity over the datasets that every arm has.
#[derive(Clone, Debug)]
pub struct PairTests {
    /// Friedman's test with the mean ranks.
    pub friedman: Friedman,
    /// One entry per pair of arms.
    pub pairs: Vec<Pair>,
    /// Positions of the datasets that every arm has.
    pub shared: Vec<usize>,
    /// Values, rounded for ranking: per shared dataset one per arm.
    pub blocks: Vec<Vec<f64>>,
}

/// Two arms over datasets; differences are `first − second`.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Position of the one arm in the grid: the later of the two.
    pub first: usize,
    /// Position of the other.
    pub second: usize,
    /// Per dataset the difference in points.
    pub differences: Vec<f64>,
    /// Its mean.
    pub difference: f64,
    /// Wilcoxon's test of the differences.
    pub test: SignedRank,
    /// Its p after Holm over all pairs.
    pub adjusted: f64,
}

impl PairTests {
    /// Tests all arms of `grid`.
    ///
    /// # Errors
    /// [`StatsError`] with fewer than two arms or shared datasets, or without any difference.
    pub fn new(grid: &Grid<'_>, quantity: Quantity) -> Result<Self, StatsError> {
        let shared = grid.shared(|r| quantity.value(r));
        let value = |d: usize, a: usize| grid.cell(d, a).and_then(|row| quantity.value(row));
        let line = |d: &usize| (0..grid.arms.len()).filter_map(|a| value(*d, a)).collect();
        let values: Vec<Vec<f64>> = shared.iter().map(line).collect();
        let blocks: Vec<Vec<f64>> =
            values.iter().map(|line| line.iter().map(|v| rounded(*v)).collect()).collect();
        let friedman = friedman(&blocks)?;
        let mut pairs = Vec::new();
        for second in 0..grid.arms.len() {
            for first in second + 1..grid.arms.len() {
                let differences: Vec<f64> = values.iter().map(|v| v[first] - v[second]).collect();
                let test = signed_rank(&differences)?;
                let difference = mean(&differences).ok_or(StatsError::NoSpread)?;
                pairs.push(Pair { first, second, differences, difference, test, adjusted: 1.0 });
            }
        }
        let raw: Vec<f64> = pairs.iter().map(|pair| pair.test.p).collect();
        pairs.iter_mut().zip(holm(&raw)?).for_each(|(pair, adjusted)| pair.adjusted = adjusted);
        Ok(Self { friedman, pairs, shared, blocks })
    }

    /// Whether the two arms differ after the correction.
    pub fn significant(&self, one: usize, other: usize) -> bool {
        let wanted = (one.max(other), one.min(other));
        self.pairs.iter().any(|pair| (pair.first, pair.second) == wanted && pair.adjusted <= ALPHA)
    }

    /// Best and second of averages over the tested datasets, where the two differ significantly.
    pub fn mark(&self, averages: &[Option<f64>]) -> Option<Mark> {
        Mark::candidates(averages).filter(|mark| self.significant(mark.best, mark.second))
    }

    /// Arms by ascending mean rank, and the bars over them: maximal runs without a significant pair.
    pub fn ranking(&self) -> (Vec<usize>, Vec<(usize, usize)>) {
        let ranks = &self.friedman.mean_ranks;
        let mut order: Vec<usize> = (0..ranks.len()).collect();
        order.sort_by(|a, b| ranks[*a].total_cmp(&ranks[*b]));
        let bars = indistinct_runs(order.len(), |i, j| self.significant(order[i], order[j]));
        (order, bars)
    }

    /// The smallest p that Holm leaves a pair on this number of datasets: its correction times 2 / 2ⁿ.
    pub fn smallest_p(&self) -> f64 {
        let patterns = 2f64.powi(i32::try_from(self.blocks.len()).unwrap_or(i32::MAX));
        (self.pairs.len() as f64 * 2.0 / patterns).min(1.0)
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}
