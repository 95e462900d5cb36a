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
    if total == 0 || correct > total {
        return None;
    }
    wilson_at(correct as f64 / total as f64, total as f64, confidence)
}

/// Wilson's interval at the share `p` of `n` images, where `p` need not be a count over `n`: a mean over seeds
/// that saw the same images. `None` unless 0 ≤ p ≤ 1, n > 0 and 0 < `confidence` < 1.
pub fn wilson_at(p: f64, n: f64, confidence: f64) -> Option<Interval> {
    check_confidence(confidence).ok()?;
    if !((0.0..=1.0).contains(&p) && n > 0.0 && n.is_finite()) {
        return None;
    }
    let z = normal_quantile(0.5 + 0.5 * confidence);
    let scale = 1.0 + z * z / n;
    let center = (p + z * z / (2.0 * n)) / scale;
    let half = z / scale * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let low = if p == 0.0 { 0.0 } else { (center - half).max(0.0) };
    let high = if p == 1.0 { 1.0 } else { (center + half).min(1.0) };
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::{wilson, wilson_at};

    #[test]
    fn impossible_counts_are_none() {
        assert_eq!(wilson(0, 0, 0.95), None);
        assert_eq!(wilson(2, 1, 0.95), None);
        assert_eq!(wilson(1, 2, f64::NAN), None);
        assert_eq!(wilson_at(1.01, 10.0, 0.95), None);
        assert_eq!(wilson_at(f64::NAN, 10.0, 0.95), None);
        assert_eq!(wilson_at(0.5, 0.0, 0.95), None);
    }

    /// 80.5 of 100 lies between 80 and 81, not at either.
    #[test]
    fn a_mean_between_two_counts_is_taken_as_it_is() {
        let ends = [0.80, 0.805, 0.81].map(|p| wilson_at(p, 100.0, 0.95).unwrap().low);
        assert!(ends[0] < ends[1] && ends[1] < ends[2], "{ends:?}");
        assert_eq!(Some(ends[2]), wilson(81, 100, 0.95).map(|i| i.low));
    }

    #[test]
    fn ends_are_closed_at_none_and_all_correct() {
        assert_eq!(wilson(0, 9, 0.95).unwrap().low, 0.0);
        assert_eq!(wilson(9, 9, 0.95).unwrap().high, 1.0);
    }
}
