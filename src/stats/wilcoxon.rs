//! Wilcoxon's signed-rank test, exact over all sign flips, ties and zeros included.
//!
//! The usual tables are wrong with ties; here the distribution is built for the midranks at hand, so no
//! normal approximation is needed. Zeros follow Pratt: ranked with the others, then left out of the sums.

use super::error::{StatsError, check};
use super::ranks::doubled_midranks;

/// Largest number of differences the exact distribution is built for (200 take a few milliseconds).
pub const EXACT_LIMIT: usize = 200;

/// Result of the signed-rank test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignedRank {
    /// Number of differences, zeros included.
    pub n: usize,
    /// Number of zero differences.
    pub zeros: usize,
    /// Sum of the ranks of positive differences.
    pub w_plus: f64,
    /// Sum of the ranks of negative differences.
    pub w_minus: f64,
    /// Two-sided exact p: share of the 2^m sign patterns of the m non-zero differences whose
    /// `w_plus` is at least as far from its expectation; 1 when all are zero.
    pub p: f64,
    /// Matched-pairs rank-biserial correlation (W₊ − W₋) / (W₊ + W₋), in −1..=1; 0 when all are zero.
    pub rank_biserial: f64,
}

/// Tests whether the differences are symmetric about 0. They are rounded to 1e-9 first, so that
/// differences of equal accuracies are zeros and equal differences are ties whatever their last bits.
///
/// # Errors
/// Empty or non-finite input, or more than [`EXACT_LIMIT`] values.
pub fn signed_rank(differences: &[f64]) -> Result<SignedRank, StatsError> {
    check(differences, 1)?;
    if differences.len() > EXACT_LIMIT {
        return Err(StatsError::TooMany { limit: EXACT_LIMIT, got: differences.len() });
    }
    let rounded: Vec<f64> = differences.iter().map(|d| (d * 1e9).round()).collect();
    let magnitudes: Vec<f64> = rounded.iter().map(|d| d.abs()).collect();
    let ranks = doubled_midranks(&magnitudes)?;
    let sum_where = |keep: fn(f64) -> bool| -> u64 {
        rounded.iter().zip(&ranks).filter(|(d, _)| keep(**d)).map(|(_, rank)| rank).sum()
    };
    let (plus, minus) = (sum_where(|d| d > 0.0), sum_where(|d| d < 0.0));
    let signed: Vec<u64> =
        rounded.iter().zip(&ranks).filter(|(d, _)| **d != 0.0).map(|(_, &rank)| rank).collect();
    let total = plus + minus;
    Ok(SignedRank {
        n: differences.len(),
        zeros: differences.len() - signed.len(),
        w_plus: plus as f64 / 2.0,
        w_minus: minus as f64 / 2.0,
        p: two_sided(&signed, plus.min(minus)),
        rank_biserial: if total == 0 { 0.0 } else { (plus as f64 - minus as f64) / total as f64 },
    })
}

/// Twice P(sum of a random subset ≤ `smaller`), at most 1. The distribution is symmetric, so this is
/// the probability of being at least as far from the expectation.
fn two_sided(doubled_ranks: &[u64], smaller: u64) -> f64 {
    let total: u64 = doubled_ranks.iter().sum();
    let mut probability = vec![0.0; total as usize + 1];
    probability[0] = 1.0;
    let mut reached = 0;
    for &rank in doubled_ranks {
        let rank = rank as usize;
        reached += rank;
        for sum in (0..=reached).rev() {
            let with = if sum >= rank { probability[sum - rank] } else { 0.0 };
            probability[sum] = 0.5 * (probability[sum] + with);
        }
    }
    let tail: f64 = probability[..=smaller as usize].iter().sum();
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same p by walking all 2^n sign patterns.
    fn by_enumeration(differences: &[f64]) -> f64 {
        let magnitudes: Vec<f64> = differences.iter().map(|d| (d * 1e9).round().abs()).collect();
        let ranks = doubled_midranks(&magnitudes).unwrap();
        let kept: Vec<(u64, bool)> = (0..ranks.len())
            .filter(|&i| magnitudes[i] != 0.0)
            .map(|i| (ranks[i], differences[i] > 0.0))
            .collect();
        let total: i64 = kept.iter().map(|k| k.0 as i64).sum();
        let observed: i64 = kept.iter().filter(|k| k.1).map(|k| k.0 as i64).sum();
        let far = (2 * observed - total).abs();
        let patterns = 1u32 << kept.len();
        let count = (0..patterns)
            .filter(|bits| {
                let plus: i64 =
                    (0..kept.len()).filter(|i| bits >> i & 1 == 1).map(|i| kept[i].0 as i64).sum();
                (2 * plus - total).abs() >= far
            })
            .count();
        count as f64 / f64::from(patterns)
    }

    #[test]
    fn agrees_with_enumeration_with_ties_and_zeros() {
        let cases: [&[f64]; 5] = [
            &[1.0],
            &[1.0, -1.0, 2.0, 2.0, -3.0, 0.0, 4.5],
            &[0.3, 0.3, 0.3, -0.3, 0.0, 0.0, 0.1 + 0.2],
            &[5.0, 4.0, 3.0, 2.0, 1.0, -0.5, 0.25, 7.0, 8.0, -9.0, 10.0],
            &[-1.0, -2.0, -2.0, -4.0],
        ];
        for case in cases {
            let p = signed_rank(case).unwrap().p;
            assert!((p - by_enumeration(case)).abs() < 1e-14, "{case:?}: {p}");
        }
    }

    #[test]
    fn zeros_alone_decide_nothing() {
        let test = signed_rank(&[0.0, 1e-12, 0.0]).unwrap();
        assert_eq!((test.p, test.zeros, test.rank_biserial), (1.0, 3, 0.0));
        assert!(signed_rank(&[]).is_err() && signed_rank(&[f64::NAN]).is_err());
        assert!(signed_rank(&[1.0; EXACT_LIMIT + 1]).is_err());
    }
}
