//! Student's paired t test and Welch's t test for two independent samples.
//!
//! Zero spread is a [`StatsError::NoSpread`], not an infinite t: with equal values nothing is known
//! about the error.

use super::describe::{Interval, mean, sample_variance};
use super::distributions::{student_t_quantile, student_t_two_sided};
use super::error::{StatsError, check, check_confidence};

/// An estimated mean difference with its standard error and degrees of freedom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanDifference {
    /// Estimate, in the unit of the values.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom (Welch–Satterthwaite for independent samples: not a whole number).
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
}
