//! Midranks and the Friedman test, with Iman and Davenport's F and a permutation p value.
//!
//! Rank 1 is the largest value, because the values are accuracies. Ties share the mean of their ranks.

use super::distributions::{chi_square_sf, f_sf};
use super::error::{StatsError, check};
use crate::util::rng::Stream;

/// Friedman's test over blocks (datasets) and treatments (methods).
#[derive(Clone, Debug, PartialEq)]
pub struct Friedman {
    /// Number of blocks.
    pub blocks: usize,
    /// Mean rank of each treatment, 1 = best.
    pub mean_ranks: Vec<f64>,
    /// Friedman's chi-square, corrected for ties.
    pub chi_square: f64,
    /// p of `chi_square` with k − 1 degrees of freedom.
    pub chi_square_p: f64,
    /// Iman and Davenport's F; infinite when all blocks agree on one order.
    pub f: f64,
    /// p of `f` with k − 1 and (k − 1)(n − 1) degrees of freedom.
    pub f_p: f64,
}

/// Ranks in ascending order of value, 1-based, ties sharing their mean rank. Finite values only.
///
/// # Errors
/// [`StatsError::NotFinite`].
pub fn midranks(values: &[f64]) -> Result<Vec<f64>, StatsError> {
    Ok(doubled_midranks(values)?.into_iter().map(|rank| rank as f64 / 2.0).collect())
}

/// Twice the midranks, which are whole numbers: sums of them compare exactly.
pub(super) fn doubled_midranks(values: &[f64]) -> Result<Vec<u64>, StatsError> {
    check(values, 0)?;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0; values.len()];
    let mut start = 0;
    while start < order.len() {
        // `==` and not total_cmp: −0 and 0 are a tie.
        let tied = order[start..].iter().take_while(|&&i| values[i] == values[order[start]]).count();
        for &index in &order[start..start + tied] {
            ranks[index] = (2 * start + tied + 1) as u64;
        }
        start += tied;
    }
    Ok(ranks)
}

/// Friedman's test. `blocks[i][j]` is the value of treatment j in block i; larger is better.
///
/// # Errors
/// Fewer than two blocks or treatments, ragged blocks, non-finite values, or all values tied within
/// every block ([`StatsError::NoSpread`]).
pub fn friedman(blocks: &[Vec<f64>]) -> Result<Friedman, StatsError> {
    let ranks = block_ranks(blocks)?;
    let (n, k) = (ranks.len() as f64, ranks[0].len() as f64);
    let sums = column_sums(&ranks);
    let mean_ranks: Vec<f64> = sums.iter().map(|&s| s as f64 / 2.0 / n).collect();
    // Q = (k − 1)·Σ(R_j − n(k + 1)/2)² / (Σ r² − n·k·(k + 1)²/4); with ties r² shrinks, and so does the
    // denominator: this is the usual tie correction.
    let center = n * (k + 1.0) / 2.0;
    let between: f64 = sums.iter().map(|&s| (s as f64 / 2.0 - center).powi(2)).sum();
    let squares: f64 = ranks.iter().flatten().map(|&r| (r as f64 / 2.0).powi(2)).sum();
    let within = squares - n * k * (k + 1.0).powi(2) / 4.0;
    if within <= 0.0 {
        return Err(StatsError::NoSpread);
    }
    let chi_square = (k - 1.0) * between / within;
    let rest = n * (k - 1.0) - chi_square;
    let f = if rest <= 1e-12 * n * k { f64::INFINITY } else { (n - 1.0) * chi_square / rest };
    Ok(Friedman {
        blocks: ranks.len(),
        mean_ranks,
        chi_square,
        chi_square_p: chi_square_sf(chi_square, k - 1.0),
        f,
        f_p: f_sf(f, k - 1.0, (k - 1.0) * (n - 1.0)),
    })
}

/// Permutation p of Friedman's statistic: the share, among `permutations` random relabellings of the
/// treatments within each block and the observed one, of statistics at least as large. The smallest
/// possible value is 1 / (permutations + 1).
///
/// # Errors
/// As [`friedman`], without the spread condition.
pub fn friedman_permutation_p(blocks: &[Vec<f64>], permutations: u64, seed: u64) -> Result<f64, StatsError> {
    let mut ranks = block_ranks(blocks)?;
    let observed = square_sum(&column_sums(&ranks));
    let mut stream = Stream::new(&["stats", "friedman", &seed.to_string()]);
    let mut sums = vec![0; ranks[0].len()];
    let mut at_least = 0_u64;
    for _ in 0..permutations {
        sums.fill(0);
        for block in &mut ranks {
            shuffle_from_one_word(block, &mut stream);
            sums.iter_mut().zip(block.iter()).for_each(|(sum, rank)| *sum += rank);
        }
        at_least += u64::from(square_sum(&sums) >= observed);
    }
    Ok((at_least + 1) as f64 / (permutations + 1) as f64)
}

/// Fisher–Yates with the digits of one random word where that is exact enough (bias below 2^−40 up to
/// ten treatments), because a million permutations of eleven blocks must take about a second.
fn shuffle_from_one_word(block: &mut [u64], stream: &mut Stream) {
    if block.len() > 10 {
        return stream.shuffle(block);
    }
    let mut word = stream.bits();
    for i in (1..block.len()).rev() {
        let base = i as u64 + 1;
        block.swap(i, (word % base) as usize);
        word /= base;
    }
}

/// Doubled midranks within each block, 2 = largest value.
fn block_ranks(blocks: &[Vec<f64>]) -> Result<Vec<Vec<u64>>, StatsError> {
    let treatments = blocks.first().map_or(0, Vec::len);
    if blocks.len() < 2 || treatments < 2 {
        return Err(StatsError::TooFew { needed: 2, got: blocks.len().min(treatments) });
    }
    let rank = |block: &Vec<f64>| {
        if block.len() != treatments {
            return Err(StatsError::LengthMismatch { left: treatments, right: block.len() });
        }
        let negated: Vec<f64> = block.iter().map(|v| -v).collect();
        doubled_midranks(&negated)
    };
    blocks.iter().map(rank).collect()
}

fn column_sums(ranks: &[Vec<u64>]) -> Vec<u64> {
    (0..ranks[0].len()).map(|j| ranks.iter().map(|block| block[j]).sum()).collect()
}

fn square_sum(sums: &[u64]) -> u64 {
    sums.iter().map(|s| s * s).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(midranks(&[2.0, 1.0, 2.0, 3.0]).unwrap(), vec![2.5, 1.0, 2.5, 4.0]);
        assert_eq!(midranks(&[-0.0, 0.0]).unwrap(), vec![1.5, 1.5]);
        assert_eq!(midranks(&[]).unwrap(), Vec::<f64>::new());
        assert!(midranks(&[f64::NAN]).is_err());
    }

    #[test]
    fn agreement_is_infinite_f_and_ties_everywhere_are_no_spread() {
        let agree = vec![vec![3.0, 2.0, 1.0]; 4];
        let test = friedman(&agree).unwrap();
        assert_eq!(test.mean_ranks, vec![1.0, 2.0, 3.0]);
        assert!(test.f.is_infinite() && test.f_p == 0.0);
        assert_eq!(friedman(&vec![vec![1.0; 3]; 4]), Err(StatsError::NoSpread));
        assert!(friedman(&[vec![1.0, 2.0]]).is_err());
        assert!(friedman(&[vec![1.0, 2.0], vec![1.0]]).is_err());
    }

    /// Two blocks of three treatments have 36 relabellings; the sampled p must approach the exact one.
    #[test]
    fn permutation_p_approaches_enumeration() {
        let blocks = vec![vec![3.0, 2.0, 1.0], vec![3.0, 1.0, 2.0]];
        // Statistic only depends on the relative order: of six, {same} ≥ and {one neighbour swap: 2}.
        // Observed column sums (2, 5, 5): 54; identical orders give (2, 4, 6): 56, swapping the last
        // two gives 54, swapping the first two (3, 3, 6): 54, the others less. So p = 3/6.
        let p = friedman_permutation_p(&blocks, 20_000, 1).unwrap();
        assert!((p - 0.5).abs() < 0.015, "{p}");
    }
}
