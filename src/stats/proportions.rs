//! Sampling error of an accuracy: the Wilson score interval of `correct / total`.
//!
//! This is the error of a finite test set, not of seeds; reports show the two in separate columns.

use super::describe::Interval;
use super::distributions::normal_quantile;
use super::error::check_confidence;

/// Wilson's interval for a proportion, in 0..=1 (not percent). It stays inside 0..=1 and has a
/// positive width even at 0 or `total` correct. `None` if `total` is 0, `correct` exceeds it, or
/// `confidence` is outside 0..1.
///
/// ```
/// use rpo_bench::stats::proportions::wilson;
/// let interval = wilson(100, 100, 0.95).unwrap();
/// assert!(interval.low > 0.96 && interval.high == 1.0);
/// ```
pub fn wilson(correct: u64, total: u64, confidence: f64) -> Option<Interval> {
    check_confidence(confidence).ok()?;
    if total == 0 || correct > total {
        return None;
    }
    let n = total as f64;
    let p = correct as f64 / n;
    let z = normal_quantile(0.5 + 0.5 * confidence);
    let scale = 1.0 + z * z / n;
    let center = (p + z * z / (2.0 * n)) / scale;
    let half = z / scale * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let low = if correct == 0 { 0.0 } else { (center - half).max(0.0) };
    let high = if correct == total { 1.0 } else { (center + half).min(1.0) };
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn impossible_counts_are_none() {
        assert_eq!(wilson(0, 0, 0.95), None);
        assert_eq!(wilson(2, 1, 0.95), None);
        assert_eq!(wilson(1, 2, f64::NAN), None);
    }

    #[test]
    fn ends_are_closed_at_none_and_all_correct() {
        assert_eq!(wilson(0, 9, 0.95).unwrap().low, 0.0);
        assert_eq!(wilson(9, 9, 0.95).unwrap().high, 1.0);
    }
}
