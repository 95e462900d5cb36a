//! The harmonic mean H of base and new accuracy, and its two averages, which are not the same number.
//!
//! Published tables mix them: some average rows are H of averages, others the average of H
//! (they differ by up to half a point on eleven datasets). Both are computed here under their own names.

use super::describe::mean;

/// H = 2·b·n / (b + n), in the unit of its arguments; 0 if both are 0 (the limit). `None` for a negative
/// or non-finite argument.
pub fn harmonic_mean(base: f64, new: f64) -> Option<f64> {
    if !(base.is_finite() && new.is_finite() && base >= 0.0 && new >= 0.0) {
        return None;
    }
    let sum = base + new;
    Some(if sum == 0.0 { 0.0 } else { 2.0 * base * new / sum })
}

/// How much H changes with base and with new accuracy: 2·n²/(b + n)² and 2·b²/(b + n)². H is their scalar
/// product with (b, n), so a mean of such products over seeds is the H of the means. (0, 0) where H is 0.
pub fn gradient(base: f64, new: f64) -> Option<(f64, f64)> {
    harmonic_mean(base, new)?;
    let sum = base + new;
    Some(if sum == 0.0 { (0.0, 0.0) } else { (2.0 * (new / sum).powi(2), 2.0 * (base / sum).powi(2)) })
}

/// Mean over pairs of each pair's H.
pub fn average_of_h(pairs: &[(f64, f64)]) -> Option<f64> {
    let each: Option<Vec<f64>> = pairs.iter().map(|&(base, new)| harmonic_mean(base, new)).collect();
    mean(&each?)
}

/// H of the mean base and the mean new accuracy.
pub fn h_of_averages(pairs: &[(f64, f64)]) -> Option<f64> {
    let (base, new): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    harmonic_mean(mean(&base)?, mean(&new)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_averages_differ_and_bound_each_other() {
        let pairs = [(90.0, 10.0), (50.0, 50.0)];
        assert_eq!(average_of_h(&pairs), Some(34.0));
        assert_eq!(h_of_averages(&pairs), Some(42.0));
    }

    #[test]
    fn the_gradient_is_that_of_h() {
        let (base, new) = (81.0, 62.5);
        let (by_base, by_new) = gradient(base, new).unwrap();
        let h = |b, n| harmonic_mean(b, n).unwrap();
        assert!((by_base * base + by_new * new - h(base, new)).abs() < 1e-12);
        assert!((by_base - (h(base + 1e-4, new) - h(base, new)) / 1e-4).abs() < 1e-5);
        assert!((by_new - (h(base, new + 1e-4) - h(base, new)) / 1e-4).abs() < 1e-5);
        assert_eq!((gradient(0.0, 0.0), gradient(-1.0, 2.0)), (Some((0.0, 0.0)), None));
    }

    #[test]
    fn degenerate_pairs() {
        assert_eq!(harmonic_mean(0.0, 0.0), Some(0.0));
        assert_eq!(harmonic_mean(-1.0, 2.0), None);
        assert_eq!(harmonic_mean(f64::NAN, 2.0), None);
        assert_eq!(average_of_h(&[]), None);
    }
}
