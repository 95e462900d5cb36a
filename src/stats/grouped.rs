//! A statistic that is no mean (an expected calibration error, a worst class) over seeds and images: a weighted sum of
//! such statistics with both kinds of error.
//!
//! Every seed sees the same images. The error from seeds is that of a mean over seeds. The error from images is the
//! jackknife's over groups: with θ₍g₎ the mean over seeds without the images of group g, G groups,
//! (G − 1)/G · Σ_g (θ₍g₎ − θ̄)². Leaving out groups, not single images, is what makes it hold for statistics with
//! corners (Shao and Wu 1989). Both are combined as in [`super::crossed`]: half the interval is
//! √(t²·v_seeds + t²·v_images), each with the quantile of its own degrees of freedom. What seed and image have in
//! common counts in both, which is on the safe side.

use super::describe::{Interval, mean, sample_variance};
use super::distributions::student_t_quantile;
use super::error::{StatsError, check, check_confidence};
use super::settled::settled;

/// One term: a statistic of one set of images under every seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// What it counts in the sum.
    pub weight: f64,
    /// Its value by seed.
    pub values: Vec<f64>,
    /// Mean over seeds of its value without each group of images; no error of images is made of any but that.
    pub without: Vec<f64>,
}

/// A weighted sum with its two kinds of error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupedEstimate {
    /// The sum of the means over seeds.
    pub value: f64,
    /// Squared standard error from the choice of seeds; 0 where nothing is drawn.
    pub seed_variance: f64,
    /// Squared standard error from the choice of images.
    pub image_variance: f64,
    /// Degrees of freedom of `seed_variance`; 0 where nothing is drawn.
    pub seed_df: f64,
    /// Degrees of freedom of `image_variance`: groups less one, of the term with the fewest.
    pub image_df: f64,
}

impl GroupedEstimate {
    /// Sums terms over the same seeds in the same order. Images of different terms are different ones. `drawn` says
    /// whether seeds are a sample; where nothing is drawn, a single row stands for itself.
    ///
    /// # Errors
    /// [`StatsError::TooFew`] without a term, below two groups or, with `drawn`, below two seeds;
    /// [`StatsError::LengthMismatch`] where seeds or groups differ in number; [`StatsError::NotFinite`].
    pub fn of(terms: &[Term], drawn: bool) -> Result<Self, StatsError> {
        let seeds = terms.first().map_or(0, |term| term.values.len());
        let needed = if drawn { 2 } else { 1 };
        if seeds < needed {
            return Err(StatsError::TooFew { needed, got: seeds });
        }
        let mut by_seed = vec![0.0; seeds];
        let (mut image_variance, mut image_df) = (0.0, f64::INFINITY);
        for term in terms {
            term.check(seeds)?;
            let groups = term.without.len() as f64;
            let spread = sample_variance(&term.without).unwrap_or(0.0);
            // (G − 1)/G · Σ (…)² is (G − 1)²/G times the sample variance.
            image_variance += term.weight.powi(2) * spread * (groups - 1.0).powi(2) / groups;
            image_df = image_df.min(groups - 1.0);
            by_seed.iter_mut().zip(&term.values).for_each(|(sum, value)| *sum += term.weight * value);
        }
        let value = mean(&by_seed).ok_or(StatsError::NoSpread)?;
        let settled: Vec<f64> = by_seed.iter().map(|value| settled(*value)).collect();
        let (seed_variance, seed_df) = match sample_variance(&settled) {
            Some(variance) if drawn => (variance / seeds as f64, seeds as f64 - 1.0),
            _ => (0.0, 0.0),
        };
        Ok(Self { value, seed_variance, image_variance, seed_df, image_df })
    }

    /// Two-sided interval.
    ///
    /// # Errors
    /// A confidence outside 0..1; [`StatsError::NoSpread`] where neither seeds nor images move the statistic, which
    /// says that the sample is too small to show its error, not that there is none.
    pub fn interval(&self, confidence: f64) -> Result<Interval, StatsError> {
        check_confidence(confidence)?;
        let upper = 0.5 + 0.5 * confidence;
        let part = |variance: f64, df: f64| match variance > 0.0 {
            true => student_t_quantile(upper, df).powi(2) * variance,
            false => 0.0,
        };
        let half = (part(self.seed_variance, self.seed_df) + part(self.image_variance, self.image_df)).sqrt();
        if half == 0.0 {
            return Err(StatsError::NoSpread);
        }
        Ok(Interval { low: self.value - half, high: self.value + half })
    }
}

impl Term {
    /// A term of weight 1 from its values by seed and, by seed, its values without each group of images. Where seeds or
    /// groups differ in number there is no mean over seeds, and the term is one without groups.
    pub fn over_seeds(values: Vec<f64>, by_seed: &[Vec<f64>]) -> Self {
        let groups = by_seed.first().map_or(0, Vec::len);
        let fit = by_seed.len() == values.len() && by_seed.iter().all(|row| row.len() == groups);
        let of = |group: usize| by_seed.iter().map(|row| row[group]).sum::<f64>() / by_seed.len() as f64;
        let without = if fit { (0..groups).map(of).collect() } else { Vec::new() };
        Self { weight: 1.0, values, without }
    }

    fn check(&self, seeds: usize) -> Result<(), StatsError> {
        if self.values.len() != seeds {
            return Err(StatsError::LengthMismatch { left: seeds, right: self.values.len() });
        }
        check(&self.values, 1)?;
        check(&self.without, 2)
    }

    /// This term less another one on the same images, at the same seeds; a single value of the other one, which draws
    /// nothing, is taken from every seed. `None` for another number of seeds or groups.
    pub fn minus(&self, other: &Self) -> Option<Self> {
        let row = |seed: usize| if other.values.len() == 1 { 0 } else { seed };
        let same_seeds = other.values.len() == 1 || other.values.len() == self.values.len();
        (same_seeds && other.without.len() == self.without.len()).then(|| Self {
            weight: self.weight,
            values: self.values.iter().enumerate().map(|(s, v)| v - other.values[row(s)]).collect(),
            without: self.without.iter().zip(&other.without).map(|(a, b)| a - b).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(values: &[f64], without: &[&[f64]]) -> Term {
        Term::over_seeds(values.to_vec(), &without.iter().map(|row| row.to_vec()).collect::<Vec<_>>())
    }

    /// Of a mean over images, leaving out one image a group, the jackknife is the usual error of a mean.
    #[test]
    fn a_mean_has_its_usual_error() {
        let images = [0.0, 1.0, 1.0, 4.0];
        let without: Vec<f64> = images.iter().map(|x| (6.0 - x) / 3.0).collect();
        let found = GroupedEstimate::of(&[term(&[1.5], &[&without])], false).unwrap();
        assert!((found.image_variance - sample_variance(&images).unwrap() / 4.0).abs() < 1e-12);
        assert_eq!((found.value, found.seed_variance, found.image_df), (1.5, 0.0, 3.0));
        let ends = found.interval(0.95).unwrap();
        let half = student_t_quantile(0.975, 3.0) * found.image_variance.sqrt();
        assert!((ends.high - 1.5 - half).abs() < 1e-12 && (1.5 - ends.low - half).abs() < 1e-12);
    }

    /// Two seeds, two terms of weight one half: sums written out.
    #[test]
    fn weights_seeds_and_differences_by_hand() {
        let first = term(&[1.0, 3.0], &[&[0.9, 1.1], &[2.9, 3.3]]);
        let second = term(&[2.0], &[&[2.0, 2.2]]);
        let less = first.minus(&second).unwrap();
        assert_eq!(less.values, [-1.0, 1.0]);
        let half = |term: &Term| Term { weight: 0.5, ..term.clone() };
        let found = GroupedEstimate::of(&[half(&first), half(&less)], true).unwrap();
        // By seed 0.5·1 − 0.5·1 = 0 and 0.5·3 + 0.5·1 = 2.
        assert!((found.value - 1.0).abs() < 1e-12);
        assert!((found.seed_variance - 2.0 / 2.0).abs() < 1e-12);
        // Means over seeds without a group: 1.9, 2.2 and −0.1, 0; (G − 1)/G · Σ (…)² = ½ · (difference)²/2.
        let expected = 0.25 * (0.3_f64.powi(2) + 0.1_f64.powi(2)) / 4.0;
        assert!((found.image_variance - expected).abs() < 1e-12, "{found:?}");
        assert!(second.minus(&first).is_none());
    }

    #[test]
    fn one_seed_uneven_rows_and_no_spread_are_errors() {
        let one = term(&[1.0], &[&[1.0, 1.0]]);
        assert_eq!(
            GroupedEstimate::of(std::slice::from_ref(&one), true),
            Err(StatsError::TooFew { needed: 2, got: 1 })
        );
        assert_eq!(GroupedEstimate::of(&[one], false).unwrap().interval(0.95), Err(StatsError::NoSpread));
        assert!(GroupedEstimate::of(&[term(&[1.0, 2.0], &[&[1.0, 1.0]])], true).is_err());
        assert!(GroupedEstimate::of(&[term(&[1.0, 2.0], &[&[1.0, 1.0], &[1.0]])], true).is_err());
        assert!(GroupedEstimate::of(&[term(&[f64::NAN], &[&[1.0, 1.0]])], false).is_err());
        assert!(GroupedEstimate::of(&[], false).is_err());
    }
}
