//! Base and new classes in one label space, from three files of predictions of one training: among base classes, among
//! new ones, and among all at once.
//!
//! The score that shall tell new images from base ones is the *signed confidence* of the joint prediction: the
//! probability of the predicted class, negative where that is a base class. It needs nothing but what predictions hold;
//! papers with another score have another number under the same name, so the score is named wherever it is printed.

use std::collections::BTreeMap;

use super::context::Context;
use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::record::Prediction;
use crate::stats::grouped::Term;
use crate::stats::measures::{GROUPS, Scored, auroc, deal, open_world_auc};

/// What is measured, in the order of [`Joint::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JointMeasure {
    /// Accuracy of the images of base classes among all classes.
    Base,
    /// The same of new ones.
    New,
    /// Area under the curve of new against base images by signed confidence.
    Auroc,
    /// OpenworldAUC: of a pair, both right in their halves, and the new one's score higher.
    OpenWorldAuc,
}

/// One training in one label space.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    /// By [`JointMeasure`], in 0..=1.
    pub values: [f64; 4],
    /// The same without each group of images.
    pub without: Vec<[f64; 4]>,
    /// Images of base and of new classes.
    pub images: [usize; 2],
}

/// An image of the joint test.
struct Image {
    label: u32,
    is_new: bool,
    joint_right: bool,
    scored: Scored,
}

impl Joint {
    /// From predictions among base classes, new classes and all of them; `class_count` is that of all. `None` where an
    /// image of the joint test is in neither half or has no confidence, or a half has no image.
    pub fn new(
        base: &[Prediction],
        new: &[Prediction],
        all: &[Prediction],
        class_count: u64,
    ) -> Option<Self> {
        // The first ⌈n/2⌉ labels are base classes.
        let first_new = u32::try_from(class_count.div_ceil(2)).ok()?;
        let right = |rows: &[Prediction]| -> BTreeMap<String, bool> {
            rows.iter().map(|row| (row.path.clone(), row.label == row.predicted)).collect()
        };
        let halves = [right(base), right(new)];
        let image = |row: &Prediction| {
            let is_new = row.label >= first_new;
            let sure = f64::from(row.confidence?.p_predicted);
            let score = if row.predicted >= first_new { sure } else { -sure };
            let is_right = *halves[usize::from(is_new)].get(&row.path)?;
            let joint_right = row.label == row.predicted;
            Some(Image { label: row.label, is_new, joint_right, scored: Scored { score, is_right } })
        };
        let images: Vec<Image> = all.iter().map(image).collect::<Option<_>>()?;
        let groups = deal(&images.iter().map(|image| image.label).collect::<Vec<_>>());
        let of = |left_out: Option<usize>| {
            measured(
                images.iter().zip(&groups).filter(|(_, of)| Some(**of) != left_out).map(|(image, _)| image),
            )
        };
        let count = |is_new: bool| images.iter().filter(|image| image.is_new == is_new).count();
        Some(Self {
            values: of(None)?,
            without: (0..GROUPS.min(images.len())).map(|group| of(Some(group))).collect::<Option<_>>()?,
            images: [count(false), count(true)],
        })
    }

    /// Every seed of a cell; `None` where a file is missing.
    pub fn of_cell(context: &Context<'_>, row: &SummaryRow) -> Option<Vec<(Option<u64>, Self)>> {
        let of = |(seed, _): &(Option<u64>, f64)| {
            let key = context.frame.record_key(row, *seed, Classes::All)?;
            let read = |classes: Classes| context.predictions(key, &row.place.dataset, classes);
            let joint = read(Classes::All)?;
            let count = context.evaluation(key, &row.place.dataset, Classes::All)?.class_count;
            Some((*seed, Self::new(&read(Classes::Base)?, &read(Classes::New)?, &joint, count)?))
        };
        let seeds: Vec<_> = row.all.by_seed.iter().map(of).collect::<Option<_>>()?;
        (!seeds.is_empty()).then_some(seeds)
    }
}

/// A measure over seeds.
pub fn term(seeds: &[(Option<u64>, Joint)], measure: JointMeasure) -> Term {
    let at = measure as usize;
    let without = |(_, joint): &(_, Joint)| joint.without.iter().map(|v| v[at]).collect();
    Term::over_seeds(
        seeds.iter().map(|(_, joint)| joint.values[at]).collect(),
        &seeds.iter().map(without).collect::<Vec<_>>(),
    )
}

fn measured<'i>(images: impl Iterator<Item = &'i Image>) -> Option<[f64; 4]> {
    let (new, base): (Vec<&Image>, Vec<&Image>) = images.partition(|image| image.is_new);
    let share = |of: &[&Image]| {
        (!of.is_empty()).then(|| of.iter().filter(|image| image.joint_right).count() as f64 / of.len() as f64)
    };
    let scores = |of: &[&Image]| of.iter().map(|image| image.scored.score).collect::<Vec<f64>>();
    let scored = |of: &[&Image]| of.iter().map(|image| image.scored).collect::<Vec<Scored>>();
    let curve = auroc(&scores(&base), &scores(&new)).ok()?;
    let pairwise = open_world_auc(&scored(&base), &scored(&new)).ok()?;
    Some([share(&base)?, share(&new)?, curve, pairwise])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Confidence;

    fn row(path: &str, label: u32, predicted: u32, p: f32) -> Prediction {
        let confidence = Some(Confidence { p_predicted: p, margin: 0.0 });
        Prediction { path: path.to_owned(), label, predicted, p_true: 0.0, confidence }
    }

    /// Three classes, so two base ones; two images a half, every number by hand.
    #[test]
    fn four_images_by_hand() {
        let base = [row("a", 0, 0, 0.9), row("b", 1, 0, 0.9)];
        let new = [row("c", 0, 0, 1.0), row("d", 0, 0, 1.0)];
        // Scores: a −0.8, b +0.6 (taken for a new class), c +0.7, d −0.5.
        let all = [row("a", 0, 0, 0.8), row("b", 1, 2, 0.6), row("c", 2, 2, 0.7), row("d", 2, 0, 0.5)];
        let joint = Joint::new(&base, &new, &all, 3).unwrap();
        // Pairs (base, new) by score: a < c, a < d, b < c, b > d. Right in both halves: a with c and d.
        assert_eq!(joint.values, [0.5, 0.5, 0.75, 0.5]);
        assert_eq!((joint.images, joint.without.len()), ([2, 2], 4));
        // Without a, no pair is left of which both are right.
        assert_eq!(joint.without[0], [0.0, 0.5, 0.5, 0.0]);
        assert_eq!(
            Joint::new(&base[..1], &new, &all, 3),
            None,
            "an image of the joint test that no half has"
        );
        let unsure = Prediction { confidence: None, ..all[0].clone() };
        assert_eq!(Joint::new(&base, &new, &[unsure], 3), None);
    }
}
