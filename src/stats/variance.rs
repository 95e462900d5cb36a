//! How much a method's accuracy varies over draws, and whether two methods vary differently.
//!
//! The chi-square interval assumes normal accuracies and is wide: with ten draws the upper end is about
//! seven times the lower. There is no bootstrap here: over ten draws a percentile interval of the variance that
//! says 95 % holds 77 %, over three 43 %.

use super::describe::{Interval, median, sample_variance};
use super::distributions::chi_square_quantile;
use super::error::{StatsError, check, check_confidence};
use super::paired::sign_flip_p;

/// Chi-square interval of the variance (squared unit of the values).
///
/// # Errors
/// Fewer than two values, non-finite values, or a confidence outside 0..1.
pub fn chi_square_interval(values: &[f64], confidence: f64) -> Result<Interval, StatsError> {
    check_confidence(confidence)?;
    let df = values.len().saturating_sub(1) as f64;
    let squares = df * variance(values)?;
    let tail = 0.5 * (1.0 - confidence);
    Ok(Interval {
        low: squares / chi_square_quantile(1.0 - tail, df),
        high: squares / chi_square_quantile(tail, df),
    })
}

/// p of "both vary alike" for paired draws (`first[i]` and `second[i]` share a draw): exact sign flips of
/// the differences in |x − median| (the paired form of the Brown–Forsythe idea).
///
/// # Errors
/// Different lengths, fewer than two values, non-finite values, or more than the sign-flip test's limit.
pub fn paired_spread_p(first: &[f64], second: &[f64]) -> Result<f64, StatsError> {
    if first.len() != second.len() {
        return Err(StatsError::LengthMismatch { left: first.len(), right: second.len() });
    }
    let (first, second) = (deviations(first)?, deviations(second)?);
    let differences: Vec<f64> = first.iter().zip(&second).map(|(a, b)| a - b).collect();
    sign_flip_p(&differences)
}

fn variance(values: &[f64]) -> Result<f64, StatsError> {
    check(values, 2)?;
    sample_variance(values).ok_or(StatsError::NoSpread)
}

fn deviations(values: &[f64]) -> Result<Vec<f64>, StatsError> {
    check(values, 2)?;
    let center = median(values).ok_or(StatsError::NoSpread)?;
    Ok(values.iter().map(|v| (v - center).abs()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_spread_is_not_rejected_and_unequal_is() {
        let narrow: Vec<f64> = (0..10).map(|i| 70.0 + 0.01 * f64::from(i)).collect();
        let wide: Vec<f64> = (0..10).map(|i| 70.0 + f64::from(i)).collect();
        assert_eq!(paired_spread_p(&wide, &wide).unwrap(), 1.0);
        assert_eq!(paired_spread_p(&wide, &narrow).unwrap(), 2.0 / 1024.0);
    }

    #[test]
    fn zero_variance_is_a_point_and_one_value_an_error() {
        let point = Interval { low: 0.0, high: 0.0 };
        assert_eq!(chi_square_interval(&[5.0; 4], 0.95).unwrap(), point);
        assert!(chi_square_interval(&[5.0], 0.95).is_err());
        assert!(paired_spread_p(&[1.0, 2.0], &[1.0]).is_err());
    }
}
