//! Training images after the frozen pass: a bank of views kept in memory, or fresh ones per batch.

use candle_core::Tensor;

use super::error::TrainError;
use super::views::{TrainingSet, Views};
use crate::backbone::Clip;
use crate::method::{ImageBatch, ImageNeed};

/// Images per frozen pass. Last bits depend on the batch layout, so the grid is a constant: chunks of
/// this many, in item order.
pub const GRID: usize = 16;

/// The frozen pass over normalised pixels `[batch, 3, side, side]`.
///
/// # Errors
/// Whatever candle reports.
pub fn frozen_pass(clip: &Clip, pixels: Tensor, need: ImageNeed) -> Result<ImageBatch, TrainError> {
    let pixels = pixels.to_dtype(clip.dtype())?;
    let frozen = clip.vision.encode(&pixels, need >= ImageNeed::Tokens)?;
    Ok(ImageBatch { frozen, pixels: (need == ImageNeed::Pixels).then_some(pixels) })
}

/// Serves the batches of one training set.
pub struct TrainingImages<'a> {
    clip: &'a Clip,
    set: &'a TrainingSet<'a>,
    need: ImageNeed,
    /// Per view, per item; empty for fresh views.
    bank: Vec<Vec<ImageBatch>>,
}

impl<'a> TrainingImages<'a> {
    /// Prepares the images; a bank is computed here, once for all methods that share it.
    ///
    /// # Errors
    /// An image that cannot be had; whatever candle reports; [`TrainError::Interrupted`].
    pub fn new(
        clip: &'a Clip,
        set: &'a TrainingSet<'a>,
        need: ImageNeed,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self, TrainError> {
        let mut images = Self { clip, set, need, bank: Vec::new() };
        let Views::Bank(views) = set.views else { return Ok(images) };
        let all: Vec<usize> = (0..set.items.len()).collect();
        for view in 0..views {
            let mut items = Vec::with_capacity(all.len());
            for chunk in all.chunks(GRID) {
                if stop() {
                    return Err(TrainError::Interrupted);
                }
                let batch = images.encode(chunk, view)?;
                for index in 0..chunk.len() {
                    items.push(batch.single(index)?);
                }
            }
            images.bank.push(items);
        }
        Ok(images)
    }

    fn encode(&self, indices: &[usize], view: usize) -> Result<ImageBatch, TrainError> {
        let pixels = self.set.pixels(indices, view, self.clip.config.image_size, self.clip.device())?;
        frozen_pass(self.clip, pixels, self.need)
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.set.items.len()
    }

    /// True when there is no image.
    pub fn is_empty(&self) -> bool {
        self.set.items.is_empty()
    }

    /// The images at `indices` as epoch `epoch` sees them, and their labels `[batch]`.
    ///
    /// # Errors
    /// An image that cannot be had; whatever candle reports.
    pub fn batch(&self, epoch: usize, indices: &[usize]) -> Result<(ImageBatch, Tensor), TrainError> {
        let labels: Vec<u32> = indices.iter().map(|index| self.set.items[*index].1).collect();
        let labels = Tensor::new(labels, self.clip.device())?;
        let view = self.set.view_of(epoch);
        let batch = match self.bank.get(view) {
            Some(items) => ImageBatch::cat(&indices.iter().map(|index| &items[*index]).collect::<Vec<_>>())?,
            None => self.encode(indices, view)?,
        };
        Ok((batch, labels))
    }
}
