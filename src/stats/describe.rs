//! Location and spread of a handful of values: mean, sample standard deviation, t interval, box plot.
//!
//! Spread is always the sample kind (ddof 1): one value has no spread, which is `None`, not zero.
//!
//! ```
//! use rpo_bench::stats::describe::{mean, sample_std, t_interval};
//! let seeds = [72.0, 74.0, 73.0];
//! assert_eq!(mean(&seeds), Some(73.0));
//! assert_eq!(sample_std(&seeds), Some(1.0));
//! // At n = 3 the factor on s/√n is 4.30, not 1.96.
//! let interval = t_interval(&seeds, 0.95).unwrap();
//! assert!((interval.high - 73.0 - 4.3026527 / 3f64.sqrt()).abs() < 1e-6);
//! ```

use super::distributions::student_t_quantile;
use super::error::{check, check_confidence};

/// A closed interval, in the unit of the values it was computed from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What a box plot draws.
#[derive(Clone, Debug, PartialEq)]
pub struct FiveNumbers {
    /// Smallest value within 1.5 interquartile ranges below `q1` (Tukey).
    pub whisker_low: f64,
    /// First quartile (type 7).
    pub q1: f64,
    /// Median.
    pub median: f64,
    /// Third quartile (type 7).
    pub q3: f64,
    /// Largest value within 1.5 interquartile ranges above `q3` (Tukey).
    pub whisker_high: f64,
    /// Values beyond the whiskers, ascending.
    pub outliers: Vec<f64>,
}

/// Arithmetic mean; `None` when empty or not finite.
pub fn mean(values: &[f64]) -> Option<f64> {
    check(values, 1).ok()?;
    Some(values.iter().sum::<f64>() / values.len() as f64)
}

/// Sample variance (ddof 1); `None` below two values.
pub fn sample_variance(values: &[f64]) -> Option<f64> {
    check(values, 2).ok()?;
    // Equal values must give exactly zero: the mean of equal values may be off by a rounding.
    if values.iter().all(|v| v == &values[0]) {
        return Some(0.0);
    }
    let center = mean(values)?;
    let squares: f64 = values.iter().map(|v| (v - center) * (v - center)).sum();
    Some(squares / (values.len() - 1) as f64)
}

/// Sample standard deviation (ddof 1); `None` below two values.
pub fn sample_std(values: &[f64]) -> Option<f64> {
    sample_variance(values).map(f64::sqrt)
}

/// Two-sided Student-t interval of the mean; `None` below two values.
pub fn t_interval(values: &[f64], confidence: f64) -> Option<Interval> {
    check_confidence(confidence).ok()?;
    let (center, spread) = (mean(values)?, sample_std(values)?);
    let n = values.len() as f64;
    let half = student_t_quantile(0.5 + 0.5 * confidence, n - 1.0) * spread / n.sqrt();
    Some(Interval { low: center - half, high: center + half })
}

/// Quantile of ascending values by Hyndman and Fan's type 7: linear between order statistics at
/// position (n − 1)·p, the default of R and NumPy. `None` when empty, not finite, or p is outside 0..=1.
pub fn quantile_type7(sorted: &[f64], p: f64) -> Option<f64> {
    check(sorted, 1).ok()?;
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    let position = (sorted.len() - 1) as f64 * p;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let fraction = position - below as f64;
    Some(sorted[below] + (sorted[above] - sorted[below]) * fraction)
}

/// Median; `None` when empty or not finite.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile_type7(&ascending(values)?, 0.5)
}

/// Quartiles of type 7 with Tukey whiskers, which always end on a value of the data.
pub fn five_numbers(values: &[f64]) -> Option<FiveNumbers> {
    let sorted = ascending(values)?;
    let q1 = quantile_type7(&sorted, 0.25)?;
    let q3 = quantile_type7(&sorted, 0.75)?;
    let reach = 1.5 * (q3 - q1);
    let inside = |v: &&f64| (q1 - reach..=q3 + reach).contains(*v);
    // With few values every point inside the fences can lie above q1; the whisker then ends at the box.
    let whisker_low = sorted.iter().find(inside).map_or(q1, |v| v.min(q1));
    let whisker_high = sorted.iter().rfind(inside).map_or(q3, |v| v.max(q3));
    let outliers = sorted.iter().copied().filter(|v| *v < whisker_low || *v > whisker_high).collect();
    Some(FiveNumbers { whisker_low, q1, median: quantile_type7(&sorted, 0.5)?, q3, whisker_high, outliers })
}

fn ascending(values: &[f64]) -> Option<Vec<f64>> {
    check(values, 1).ok()?;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_nan_are_none() {
        for bad in [&[][..], &[f64::NAN, 1.0], &[1.0, f64::INFINITY]] {
            assert_eq!(mean(bad), None);
            assert_eq!(sample_std(bad), None);
            assert_eq!(five_numbers(bad), None);
        }
    }

    #[test]
    fn one_value_has_no_spread_and_equal_values_have_none() {
        assert_eq!(sample_std(&[3.0]), None);
        assert_eq!(t_interval(&[3.0], 0.95), None);
        assert_eq!(sample_std(&[0.1; 7]), Some(0.0));
        assert_eq!(t_interval(&[0.1, 0.1], 1.0), None);
    }

    #[test]
    fn whiskers_end_on_data_and_outliers_lie_beyond() {
        let box_plot = five_numbers(&[1.0, 2.0, 3.0, 4.0, 100.0]).unwrap();
        assert_eq!((box_plot.whisker_low, box_plot.whisker_high), (1.0, 4.0));
        assert_eq!(box_plot.outliers, vec![100.0]);
        assert_eq!((box_plot.q1, box_plot.median, box_plot.q3), (2.0, 3.0, 4.0));
    }
}
