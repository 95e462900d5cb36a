//! Class by class, one method against another on the same images.
//!
//! A class is a small test set: its difference is tested over seeds and images like that of a dataset, and Holm's
//! correction runs over the classes of the line.

use super::emphasis::ALPHA;
use super::image_scores::ImageScores;
use crate::stats::crossed::{CrossedDifference, CrossedPair};
use crate::stats::holm::holm;

/// One class under two methods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassGain {
    /// Label.
    pub class: u32,
    /// Test images of the class.
    pub images: usize,
    /// Accuracy less the other method's, in points, over the seeds that both have.
    pub points: f64,
    /// p after Holm over the classes; `None` where seeds or images are too few for a test.
    pub adjusted: Option<f64>,
}

impl ClassGain {
    /// Whether the difference stands after the correction.
    pub fn is_shown(&self) -> bool {
        self.adjusted.is_some_and(|p| p <= ALPHA)
    }
}

/// The gains of every class that has images, ascending by label; `None` where the two are about other images or have no
/// seed in common.
pub fn class_gains(own: &ImageScores, other: &ImageScores) -> Option<Vec<ClassGain>> {
    let pairs = own.joined(other)?;
    if pairs.is_empty() {
        return None;
    }
    let drawn = pairs.iter().any(|(seed, _, _)| seed.is_some());
    let mut gains = Vec::new();
    let mut tested: Vec<(usize, f64)> = Vec::new();
    for (class, at) in own.by_class() {
        let pick = |rights: &[bool]| at.iter().map(|i| rights[*i]).collect::<Vec<bool>>();
        let first: Vec<Vec<bool>> = pairs.iter().map(|(_, own, _)| pick(own)).collect();
        let second: Vec<Vec<bool>> = pairs.iter().map(|(_, _, other)| pick(other)).collect();
        let rows = |of: &[Vec<bool>]| of.iter().flatten().filter(|right| **right).count() as f64;
        let all = (at.len() * pairs.len()) as f64;
        let points = 100.0 * (rows(&first) - rows(&second)) / all;
        if let Some(p) = p(&first, &second, drawn) {
            tested.push((gains.len(), p));
        }
        gains.push(ClassGain { class, images: at.len(), points, adjusted: None });
    }
    let adjusted = holm(&tested.iter().map(|(_, p)| *p).collect::<Vec<_>>()).unwrap_or_default();
    tested.iter().zip(adjusted).for_each(|((place, _), p)| gains[*place].adjusted = Some(p));
    Some(gains)
}

fn p(first: &[Vec<bool>], second: &[Vec<bool>], drawn: bool) -> Option<f64> {
    let [first, second] =
        [first, second].map(|rows| rows.iter().map(Vec::as_slice).collect::<Vec<&[bool]>>());
    let pair = CrossedPair { first: &first, second: &second, first_weight: 1.0, second_weight: 1.0 };
    CrossedDifference::of(&[pair], drawn).ok().map(|difference| difference.p())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes of 40 images, three seeds: class 0 is won by all, class 1 by chance alone.
    #[test]
    fn a_class_that_is_won_stands_and_one_of_chance_does_not() {
        let labels: Vec<u32> = (0..80).map(|i| i / 40).collect();
        let row =
            |is_right: fn(usize, usize) -> bool, seed: usize| (0..80).map(|i| is_right(seed, i)).collect();
        let scores = |is_right: fn(usize, usize) -> bool| {
            let by_seed = (0..3).map(|seed| (Some(seed as u64), row(is_right, seed))).collect();
            ImageScores::made_of(labels.clone(), by_seed)
        };
        let own = scores(|seed, i| i < 40 || (i + seed) % 2 == 0);
        let other = scores(|seed, i| i < 5 || (i + seed) % 2 == 1 && i >= 40);
        let gains = class_gains(&own, &other).unwrap();
        assert_eq!(gains.iter().map(|g| (g.class, g.images)).collect::<Vec<_>>(), [(0, 40), (1, 40)]);
        assert_eq!((gains[0].points, gains[1].points), (87.5, 0.0));
        assert!(gains[0].is_shown() && !gains[1].is_shown(), "{gains:?}");
        let one_seed =
            |scores: &ImageScores| ImageScores::made_of(labels.clone(), vec![scores.by_seed[0].clone()]);
        let gains = class_gains(&one_seed(&own), &one_seed(&other)).unwrap();
        assert_eq!(gains[0].adjusted, None, "one seed proves nothing about a method");
        let mut elsewhere = other.clone();
        elsewhere.by_seed.iter_mut().for_each(|(seed, _)| *seed = seed.map(|seed| seed + 7));
        assert_eq!(class_gains(&own, &elsewhere), None, "no seed in common");
    }
}
