//! Paired bootstrap over test images: two methods on the same images, correctness averaged over seeds.
//!
//! The unit is the image, so this is sampling error at the seeds that were run; it says nothing about other
//! seeds.

use super::bootstrap::Plan;
use super::describe::{Interval, quantile_type7};
use super::error::{StatsError, check, check_confidence};
use super::harmonic::harmonic_mean;
use crate::util::rng::Stream;

/// A percentile interval of a difference and the p of "no difference" from the same resamples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resampled {
    /// Interval of first − second, in the unit of the statistic (accuracies in 0..=1).
    pub interval: Interval,
    /// Twice the smaller share of resamples at or beyond 0, counting the observation as one more
    /// resample; at most 1. The smallest possible value is 2 / (resamples + 1).
    pub p: f64,
}

/// Two methods on one set of images: `first[i]` and `second[i]` are image i's correctness in 0..=1.
#[derive(Clone, Copy, Debug)]
pub struct Paired<'a> {
    /// Correctness under the first method.
    pub first: &'a [f64],
    /// Correctness under the second method.
    pub second: &'a [f64],
}

impl Paired<'_> {
    fn check(&self) -> Result<(), StatsError> {
        if self.first.len() != self.second.len() {
            return Err(StatsError::LengthMismatch { left: self.first.len(), right: self.second.len() });
        }
        check(self.first, 1).and_then(|()| check(self.second, 1))
    }

    /// Mean correctness of both methods on one resample of the images.
    fn resample(&self, stream: &mut Stream) -> (f64, f64) {
        let n = self.first.len();
        let sum = (0..n).fold((0.0, 0.0), |sum, _| {
            let image = stream.below(n as u64) as usize;
            (sum.0 + self.first[image], sum.1 + self.second[image])
        });
        (sum.0 / n as f64, sum.1 / n as f64)
    }
}

/// Difference of the accuracies.
///
/// # Errors
/// [`StatsError`]: different or no lengths, values that are not finite, no resamples, a confidence outside
/// 0..1.
pub fn over_images(images: Paired<'_>, plan: Plan) -> Result<Resampled, StatsError> {
    images.check()?;
    resampled(plan, "images", |stream| {
        let (first, second) = images.resample(stream);
        first - second
    })
}

/// Difference of the harmonic means of base and new accuracy, resampling the images of both halves.
///
/// # Errors
/// As [`over_images`], for either half.
pub fn h_over_images(base: Paired<'_>, new: Paired<'_>, plan: Plan) -> Result<Resampled, StatsError> {
    base.check()?;
    new.check()?;
    let h = |base: f64, new: f64| harmonic_mean(base, new).unwrap_or(0.0);
    resampled(plan, "images of both halves", |stream| {
        let (base, new) = (base.resample(stream), new.resample(stream));
        h(base.0, new.0) - h(base.1, new.1)
    })
}

fn resampled(
    plan: Plan,
    purpose: &str,
    mut draw: impl FnMut(&mut Stream) -> f64,
) -> Result<Resampled, StatsError> {
    check_confidence(plan.confidence)?;
    let mut stream = Stream::new(&["stats", "bootstrap", purpose, &plan.seed.to_string()]);
    // Rounded, so that sums of equal images in another order are equal, and no difference is exactly 0.
    let mut drawn: Vec<f64> =
        (0..plan.resamples).map(|_| (draw(&mut stream) * 1e12).round() / 1e12).collect();
    check(&drawn, 1)?;
    drawn.sort_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - plan.confidence);
    let end = |p| quantile_type7(&drawn, p).ok_or(StatsError::TooFew { needed: 1, got: 0 });
    let share = |count: usize| (count + 1) as f64 / (drawn.len() + 1) as f64;
    let (low, high) =
        (drawn.iter().filter(|d| **d <= 0.0).count(), drawn.iter().filter(|d| **d >= 0.0).count());
    Ok(Resampled {
        interval: Interval { low: end(tail)?, high: end(1.0 - tail)? },
        p: (2.0 * share(low).min(share(high))).min(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan { resamples: 20_000, confidence: 0.9, seed: 3 };

    /// Four images have 256 equally likely resamples: interval ends and p against all of them.
    #[test]
    fn agrees_with_all_resamples() {
        let (first, second) = ([1.0, 1.0, 2.0 / 3.0, 0.0], [0.0, 1.0, 1.0 / 3.0, 1.0 / 3.0]);
        let drawn = over_images(Paired { first: &first, second: &second }, PLAN).unwrap();
        let differences: Vec<f64> = (0..256usize)
            .map(|code| (0..4).map(|i| code >> (2 * i) & 3).map(|i| first[i] - second[i]).sum::<f64>() / 4.0)
            .map(|d| (d * 1e12).round() / 1e12)
            .collect();
        let share = |keep: &dyn Fn(f64) -> bool| {
            differences.iter().filter(|d| keep(**d)).count() as f64 / differences.len() as f64
        };
        let exact = 2.0 * share(&|d| d <= 0.0).min(share(&|d| d >= 0.0));
        assert!((drawn.p - exact).abs() < 0.01, "{} {exact}", drawn.p);
        let Interval { low, high } = drawn.interval;
        assert!(share(&|d| d < low) < 0.06 && share(&|d| d <= low) > 0.04, "{drawn:?}");
        assert!(share(&|d| d > high) < 0.06 && share(&|d| d >= high) > 0.04, "{drawn:?}");
    }

    #[test]
    fn equal_methods_do_not_differ_and_opposite_ones_do() {
        let (all, none) = (vec![1.0; 50], vec![0.0; 50]);
        let point = |value| Interval { low: value, high: value };
        let same = over_images(Paired { first: &all, second: &all }, PLAN).unwrap();
        assert_eq!((same.interval, same.p), (point(0.0), 1.0));
        let other = over_images(Paired { first: &none, second: &all }, PLAN).unwrap();
        assert_eq!((other.interval, other.p), (point(-1.0), 2.0 / 20_001.0));
        let halves = Paired { first: &all, second: &none };
        assert_eq!(h_over_images(halves, halves, PLAN).unwrap().interval, point(1.0));
    }

    #[test]
    fn bad_input_is_an_error() {
        let nothing = Paired { first: &[], second: &[] };
        let uneven = Paired { first: &[1.0], second: &[] };
        let fine = Paired { first: &[1.0], second: &[0.5] };
        assert!(over_images(nothing, PLAN).is_err() && over_images(uneven, PLAN).is_err());
        assert!(h_over_images(fine, nothing, PLAN).is_err() && h_over_images(nothing, fine, PLAN).is_err());
        assert!(over_images(fine, Plan { resamples: 0, ..PLAN }).is_err());
        assert!(over_images(fine, Plan { confidence: 1.0, ..PLAN }).is_err());
    }
}
