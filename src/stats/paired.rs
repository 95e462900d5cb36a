//! Exact tests on pairs: sign flips of a mean difference, and McNemar's test on images.
//!
//! With three seeds the smallest two-sided sign-flip p is 2/8: no number of images makes up for few seeds.

use super::distributions::fair_binomial_cdf;
use super::error::{StatsError, check};

/// Largest number of differences whose sign patterns are enumerated (2^24 sums).
pub const ENUMERATION_LIMIT: usize = 24;

/// Two-sided exact p of the mean difference under sign flips: the share of the 2^n patterns whose
/// |sum| is at least the observed one. Differences count in whole units of 1e-9, so sums compare exactly.
///
/// # Errors
/// Empty or non-finite input, more than [`ENUMERATION_LIMIT`] values, or magnitudes above 1e6.
///
/// ```
/// use rpo_bench::stats::paired::sign_flip_p;
/// assert_eq!(sign_flip_p(&[1.0, 2.0, 0.5]).unwrap(), 0.25);
/// ```
pub fn sign_flip_p(differences: &[f64]) -> Result<f64, StatsError> {
    check(differences, 1)?;
    if differences.len() > ENUMERATION_LIMIT {
        return Err(StatsError::TooMany { limit: ENUMERATION_LIMIT, got: differences.len() });
    }
    let units = differences.iter().map(|&d| whole_units(d)).collect::<Result<Vec<i64>, _>>()?;
    let observed = units.iter().sum::<i64>().abs();
    // A Gray code changes one sign a step, so each pattern costs one addition.
    let mut sum: i64 = units.iter().map(|u| u.abs()).sum();
    let mut signs: Vec<i64> = units.iter().map(|u| u.abs()).collect();
    let patterns = 1_u64 << units.len();
    let mut at_least = u64::from(sum >= observed);
    for step in 1..patterns {
        let flipped = &mut signs[step.trailing_zeros() as usize];
        sum -= 2 * *flipped;
        *flipped = -*flipped;
        at_least += u64::from(sum.abs() >= observed);
    }
    Ok(at_least as f64 / patterns as f64)
}

fn whole_units(difference: f64) -> Result<i64, StatsError> {
    if difference.abs() > 1e6 {
        return Err(StatsError::BadArgument {
            name: "difference",
            value: difference,
            expected: "at most a million in magnitude",
        });
    }
    Ok((difference * 1e9).round() as i64)
}

/// McNemar's exact test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemar {
    /// Images the first method alone gets right.
    pub only_first: u64,
    /// Images the second method alone gets right.
    pub only_second: u64,
    /// Two-sided exact binomial p; 1 without a discordant image.
    pub p: f64,
}

/// McNemar's exact test on per-image correctness, `first[i]` and `second[i]` being the same image.
///
/// # Errors
/// [`StatsError::LengthMismatch`], or [`StatsError::TooFew`] without images.
pub fn mcnemar(first: &[bool], second: &[bool]) -> Result<McNemar, StatsError> {
    if first.len() != second.len() {
        return Err(StatsError::LengthMismatch { left: first.len(), right: second.len() });
    }
    if first.is_empty() {
        return Err(StatsError::TooFew { needed: 1, got: 0 });
    }
    let count =
        |wanted: (bool, bool)| first.iter().zip(second).filter(|(a, b)| (**a, **b) == wanted).count() as u64;
    Ok(mcnemar_counts(count((true, false)), count((false, true))))
}

/// McNemar's exact test from the two discordant counts.
pub fn mcnemar_counts(only_first: u64, only_second: u64) -> McNemar {
    let tail = fair_binomial_cdf(only_first.min(only_second), only_first + only_second);
    McNemar { only_first, only_second, p: (2.0 * tail).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_flips_agree_with_a_direct_walk() {
        let differences: [f64; 7] = [0.3, -0.1, 0.3, 2.0, 0.0, -0.7, 1.1];
        let observed: f64 = differences.iter().sum::<f64>();
        let count = (0..1u32 << 7)
            .filter(|bits| {
                let sum: f64 = differences
                    .iter()
                    .enumerate()
                    .map(|(i, d)| if bits >> i & 1 == 1 { -d } else { *d })
                    .sum();
                sum.abs() >= observed.abs() - 1e-10
            })
            .count();
        assert_eq!(sign_flip_p(&differences).unwrap(), count as f64 / 128.0);
    }

    #[test]
    fn sign_flip_edges() {
        assert_eq!(sign_flip_p(&[0.0, 0.0]).unwrap(), 1.0);
        assert_eq!(sign_flip_p(&[1.0]).unwrap(), 1.0);
        assert!(sign_flip_p(&[]).is_err() && sign_flip_p(&[f64::NAN]).is_err());
        assert!(sign_flip_p(&[1e7]).is_err() && sign_flip_p(&[1.0; 25]).is_err());
    }

    #[test]
    fn mcnemar_edges() {
        assert_eq!(mcnemar(&[true, false], &[true, false]).unwrap().p, 1.0);
        assert!((mcnemar_counts(0, 5).p - 0.0625).abs() < 1e-14);
        assert!(mcnemar(&[], &[]).is_err() && mcnemar(&[true], &[]).is_err());
    }
}
