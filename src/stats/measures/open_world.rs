//! Base and new classes in one label space: are new images told from base ones, and are both named rightly?

use super::super::error::StatsError;
use super::super::ranks::midranks;

/// An image with the score that shall tell the groups apart, and whether it is named rightly within its own group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Higher means: of the second group.
    pub score: f64,
    /// Whether the classifier among the image's own group of classes is right.
    pub is_right: bool,
}

/// Area under the receiver operating curve: the probability that an image of `second` has a higher score than one of
/// `first`; ties count half (Mann and Whitney).
///
/// # Errors
/// [`StatsError::TooFew`] where a group is empty, [`StatsError::NotFinite`].
pub fn auroc(first: &[f64], second: &[f64]) -> Result<f64, StatsError> {
    let got = first.len().min(second.len());
    if got == 0 {
        return Err(StatsError::TooFew { needed: 1, got });
    }
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    let ranks = midranks(&all)?;
    let sum: f64 = ranks[first.len()..].iter().sum();
    let (m, n) = (first.len() as f64, second.len() as f64);
    Ok((sum - n * (n + 1.0) / 2.0) / (m * n))
}

/// OpenworldAUC (arXiv 2505.05180): the probability that, of a pair of one image of each group, both are named rightly
/// among their own classes and the second one's score is higher,
/// 1/(m·n) · Σ_i Σ_j right_i · right_j · 1(score_j > score_i); ties count half. So it is at most the product of the
/// two accuracies, and equals it where the groups are told apart perfectly.
///
/// # Errors
/// [`StatsError::TooFew`] where a group is empty, [`StatsError::NotFinite`].
pub fn open_world_auc(first: &[Scored], second: &[Scored]) -> Result<f64, StatsError> {
    let scores = |group: &[Scored]| group.iter().map(|image| image.score).collect::<Vec<_>>();
    let right = |group: &[Scored]| {
        group.iter().filter(|image| image.is_right).map(|image| image.score).collect::<Vec<_>>()
    };
    // Looked at for the faults of images that are named wrongly, too.
    auroc(&scores(first), &scores(second))?;
    let (a, b) = (right(first), right(second));
    if a.is_empty() || b.is_empty() {
        return Ok(0.0);
    }
    let share = (a.len() as f64 / first.len() as f64) * (b.len() as f64 / second.len() as f64);
    Ok(share * auroc(&a, &b)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(pairs: &[(f64, bool)]) -> Vec<Scored> {
        pairs.iter().map(|(score, is_right)| Scored { score: *score, is_right: *is_right }).collect()
    }

    #[test]
    fn groups_apart_give_the_product_of_accuracies_and_swapped_ones_nothing() {
        let base = scored(&[(0.1, true), (0.2, false)]);
        let new = scored(&[(0.8, true), (0.9, true), (0.7, false)]);
        assert!((open_world_auc(&base, &new).unwrap() - 0.5 * 2.0 / 3.0).abs() < 1e-15);
        assert_eq!(open_world_auc(&new, &base).unwrap(), 0.0);
    }

    #[test]
    fn ties_count_half_and_faults_are_errors() {
        assert_eq!(auroc(&[1.0, 1.0], &[1.0]).unwrap(), 0.5);
        assert!(matches!(auroc(&[], &[1.0]), Err(StatsError::TooFew { .. })));
        let nan = scored(&[(f64::NAN, false)]);
        assert!(matches!(open_world_auc(&nan, &scored(&[(1.0, true)])), Err(StatsError::NotFinite { .. })));
        assert_eq!(open_world_auc(&scored(&[(0.0, false)]), &scored(&[(1.0, true)])).unwrap(), 0.0);
    }
}
