//! Accuracy class by class: mean, worst, worst tenth, macro F1. A class counts where the set holds an image of it.
//!
//! "Accuracy" of Caltech101, OxfordPets, OxfordFlowers and FGVCAircraft in CLIP's paper is the mean per class; in the
//! papers of prompt learning it is correct / total on all datasets.

use std::collections::BTreeMap;

use super::Classified;

/// Counts of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Images of the class.
    pub total: u64,
    /// Those predicted as it.
    pub correct: u64,
    /// Images of any class predicted as it.
    pub predicted: u64,
}

impl ClassCounts {
    /// Share of the class's images that are predicted as it (its recall).
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.total.max(1) as f64
    }

    /// Harmonic mean of precision and recall, 0 where both are.
    pub fn f1(&self) -> f64 {
        2.0 * self.correct as f64 / (self.total + self.predicted).max(1) as f64
    }

    /// Adds the counts of other images.
    pub fn add(&mut self, other: Self) {
        self.total += other.total;
        self.correct += other.correct;
        self.predicted += other.predicted;
    }

    /// Takes away counts that were added.
    pub(super) fn take(&mut self, other: Self) {
        self.total -= other.total;
        self.correct -= other.correct;
        self.predicted -= other.predicted;
    }
}

/// Counts of every class that the set holds an image of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByClass(BTreeMap<u32, ClassCounts>);

impl ByClass {
    /// Counts predictions.
    pub fn new(images: &[Classified]) -> Self {
        let mut counts: BTreeMap<u32, ClassCounts> = BTreeMap::new();
        for image in images {
            let own = counts.entry(image.label).or_default();
            own.total += 1;
            own.correct += u64::from(image.is_right());
            counts.entry(image.predicted).or_default().predicted += 1;
        }
        Self::from_counts(counts.into_iter())
    }

    /// From counts; classes without an image are left out.
    pub fn from_counts(counts: impl Iterator<Item = (u32, ClassCounts)>) -> Self {
        Self(counts.filter(|(_, class)| class.total > 0).collect())
    }

    /// Classes with their counts, ascending by class.
    pub fn iter(&self) -> impl Iterator<Item = (u32, ClassCounts)> {
        self.0.iter().map(|(class, counts)| (*class, *counts))
    }

    /// Mean of the classes' accuracies (scikit-learn's `balanced_accuracy_score`); `None` without a class.
    pub fn mean(&self) -> Option<f64> {
        mean(self.0.values().map(ClassCounts::accuracy))
    }

    /// Accuracy of the worst class.
    pub fn worst(&self) -> Option<f64> {
        self.0.values().map(ClassCounts::accuracy).min_by(f64::total_cmp)
    }

    /// Mean accuracy of the worst tenth of the classes, ⌈classes / 10⌉ of them.
    pub fn worst_tenth(&self) -> Option<f64> {
        let mut each: Vec<f64> = self.0.values().map(ClassCounts::accuracy).collect();
        each.sort_by(f64::total_cmp);
        mean(each.iter().copied().take(each.len().div_ceil(10)))
    }

    /// Mean of the classes' F1: scikit-learn's `f1_score(average="macro", labels=classes present)`, which is what
    /// Dassl prints as `macro_f1`.
    pub fn macro_f1(&self) -> Option<f64> {
        mean(self.0.values().map(ClassCounts::f1))
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0u64, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(pairs: &[(u32, u32)]) -> Vec<Classified> {
        pairs.iter().map(|(label, predicted)| Classified { label: *label, predicted: *predicted }).collect()
    }

    #[test]
    fn a_rare_class_weighs_as_much_as_a_common_one() {
        let classes = ByClass::new(&images(&[(0, 0), (0, 0), (0, 0), (1, 0), (0, 3)]));
        assert_eq!((classes.mean(), classes.worst()), (Some(0.375), Some(0.0)));
        assert_eq!(classes.worst_tenth(), classes.worst(), "one class of two");
        // Class 3 has no image: its false alarm costs class 0 a hit and is no class of its own.
        assert_eq!(classes.macro_f1(), Some((6.0 / 8.0) / 2.0));
        assert_eq!(ByClass::new(&[]).mean(), None);
    }
}
