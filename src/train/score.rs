//! How good parameters are on images that are not trained on, where a method chooses an epoch by them.

use candle_core::{DType, Tensor};

use super::error::TrainError;
use crate::backbone::{Clip, FrozenImages};
use crate::method::{Head, ImageBatch, Named};

/// Images with labels that a head's parameters are held against.
pub struct Score<'a> {
    head: &'a dyn Head,
    images: ImageBatch,
    labels: Tensor,
}

impl<'a> Score<'a> {
    /// By pooled features `[images, joint]` and their labels.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn new(
        clip: &Clip,
        head: &'a dyn Head,
        (features, labels): (Tensor, Vec<u32>),
    ) -> Result<Self, TrainError> {
        let labels = Tensor::new(labels, clip.device())?;
        let features = features.to_dtype(clip.dtype())?;
        let frozen = FrozenImages { features, cache: None, tokens: clip.config.image_tokens() };
        Ok(Self { head, images: ImageBatch { frozen: Some(frozen), entering: None, pixels: None }, labels })
    }

    /// How many images the parameters get right.
    ///
    /// # Errors
    /// What binding them reports.
    pub fn correct(&self, values: &Named) -> Result<u64, TrainError> {
        let predicted = self.head.classifier(values)?.logits(&self.images)?.argmax(1)?;
        let correct = predicted.eq(&self.labels)?.to_dtype(DType::U32)?.sum_all()?;
        Ok(u64::from(correct.to_scalar::<u32>()?))
    }
}
