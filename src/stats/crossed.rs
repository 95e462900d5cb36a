//! The difference of two methods on one test set when both the seeds and the images are a sample: every seed
//! sees the same images, so seeds and images are crossed.
//!
//! Model: what a seed and an image contribute to the difference is a mean, a part of the seed, a part of the
//! image and a rest, independent with mean 0 (a linear model with two crossed random factors). Then the error of
//! the mean is the sum of a variance that falls with the number of seeds and one that falls with the number of
//! images. A sum of two estimated variances has no exact t; the half width is √(t²·v_seeds + z²·v_images), each
//! with the quantile of its own degrees of freedom (Howe 1974; Zou and Donner 2008 call it MOVER). Its error
//! rate stays at or below the stated one whatever the ratio of the two parts; Satterthwaite's single t exceeds
//! it at three seeds.

use super::describe::{Interval, sample_variance};
use super::distributions::{normal_quantile, student_t_quantile, student_t_two_sided};
use super::error::{StatsError, check_confidence};
use super::settled::settled;

/// Right or wrong, by seed and image. The two sides of a pair hold the same seeds and images in the same order.
#[derive(Clone, Copy, Debug)]
pub struct CrossedPair<'a> {
    /// Under the first method.
    pub first: &'a [&'a [bool]],
    /// Under the second method.
    pub second: &'a [&'a [bool]],
    /// What an accuracy of 1 of the first method contributes; 1 for a plain difference of accuracies.
    pub first_weight: f64,
    /// What an accuracy of 1 of the second method takes away.
    pub second_weight: f64,
}

/// A difference first − second with its two kinds of error, in the unit of the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossedDifference {
    /// The estimate.
    pub difference: f64,
    /// Squared standard error from the choice of seeds; 0 without seeds.
    pub seed_variance: f64,
    /// Squared standard error from the choice of images.
    pub image_variance: f64,
    /// Degrees of freedom of `seed_variance`; 0 where nothing is drawn by seed.
    pub seed_df: f64,
}

impl CrossedDifference {
    /// Sums the pairs: one of all images, or one of base and one of new classes, over the same seeds. `drawn`
    /// says whether seeds are a sample; where neither method draws anything, a single row stands for itself.
    ///
    /// # Errors
    /// [`StatsError::TooFew`] below two images or, with `drawn`, below two seeds; [`StatsError::LengthMismatch`]
    /// where rows differ in number or length.
    pub fn of(pairs: &[CrossedPair<'_>], drawn: bool) -> Result<Self, StatsError> {
        let seeds = pairs.first().map_or(0, |pair| pair.first.len());
        let needed = if drawn { 2 } else { 1 };
        if seeds < needed {
            return Err(StatsError::TooFew { needed, got: seeds });
        }
        let mut by_seed = vec![0.0; seeds];
        let (mut image_variance, mut difference) = (0.0, 0.0);
        for pair in pairs {
            let part = pair.part(seeds)?;
            by_seed.iter_mut().zip(&part.by_seed).for_each(|(sum, value)| *sum += value);
            image_variance += part.image_variance;
            difference += part.by_seed.iter().sum::<f64>() / seeds as f64;
        }
        let (seed_variance, seed_df) =
            match sample_variance(&by_seed.iter().map(|v| settled(*v)).collect::<Vec<_>>()) {
                Some(variance) if drawn => (variance / seeds as f64, seeds as f64 - 1.0),
                _ => (0.0, 0.0),
            };
        Ok(Self { difference, seed_variance, image_variance, seed_df })
    }

    /// Two-sided interval of the difference.
    ///
    /// # Errors
    /// A confidence outside 0..1.
    pub fn interval(&self, confidence: f64) -> Result<Interval, StatsError> {
        check_confidence(confidence)?;
        let half = self.half_width(0.5 - 0.5 * confidence, normal_quantile(0.5 + 0.5 * confidence));
        Ok(Interval { low: self.difference - half, high: self.difference + half })
    }

    /// Two-sided p of "no difference": one minus the confidence at which the interval ends at 0. Nothing below
    /// [`SMALLEST_P`] is told apart.
    pub fn p(&self) -> f64 {
        let wanted = self.difference.abs();
        let two_sided = |z: f64| student_t_two_sided(z, f64::INFINITY);
        if wanted == 0.0 {
            return 1.0;
        }
        // The half width grows with z.
        let (mut low, mut high) = (0.0, normal_quantile(1.0 - 0.5 * SMALLEST_P));
        for _ in 0..30 {
            let z = 0.5 * (low + high);
            if self.half_width(0.5 * two_sided(z), z) < wanted { low = z } else { high = z }
        }
        two_sided(high)
    }

    /// Half width of the two-sided interval that leaves out `tail` on either side, `z` being the normal quantile
    /// of that.
    fn half_width(&self, tail: f64, z: f64) -> f64 {
        let t = if self.seed_variance > 0.0 { student_t_quantile(1.0 - tail, self.seed_df) } else { 0.0 };
        (t * t * self.seed_variance + z * z * self.image_variance).sqrt()
    }
}

/// The smallest p that [`CrossedDifference::p`] gives: below, one minus it loses its digits.
pub const SMALLEST_P: f64 = 1e-10;

/// What one set of images contributes.
struct Part {
    by_seed: Vec<f64>,
    image_variance: f64,
}

impl CrossedPair<'_> {
    fn part(&self, seeds: usize) -> Result<Part, StatsError> {
        let images = self.first.first().map_or(0, |row| row.len());
        if images < 2 {
            return Err(StatsError::TooFew { needed: 2, got: images });
        }
        if let Some(rows) = [self.first.len(), self.second.len()].into_iter().find(|rows| *rows != seeds) {
            return Err(StatsError::LengthMismatch { left: seeds, right: rows });
        }
        if let Some(row) = self.first.iter().chain(self.second).find(|row| row.len() != images) {
            return Err(StatsError::LengthMismatch { left: images, right: row.len() });
        }
        let value = |s: usize, i: usize| {
            let side = |right: bool, weight: f64| if right { weight } else { 0.0 };
            side(self.first[s][i], self.first_weight) - side(self.second[s][i], self.second_weight)
        };
        let (n, m) = (seeds as f64, images as f64);
        let mut by_image = vec![0.0; images];
        let mut by_seed = vec![0.0; seeds];
        let mut squares = 0.0;
        for (s, sum) in by_seed.iter_mut().enumerate() {
            for (i, image) in by_image.iter_mut().enumerate() {
                let value = value(s, i);
                *image += value;
                *sum += value;
                squares += value * value;
            }
        }
        // Sums of whole numbers are exact; means of them are taken last.
        by_image.iter_mut().for_each(|sum| *sum /= n);
        by_seed.iter_mut().for_each(|sum| *sum /= m);
        let mean = by_seed.iter().sum::<f64>() / n;
        let of_images: f64 = by_image.iter().map(|v| (v - mean) * (v - mean)).sum();
        let of_seeds: f64 = by_seed.iter().map(|v| (v - mean) * (v - mean)).sum();
        // Sum of squares of the two-way table without repetition: what neither seed nor image explains.
        let rest = squares - n * m * mean * mean - n * of_images - m * of_seeds;
        let rest_variance = if seeds > 1 { rest.max(0.0) / ((n - 1.0) * (m - 1.0)) } else { 0.0 };
        // Half an image won and half an image lost are added, as in Agresti and Min (2005): with a handful of
        // images on which the methods disagree, the plain variance promises too much.
        let disagreement = 0.5 * (self.first_weight.powi(2) + self.second_weight.powi(2));
        let plain = (of_images + disagreement) / (m - 1.0) / m;
        // The rest is in both variances; it counts once, with the seeds.
        let image_variance = (plain - rest_variance / (n * m)).max(disagreement / (m - 1.0) / m);
        Ok(Part { by_seed, image_variance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&str]) -> Vec<Vec<bool>> {
        rows.iter().map(|row| row.bytes().map(|b| b == b'1').collect()).collect()
    }

    fn of(first: &[Vec<bool>], second: &[Vec<bool>], drawn: bool) -> Result<CrossedDifference, StatsError> {
        let [first, second] =
            [first, second].map(|rows| rows.iter().map(Vec::as_slice).collect::<Vec<&[bool]>>());
        let pair = CrossedPair { first: &first, second: &second, first_weight: 1.0, second_weight: 1.0 };
        CrossedDifference::of(&[pair], drawn)
    }

    /// Two seeds of four images, with every sum written out.
    #[test]
    fn both_variances_by_hand() {
        let (first, second) = (rows(&["1110", "1100"]), rows(&["0100", "0100"]));
        let found = of(&first, &second, true).unwrap();
        let seeds = [0.5_f64, 0.25];
        let images = [1.0, 0.0, 0.5, 0.0];
        let mean = 0.375;
        let seed_variance: f64 = seeds.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 2.0;
        let of_images: f64 = images.iter().map(|v| (v - mean) * (v - mean)).sum();
        let table = [[1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]];
        let rest: f64 = (0..2)
            .flat_map(|s| (0..4).map(move |i| (s, i)))
            .map(|(s, i)| (table[s][i] - seeds[s] - images[i] + mean).powi(2))
            .sum();
        let image_variance = (of_images + 1.0) / 3.0 / 4.0 - rest / 3.0 / 8.0;
        assert!((found.difference - mean).abs() < 1e-12);
        assert!((found.seed_variance - seed_variance).abs() < 1e-12, "{found:?}");
        assert!((found.image_variance - image_variance).abs() < 1e-12, "{found:?} {image_variance}");
        assert_eq!(found.seed_df, 1.0);
    }

    /// p and interval are the same statement.
    #[test]
    fn the_interval_at_one_minus_p_ends_at_zero() {
        let found =
            CrossedDifference { difference: 0.03, seed_variance: 2e-5, image_variance: 4e-5, seed_df: 2.0 };
        let ends = found.interval(1.0 - found.p()).unwrap();
        assert!(ends.low.abs() < 1e-6, "{ends:?}");
        let images_alone = CrossedDifference { seed_variance: 0.0, ..found };
        let z = 0.03 / 4e-5_f64.sqrt();
        let expected = student_t_two_sided(z, f64::INFINITY);
        assert!((images_alone.p() / expected - 1.0).abs() < 1e-6);
    }

    #[test]
    fn equal_methods_do_not_differ_and_opposite_ones_do() {
        let (all, none) = (vec![vec![true; 50]; 3], vec![vec![false; 50]; 3]);
        let same = of(&all, &all, true).unwrap();
        assert_eq!((same.difference, same.p()), (0.0, 1.0));
        let other = of(&none, &all, true).unwrap();
        assert!(other.difference == -1.0 && other.p() < 1e-8, "{other:?}");
    }

    /// Four images of 2 000, all in favour of the one: McNemar's exact p is 0.125.
    #[test]
    fn a_handful_of_images_is_not_enough() {
        let mut first = vec![vec![false; 2_000]];
        first[0][..4].fill(true);
        let second = vec![vec![false; 2_000]];
        let p = of(&first, &second, false).unwrap().p();
        assert!((0.05..0.15).contains(&p), "{p}");
    }

    #[test]
    fn one_seed_uneven_rows_and_no_images_are_errors() {
        let (one, two) = (rows(&["101"]), rows(&["101", "100"]));
        assert_eq!(of(&one, &one, true), Err(StatsError::TooFew { needed: 2, got: 1 }));
        assert!(of(&one, &one, false).is_ok());
        assert!(of(&two, &one, true).is_err() && of(&two, &rows(&["101", "10"]), true).is_err());
        assert!(of(&[vec![], vec![]], &[vec![], vec![]], true).is_err());
        assert!(CrossedDifference::of(&[], true).is_err());
    }
}
