//! Percentile bootstrap intervals, seeded.
//!
//! What is resampled is the question being asked: datasets (would other datasets agree?) or seeds within
//! fixed datasets (would other seeds agree?). Images are resampled in [`super::image_bootstrap`].

use super::describe::{Interval, quantile_type7};
use super::error::{StatsError, check, check_confidence};
use crate::util::rng::Stream;

/// How many resamples are drawn, at which confidence, with which seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Number of resamples.
    pub resamples: u32,
    /// Confidence of the interval, in 0..1.
    pub confidence: f64,
    /// Seed of the resampling stream.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { resamples: 10_000, confidence: 0.95, seed: 1 }
    }
}

/// Interval of `statistic` over resamples of `values` with replacement.
///
/// # Errors
/// Empty or non-finite values, no resamples, or a confidence outside 0..1.
pub fn percentile(
    values: &[f64],
    plan: Plan,
    statistic: impl Fn(&[f64]) -> f64,
) -> Result<Interval, StatsError> {
    check(values, 1)?;
    let mut drawn = vec![0.0; values.len()];
    interval(plan, "values", |stream| {
        resample(values, &mut drawn, stream);
        statistic(&drawn)
    })
}

/// Interval of the mean difference, resampling datasets: `differences[i]` is one dataset's.
///
/// # Errors
/// As [`percentile`].
pub fn over_datasets(differences: &[f64], plan: Plan) -> Result<Interval, StatsError> {
    percentile(differences, plan, plain_mean)
}

/// Interval of the mean over datasets of each dataset's mean difference, resampling the seeds within
/// every dataset and keeping the datasets: `differences[i][s]` is dataset i's at its s-th seed.
///
/// # Errors
/// As [`percentile`], for any of the datasets.
pub fn over_seeds(differences: &[Vec<f64>], plan: Plan) -> Result<Interval, StatsError> {
    if differences.is_empty() {
        return Err(StatsError::TooFew { needed: 1, got: 0 });
    }
    differences.iter().try_for_each(|seeds| check(seeds, 1))?;
    let widest = differences.iter().map(Vec::len).max().unwrap_or(0);
    let mut drawn = vec![0.0; widest];
    interval(plan, "seeds", |stream| {
        let mut sum = 0.0;
        for seeds in differences {
            let drawn = &mut drawn[..seeds.len()];
            resample(seeds, drawn, stream);
            sum += plain_mean(drawn);
        }
        sum / differences.len() as f64
    })
}

fn interval(
    plan: Plan,
    purpose: &str,
    mut draw: impl FnMut(&mut Stream) -> f64,
) -> Result<Interval, StatsError> {
    check_confidence(plan.confidence)?;
    let mut stream = Stream::new(&["stats", "bootstrap", purpose, &plan.seed.to_string()]);
    let mut statistics: Vec<f64> = (0..plan.resamples).map(|_| draw(&mut stream)).collect();
    check(&statistics, 1)?;
    statistics.sort_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - plan.confidence);
    let end = |p| quantile_type7(&statistics, p).ok_or(StatsError::TooFew { needed: 1, got: 0 });
    Ok(Interval { low: end(tail)?, high: end(1.0 - tail)? })
}

fn resample(values: &[f64], drawn: &mut [f64], stream: &mut Stream) {
    for slot in drawn {
        *slot = values[stream.below(values.len() as u64) as usize];
    }
}

fn plain_mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan { resamples: 20_000, confidence: 0.9, seed: 3 };

    /// Four values have 256 equally likely resamples, so the drawn ends can be checked against the exact
    /// distribution of the mean (which is discrete: an end must straddle its tail probability).
    #[test]
    fn agrees_with_all_resamples() {
        let values = [0.0, 1.0, 4.0, 10.0];
        let means: Vec<f64> = (0..256usize)
            .map(|code| (0..4).map(|i| values[code >> (2 * i) & 3]).sum::<f64>() / 4.0)
            .collect();
        let share = |keep: &dyn Fn(f64) -> bool| {
            means.iter().filter(|m| keep(**m)).count() as f64 / means.len() as f64
        };
        let drawn = over_datasets(&values, PLAN).unwrap();
        assert!(share(&|m| m < drawn.low) < 0.06 && share(&|m| m <= drawn.low) > 0.04, "{drawn:?}");
        assert!(share(&|m| m > drawn.high) < 0.06 && share(&|m| m >= drawn.high) > 0.04, "{drawn:?}");
    }

    #[test]
    fn one_value_and_no_variance_give_a_point() {
        let point = Interval { low: 2.0, high: 2.0 };
        assert_eq!(over_datasets(&[2.0], PLAN).unwrap(), point);
        assert_eq!(over_seeds(&[vec![1.0, 1.0], vec![3.0]], PLAN).unwrap(), point);
    }

    #[test]
    fn bad_input_is_an_error() {
        assert!(over_datasets(&[], PLAN).is_err());
        assert!(over_seeds(&[vec![1.0], vec![]], PLAN).is_err());
        assert!(over_datasets(&[1.0], Plan { resamples: 0, ..PLAN }).is_err());
        assert!(over_datasets(&[1.0], Plan { confidence: 1.0, ..PLAN }).is_err());
    }

    #[test]
    fn the_seed_decides() {
        let values = [1.0, 2.0, 5.0, 9.0];
        assert_eq!(over_datasets(&values, PLAN), over_datasets(&values, PLAN));
        let other = Plan { seed: 4, resamples: 50, ..PLAN };
        assert_ne!(over_datasets(&values, Plan { seed: 5, ..other }), over_datasets(&values, other));
    }
}
