//! Friedman over all arms and Wilcoxon over pairs of them, datasets being the blocks.
//!
//! Values are means over seeds: seeds are not independent datasets, and counting them as such would make
//! every p too small. Differences are taken in whole units of 1e-9, so that counts of images that are equal give
//! ties. Holm's correction runs over a family that answers one question: every arm against the reference, or
//! all pairs for the bars of the diagram.

use super::emphasis::{ALPHA, Mark};
use super::grid::Grid;
use super::pairing::differences;
use super::quantity::Quantity;
use crate::stats::bootstrap::{Resampling, mean_interval};
use crate::stats::describe::{mean, sample_std, t_interval};
use crate::stats::groups::indistinct_runs;
use crate::stats::holm::holm;
use crate::stats::ranks::{Friedman, friedman};
use crate::stats::settled::settled;
use crate::stats::wilcoxon::{SignedRank, signed_rank};
use crate::stats::{Interval, StatsError};

/// Tests of one quantity over the datasets that every arm has.
#[derive(Clone, Debug)]
pub struct PairTests {
    /// Friedman's test with the mean ranks.
    pub friedman: Friedman,
    /// Positions of the datasets that every arm has.
    pub shared: Vec<usize>,
    /// Values in whole units of 1e-9: per shared dataset one per arm.
    pub blocks: Vec<Vec<f64>>,
    /// All pairs, the later arm first, corrected as one family.
    all: Vec<Pair>,
}

/// Two arms over datasets; differences are `first − second`.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Position of the one arm in the grid.
    pub first: usize,
    /// Position of the other.
    pub second: usize,
    /// Per dataset the difference in points.
    pub differences: Vec<f64>,
    /// Its mean.
    pub difference: f64,
    /// Wilcoxon's test of the differences.
    pub test: SignedRank,
    /// Its p after Holm over the family.
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
        let line = |d: &usize| (0..grid.arms.len()).filter_map(|a| value(*d, a)).map(settled).collect();
        let blocks: Vec<Vec<f64>> = shared.iter().map(line).collect();
        if blocks.iter().any(|line| line.len() != grid.arms.len()) {
            return Err(StatsError::NoSpread);
        }
        let friedman = friedman(&blocks)?;
        let mut tests = Self { friedman, shared, blocks, all: Vec::new() };
        let arms = grid.arms.len();
        tests.all = tests.family((0..arms).flat_map(|b| (b + 1..arms).map(move |a| (a, b))))?;
        Ok(tests)
    }

    /// The tests of some pairs (first, second), corrected after Holm over just these.
    ///
    /// # Errors
    /// [`StatsError`] from the tests.
    pub fn family(&self, pairs: impl Iterator<Item = (usize, usize)>) -> Result<Vec<Pair>, StatsError> {
        let mut tested = pairs.map(|(a, b)| self.pair(a, b)).collect::<Result<Vec<Pair>, _>>()?;
        let raw: Vec<f64> = tested.iter().map(|pair| pair.test.p).collect();
        tested.iter_mut().zip(holm(&raw)?).for_each(|(pair, adjusted)| pair.adjusted = adjusted);
        Ok(tested)
    }

    fn pair(&self, first: usize, second: usize) -> Result<Pair, StatsError> {
        let differences: Vec<f64> =
            self.blocks.iter().map(|line| settled(line[first] - line[second])).collect();
        let test = signed_rank(&differences)?;
        let difference = mean(&differences).ok_or(StatsError::NoSpread)?;
        Ok(Pair { first, second, differences, difference, test, adjusted: test.p })
    }

    /// All pairs, the later arm first, corrected as one family.
    pub fn all_pairs(&self) -> &[Pair] {
        &self.all
    }

    /// Whether the two arms differ after the correction over all pairs.
    pub fn significant(&self, one: usize, other: usize) -> bool {
        let wanted = (one.max(other), one.min(other));
        self.all.iter().any(|pair| (pair.first, pair.second) == wanted && pair.adjusted <= ALPHA)
    }

    /// Best and second of averages over the tested datasets, where the best is better than every other arm:
    /// each test alone must reject, so the largest p stands and needs no correction.
    pub fn mark(&self, averages: &[Option<f64>]) -> Option<Mark> {
        let mark = Mark::candidates(averages)?;
        let others = (0..averages.len()).filter(|arm| *arm != mark.best && averages[*arm].is_some());
        let better = |arm: usize| {
            self.pair(mark.best, arm).is_ok_and(|pair| pair.test.p <= ALPHA && pair.test.rank_biserial > 0.0)
        };
        others.into_iter().all(better).then_some(mark)
    }

    /// Arms by ascending mean rank, and the bars over them: maximal runs without a significant pair.
    pub fn ranking(&self) -> (Vec<usize>, Vec<(usize, usize)>) {
        let ranks = &self.friedman.mean_ranks;
        let mut order: Vec<usize> = (0..ranks.len()).collect();
        order.sort_by(|a, b| ranks[*a].total_cmp(&ranks[*b]));
        let bars = indistinct_runs(order.len(), |i, j| self.significant(order[i], order[j]));
        (order, bars)
    }

    /// The smallest p that Wilcoxon's test can have on this number of datasets: 2 / 2ⁿ.
    pub fn smallest_p(&self) -> f64 {
        2f64.powi(1 - i32::try_from(self.blocks.len()).unwrap_or(i32::MAX)).min(1.0)
    }
}

impl Pair {
    /// Datasets on which the first is better, equal, worse.
    pub fn counts(&self) -> [usize; 3] {
        [|d: f64| d > 0.0, |d: f64| d == 0.0, |d: f64| d < 0.0]
            .map(|keep| self.differences.iter().filter(|d| keep(**d)).count())
    }

    /// 95 % bootstrap-t interval of the mean difference over datasets; `None` below five, or without spread.
    pub fn over_datasets(&self) -> Option<Interval> {
        mean_interval(&self.differences, Resampling::default()).ok()
    }

    /// 95 % t interval of the mean difference over seeds, datasets kept: the average over datasets at every
    /// seed is one value, whatever seeds have in common across datasets. `None` where a dataset has other
    /// seeds than the rest (the interval would belong to another mean), below two seeds, or without spread.
    pub fn over_seeds(&self, grid: &Grid<'_>, shared: &[usize], quantity: Quantity) -> Option<Interval> {
        let of = |d: &usize| {
            let (a, b) = grid.cell(*d, self.first).zip(grid.cell(*d, self.second))?;
            Some(differences(&quantity.by_seed(a), &quantity.by_seed(b)))
        };
        let cells: Vec<Vec<(Option<u64>, f64)>> = shared.iter().map(of).collect::<Option<_>>()?;
        let seeds = |cell: &[(Option<u64>, f64)]| cell.iter().map(|(seed, _)| *seed).collect::<Vec<_>>();
        let first = seeds(cells.first()?);
        if first.iter().any(Option::is_none) || cells.iter().any(|cell| seeds(cell) != first) {
            return None;
        }
        let average = |s: usize| mean(&cells.iter().map(|cell| cell[s].1).collect::<Vec<_>>()).map(settled);
        let averages: Vec<f64> = (0..first.len()).map(average).collect::<Option<_>>()?;
        sample_std(&averages).filter(|spread| *spread > 0.0)?;
        t_interval(&averages, 0.95)
    }
}
