//! Every measure of one set of predictions, and of the set without each of 30 groups of its images: what intervals of
//! measures that are no means are made of.
//!
//! Groups are dealt out class by class, so that each holds its share of every class; two methods on the same images
//! have the same groups, and their difference without a group is the difference of their values without it.

use super::by_class::ClassCounts;
use super::calibration::{BINS, Bin, SMALLEST, is_probability};
use super::{ByClass, Calibration, Classified, NamedMeasure};
use std::collections::BTreeMap;

/// Number of groups, where there are that many images.
pub const GROUPS: usize = 30;

/// One prediction with its probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasuredRow {
    /// True and predicted class.
    pub classified: Classified,
    /// Probability of the true class.
    pub p_true: f64,
    /// Probability of the predicted class; `None` in files of earlier versions.
    pub p_predicted: Option<f64>,
}

/// One number per [`NamedMeasure`], in its order; NaN where it is undefined, since an option of one takes twice its room.
pub type Numbers = [f64; NamedMeasure::ALL.len()];

/// One number per [`NamedMeasure`], in its order; `None` where it is undefined.
pub type Values = [Option<f64>; NamedMeasure::ALL.len()];

/// The measures of one set of predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct SetMeasures {
    /// Number of predictions.
    pub images: u64,
    /// The measures of all of them.
    pub values: Values,
    /// The measures without each group, NaN where undefined. Empty below two images.
    pub without: Vec<Numbers>,
    /// Bins of equal width over the confidences; `None` where confidences are missing.
    pub bins: Option<[Bin; BINS]>,
}

impl SetMeasures {
    /// Measures a set; `None` for an empty one.
    pub fn new(rows: &[MeasuredRow]) -> Option<Self> {
        let first = rows.first()?.classified.label;
        let labels: Vec<u32> = rows.iter().map(|row| row.classified.label).collect();
        let groups = deal(&labels);
        let count = if rows.len() < 2 { 0 } else { rows.len().min(GROUPS) };
        let all = Sums::new(rows.iter(), first);
        let mut parts = vec![Sums::default(); count];
        for (group, part) in parts.iter_mut().enumerate() {
            let own = rows.iter().zip(&groups).filter(|(_, of)| **of == group).map(|(row, _)| row);
            *part = Sums::new(own, first);
        }
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let confidence = |row: &MeasuredRow| row.p_predicted.unwrap_or(f64::NAN);
        order.sort_by(|a, b| confidence(&rows[*a]).total_cmp(&confidence(&rows[*b])));
        let calibration = |left_out: Option<usize>| {
            let kept = order.iter().filter(|at| Some(groups[**at]) != left_out);
            Calibration::new(kept.map(|at| (rows[*at].classified, confidence(&rows[*at]))))
        };
        let whole = calibration(None);
        let without = (0..count).map(|group| {
            let rest = whole.as_ref().and_then(|_| calibration(Some(group)));
            all.without(&parts[group]).values(rest.as_ref()).map(|value| value.unwrap_or(f64::NAN))
        });
        Some(Self {
            images: rows.len() as u64,
            values: all.values(whole.as_ref()),
            without: without.collect(),
            bins: whole.as_ref().map(Calibration::equal_width),
        })
    }

    /// The numbers of the whole set alone.
    pub fn numbers(&self) -> SetNumbers {
        SetNumbers { images: self.images, numbers: self.values.map(|value| value.unwrap_or(f64::NAN)) }
    }

    /// A measure of the whole set.
    pub fn value(&self, measure: NamedMeasure) -> Option<f64> {
        self.values[measure as usize]
    }

    /// A measure without each group; `None` where one of them is undefined.
    pub fn without(&self, measure: NamedMeasure) -> Option<Vec<f64>> {
        let of = |values: &Numbers| Some(values[measure as usize]).filter(|value| !value.is_nan());
        self.without.iter().map(of).collect()
    }
}

/// What a table prints of a set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetNumbers {
    /// Number of predictions.
    pub images: u64,
    /// The measures of all of them.
    pub numbers: Numbers,
}

impl SetNumbers {
    /// A measure; `None` where it is undefined.
    pub fn value(&self, measure: NamedMeasure) -> Option<f64> {
        Some(self.numbers[measure as usize]).filter(|value| !value.is_nan())
    }
}

/// The group of every image by true class: the images of the first class in order, then those of the next one, are dealt
/// to [`GROUPS`] groups in turn.
pub fn deal(labels: &[u32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by_key(|at| labels[*at]);
    let mut groups = vec![0; labels.len()];
    for (place, at) in order.into_iter().enumerate() {
        groups[at] = place % GROUPS;
    }
    groups
}

/// What adds up over predictions.
#[derive(Clone, Debug, Default)]
struct Sums {
    images: u64,
    correct: u64,
    nll: f64,
    brier: f64,
    is_sound: bool,
    /// Label → counts; classes that are predicted and never true are not among them.
    classes: BTreeMap<u32, ClassCounts>,
}

impl Sums {
    fn new<'r>(rows: impl Iterator<Item = &'r MeasuredRow>, first: u32) -> Self {
        let mut sums = Self { is_sound: true, ..Self::default() };
        // Counts of the class at hand, since test lists come class by class.
        let (mut label, mut own) = (first, ClassCounts::default());
        for row in rows {
            let Classified { label: truth, predicted } = row.classified;
            sums.images += 1;
            sums.correct += u64::from(row.classified.is_right());
            sums.is_sound &= is_probability(row.p_true);
            sums.nll -= row.p_true.max(SMALLEST).ln();
            sums.brier += (1.0 - row.p_true).powi(2);
            if truth != label {
                sums.classes.entry(label).or_default().add(own);
                (label, own) = (truth, ClassCounts::default());
            }
            own.total += 1;
            own.correct += u64::from(row.classified.is_right());
            match predicted == label {
                true => own.predicted += 1,
                false => sums.classes.entry(predicted).or_default().predicted += 1,
            }
        }
        sums.classes.entry(label).or_default().add(own);
        sums
    }

    fn without(&self, part: &Self) -> Self {
        let mut rest = self.clone();
        (rest.images, rest.correct) = (rest.images - part.images, rest.correct - part.correct);
        (rest.nll, rest.brier) = (rest.nll - part.nll, rest.brier - part.brier);
        for (class, counts) in &part.classes {
            rest.classes.entry(*class).or_default().take(*counts);
        }
        rest
    }

    fn by_class(&self) -> ByClass {
        ByClass::from_counts(self.classes.iter().map(|(class, counts)| (*class, *counts)))
    }

    fn values(&self, calibration: Option<&Calibration>) -> Values {
        let classes = self.by_class();
        let share = |sum: f64| (self.images > 0).then(|| sum / self.images as f64);
        let score = |sum: f64| share(sum).filter(|_| self.is_sound);
        NamedMeasure::ALL.map(|measure| match measure {
            NamedMeasure::Accuracy => share(self.correct as f64),
            NamedMeasure::MeanPerClass => classes.mean(),
            NamedMeasure::WorstClass => classes.worst(),
            NamedMeasure::WorstTenth => classes.worst_tenth(),
            NamedMeasure::MacroF1 => classes.macro_f1(),
            NamedMeasure::Nll => score(self.nll),
            NamedMeasure::Brier => score(self.brier),
            NamedMeasure::Ece => calibration.map(Calibration::ece),
            NamedMeasure::AdaptiveEce => calibration.map(Calibration::adaptive_ece),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::measures::{accuracy, brier_true, nll};
    use crate::util::rng::Stream;

    fn rows(count: usize) -> Vec<MeasuredRow> {
        let mut stream = Stream::new(&["measured rows"]);
        let row = |at: usize| {
            let label = (at * 5 / count) as u32;
            let is_right = stream.chance(0.7);
            let predicted = if is_right { label } else { (label + 1 + stream.below(5) as u32) % 6 };
            let p = 0.3 + 0.7 * stream.uniform();
            let p_true = if predicted == label { p } else { (1.0 - p) * stream.uniform() };
            MeasuredRow { classified: Classified { label, predicted }, p_true, p_predicted: Some(p) }
        };
        (0..count).map(row).collect()
    }

    fn groups(rows: &[MeasuredRow]) -> Vec<usize> {
        deal(&rows.iter().map(|row| row.classified.label).collect::<Vec<u32>>())
    }

    /// The fast sums give what the plain functions give on the same rows, whole and without each group.
    #[test]
    fn sums_agree_with_the_plain_measures_of_what_is_left() {
        let rows = rows(200);
        let set = SetMeasures::new(&rows).unwrap();
        let of = groups(&rows);
        let check = |kept: Vec<MeasuredRow>, values: &Values| {
            let images: Vec<Classified> = kept.iter().map(|row| row.classified).collect();
            let p_true: Vec<f64> = kept.iter().map(|row| row.p_true).collect();
            let classes = ByClass::new(&images);
            let sure =
                Calibration::new(kept.iter().map(|row| (row.classified, row.p_predicted.unwrap()))).unwrap();
            let plain = [
                accuracy(&images),
                classes.mean(),
                classes.worst(),
                classes.worst_tenth(),
                classes.macro_f1(),
                nll(&p_true),
                brier_true(&p_true),
                Some(sure.ece()),
                Some(sure.adaptive_ece()),
            ];
            for (plain, value) in plain.iter().zip(values) {
                assert!((plain.unwrap() - value.unwrap()).abs() < 1e-12, "{plain:?} {value:?}");
            }
        };
        check(rows.clone(), &set.values);
        assert_eq!(set.without.len(), GROUPS);
        for (group, values) in set.without.iter().enumerate() {
            let kept = rows.iter().zip(&of).filter(|(_, of)| **of != group).map(|(row, _)| *row);
            check(kept.collect(), &values.map(Some));
        }
        assert_ne!(set.without[0], set.without[1]);
    }

    #[test]
    fn every_group_has_its_share_of_every_class() {
        let of = groups(&rows(600));
        for class in 0..5 {
            let own = &of[class * 120..(class + 1) * 120];
            assert!((0..GROUPS).all(|group| own.iter().filter(|of| **of == group).count() == 4));
        }
    }

    #[test]
    fn what_is_missing_leaves_the_rest() {
        let mut rows = rows(40);
        rows[3].p_predicted = None;
        let set = SetMeasures::new(&rows).unwrap();
        assert_eq!(
            (set.value(NamedMeasure::Ece), set.without(NamedMeasure::Ece), set.bins),
            (None, None, None)
        );
        assert!(set.value(NamedMeasure::Accuracy).is_some() && set.value(NamedMeasure::Nll).is_some());
        rows[5].p_true = f64::NAN;
        assert_eq!(SetMeasures::new(&rows).unwrap().value(NamedMeasure::Nll), None);
        assert!(SetMeasures::new(&rows[..1]).unwrap().without.is_empty());
        assert!(SetMeasures::new(&[]).is_none());
    }
}
