//! The images of a draw as methods may read them before training: views of the training images, and validation images
//! where a method chooses by them.

use candle_core::Tensor;

use super::lane::Lane;
use crate::backbone::Clip;
use crate::data::{Classes, ImageSource, fewshot};
use crate::method::{MethodError, Needs, Selection, Shots};
use crate::suite::error::SuiteError;
use crate::suite::world::BenchDataset;
use crate::train::{Labelled, TrainError, TrainingImages, frozen_pass, test_pixels};

/// Training images, and the validation images a method asked for.
pub(in crate::suite) struct DrawnShots<'a> {
    pub images: &'a TrainingImages<'a>,
    pub validation: Labelled<'a>,
    pub source: &'a dyn ImageSource,
    pub clip: &'a Clip,
}

impl Shots for DrawnShots<'_> {
    fn labels(&self) -> Vec<u32> {
        Shots::labels(self.images)
    }

    fn pooled(&self, view: usize) -> Result<Tensor, MethodError> {
        Shots::pooled(self.images, view)
    }

    fn validation(&self) -> Result<(Tensor, Vec<u32>), MethodError> {
        if self.validation.is_empty() {
            let reason =
                "the dataset has no validation image of the trained classes to choose by; set fixed values";
            return Err(MethodError::Shots(reason.to_owned()));
        }
        let fail = |error: TrainError| match error {
            TrainError::Pixels(error) => MethodError::Pixels(error),
            TrainError::Method(error) => error,
            other => MethodError::Shots(other.to_string()),
        };
        let mut features = Vec::new();
        for chunk in self.validation.chunks(self.clip.grid()) {
            let pixels = test_pixels(self.source, chunk, self.clip.config.image_size, self.clip.device());
            let batch = frozen_pass(self.clip, pixels.map_err(fail)?, Needs::POOLED).map_err(fail)?;
            features.push(batch.pooled()?.clone());
        }
        let labels = self.validation.iter().map(|(_, label)| *label).collect();
        Ok((Tensor::cat(&features, 0)?, labels))
    }
}

impl Lane<'_> {
    /// The validation images of the trained classes that a method chooses by: the draw's, at most min(shots, 4) a class, or
    /// the whole split.
    pub(in crate::suite) fn validation<'d>(
        &self,
        dataset: &'d BenchDataset,
        selection: Option<Selection>,
        (seed, shots): (u64, u32),
    ) -> Result<Labelled<'d>, SuiteError> {
        let items = validation_items(dataset, self.plan.suite.train_classes, selection, (seed, shots));
        Ok(self.readable(dataset, items)?.0)
    }
}

/// As [`Lane::validation`], readable or not.
pub(in crate::suite) fn validation_items(
    dataset: &BenchDataset,
    classes: Classes,
    selection: Option<Selection>,
    (seed, shots): (u64, u32),
) -> Labelled<'_> {
    let Some(selection) = selection else { return Vec::new() };
    let items = &dataset.split.val;
    let items: Vec<_> = match selection.whole_split {
        true => items.iter().collect(),
        false => {
            let drawn = fewshot::draw(&dataset.split, shots, seed).val;
            drawn.into_iter().map(|place| &items[place]).collect()
        }
    };
    let kept = dataset.labels(classes).filter(items);
    kept.into_iter().map(|local| (local.item, local.local_label)).collect()
}
