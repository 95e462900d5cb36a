//! Student's paired t test and Welch's t test for two independent samples.
//!
//! Zero spread is a [`StatsError::NoSpread`], not an infinite t: with equal values nothing is known
//! about the error.

use super::describe::{Interval, mean, sample_variance};
use super::distributions::{student_t_quantile, student_t_two_sided};
use super::error::{StatsError, check, check_confidence};

/// Right ones among test images: a mean over seeds that saw the same images need not be a whole number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageCount {
    /// Right ones.
    pub correct: f64,
    /// Images, each counted once.
    pub total: f64,
}

impl ImageCount {
    /// From counts summed over `runs` that saw the same images.
    pub fn averaged(correct: u64, total: u64, runs: usize) -> Self {
        let runs = runs.max(1) as f64;
        Self { correct: correct as f64 / runs, total: total as f64 / runs }
    }
}

/// An estimated mean difference with its standard error and degrees of freedom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanDifference {
    /// Estimate, in the unit of the values.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom (Welch–Satterthwaite for independent samples: not a whole number; infinite for counts
    /// of images).
    pub df: f64,
}

impl MeanDifference {
    /// From paired differences.
    ///
    /// # Errors
    /// Fewer than two values, non-finite values, or no spread.
    pub fn paired(differences: &[f64]) -> Result<Self, StatsError> {
        check(differences, 2)?;
        let n = differences.len() as f64;
        let estimate = mean(differences).ok_or(StatsError::NoSpread)?;
        let variance = sample_variance(differences).ok_or(StatsError::NoSpread)?;
        Self::with_spread(estimate, (variance / n).sqrt(), n - 1.0)
    }

    /// From two independent samples of unequal variance: mean of `first` − mean of `second`.
    ///
    /// # Errors
    /// Fewer than two values in either, non-finite values, or no spread in both.
    pub fn welch(first: &[f64], second: &[f64]) -> Result<Self, StatsError> {
        let share = |values: &[f64]| {
            check(values, 2)?;
            let variance = sample_variance(values).ok_or(StatsError::NoSpread)?;
            let center = mean(values).ok_or(StatsError::NoSpread)?;
            Ok::<_, StatsError>((center, variance / values.len() as f64, values.len() as f64 - 1.0))
        };
        let (mean_1, share_1, df_1) = share(first)?;
        let (mean_2, share_2, df_2) = share(second)?;
        let sum = share_1 + share_2;
        let df = sum * sum / (share_1 * share_1 / df_1 + share_2 * share_2 / df_2);
        Self::with_spread(mean_1 - mean_2, sum.sqrt(), df)
    }

    /// From the counts of two test sets, or of one test set twice with unknown agreement, image by image: the
    /// images' own error, as if the two sets were independent, which for one set twice is an upper bound. One
    /// right and one wrong image are added to each side, so that none has an error of 0 (Agresti and Caffo 2000).
    ///
    /// # Errors
    /// [`StatsError::TooFew`] without images, [`StatsError::BadArgument`] for more right ones than there are.
    pub fn of_images(first: ImageCount, second: ImageCount) -> Result<Self, StatsError> {
        let share = |count: ImageCount| {
            if count.total < 1.0 {
                return Err(StatsError::TooFew { needed: 1, got: 0 });
            }
            if !(0.0..=count.total).contains(&count.correct) {
                let expected = "from 0 to the number of images";
                return Err(StatsError::BadArgument { name: "correct", value: count.correct, expected });
            }
            let (n, p) = (count.total + 2.0, (count.correct + 1.0) / (count.total + 2.0));
            Ok(p * (1.0 - p) / n)
        };
        let variance = share(first)? + share(second)?;
        let difference = first.correct / first.total - second.correct / second.total;
        Self::with_spread(100.0 * difference, 100.0 * variance.sqrt(), f64::INFINITY)
    }

    fn with_spread(difference: f64, standard_error: f64, df: f64) -> Result<Self, StatsError> {
        if standard_error > 0.0 {
            Ok(Self { difference, standard_error, df })
        } else {
            Err(StatsError::NoSpread)
        }
    }

    /// The t statistic against a difference of 0.
    pub fn t(&self) -> f64 {
        self.difference / self.standard_error
    }

    /// Two-sided p against a difference of 0.
    pub fn p(&self) -> f64 {
        student_t_two_sided(self.t(), self.df)
    }

    /// Two-sided interval of the difference.
    ///
    /// # Errors
    /// `confidence` outside 0..1.
    pub fn interval(&self, confidence: f64) -> Result<Interval, StatsError> {
        check_confidence(confidence)?;
        let half = student_t_quantile(0.5 + 0.5 * confidence, self.df) * self.standard_error;
        Ok(Interval { low: self.difference - half, high: self.difference + half })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spread_is_said() {
        assert_eq!(MeanDifference::paired(&[1.0, 1.0]), Err(StatsError::NoSpread));
        assert_eq!(MeanDifference::welch(&[1.0, 1.0], &[2.0, 2.0]), Err(StatsError::NoSpread));
        assert!(MeanDifference::welch(&[1.0, 1.0], &[2.0, 3.0]).is_ok());
        assert!(MeanDifference::paired(&[1.0]).is_err());
    }

    /// 812 and 800 of 1 000: the error of the difference is 1.77 points, z is 0.68.
    #[test]
    fn counts_of_images_have_their_own_error() {
        let count = |correct: f64| ImageCount { correct, total: 1_000.0 };
        let estimate = MeanDifference::of_images(count(812.0), count(800.0)).unwrap();
        assert!((estimate.difference - 1.2).abs() < 1e-9 && (estimate.standard_error - 1.77).abs() < 0.01);
        assert!((estimate.p() - 0.498).abs() < 0.002, "{}", estimate.p());
        let interval = estimate.interval(0.95).unwrap();
        assert!((interval.high - 1.2 - 1.959_96 * estimate.standard_error).abs() < 1e-4);
        assert!(MeanDifference::of_images(count(0.0), count(0.0)).unwrap().standard_error > 0.0);
        assert!(MeanDifference::of_images(count(1_001.0), count(0.0)).is_err());
        assert!(MeanDifference::of_images(ImageCount { correct: 0.0, total: 0.0 }, count(0.0)).is_err());
    }
}
