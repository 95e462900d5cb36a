//! The test images of a pass: pixels, prepared ahead where a GPU waits for them, and the frozen pass or stored features.

use candle_core::{Device, Tensor};

use super::error::TrainError;
use super::features::{FeatureKey, FeatureStore};
use super::images::{feature_rows, frozen_pass, pooled_batch};
use super::views::{pixels_sha256, test_pixels};
use crate::backbone::Clip;
use crate::data::{ImageSource, Item};
use crate::method::{ImageBatch, Needs};
use crate::preprocess::CROP_SCALE;

/// Chunks of pixels that may wait for a GPU.
const ROOM: usize = 2;

/// The test images of a pass.
pub struct TestImages<'a> {
    /// The frozen model.
    pub clip: &'a Clip,
    /// Where pixels come from.
    pub source: &'a dyn ImageSource,
    /// Items with their labels among the classes that compete.
    pub items: &'a [(&'a Item, u32)],
    /// What the classifiers read of an image.
    pub needs: Needs,
    /// Features of earlier runs, where there are any.
    pub features: Option<&'a FeatureStore>,
}

/// A chunk before its frozen pass.
pub(super) enum Prepared {
    /// Normalised pixels in the computer's own memory.
    Pixels(Tensor),
    /// The name of its features, which may be stored.
    Key(FeatureKey),
}

impl TestImages<'_> {
    /// Chunks to prepare ahead: on the CPU the pass itself takes all cores.
    pub(super) fn room(&self) -> usize {
        if self.clip.device().is_cpu() { 0 } else { ROOM }
    }

    /// What can be done for a chunk without the model.
    pub(super) fn prepare(&self, items: &[(&Item, u32)]) -> Result<Prepared, TrainError> {
        let side = self.clip.config.image_size;
        let Some(store) = self.features.filter(|_| self.needs.only_pooled()) else {
            return Ok(Prepared::Pixels(self.pixels(items)?));
        };
        let mut key = store.key(side, CROP_SCALE);
        for pixels in pixels_sha256(self.source, items, |(item, _)| *item)? {
            key.image(&pixels, &["test"]);
        }
        Ok(Prepared::Key(key.finish()))
    }

    /// A chunk after the frozen pass. Pooled features alone may be stored ones: the grid makes them the same to the
    /// last bit.
    pub(super) fn pass(&self, items: &[(&Item, u32)], chunk: Prepared) -> Result<ImageBatch, TrainError> {
        let pass = |pixels: Tensor| frozen_pass(self.clip, pixels.to_device(self.clip.device())?, self.needs);
        match (chunk, self.features) {
            (Prepared::Key(key), Some(store)) => {
                let count = items.len() * self.clip.config.projection_dim;
                let rows = store.get_or(&key, count, || feature_rows(&pass(self.pixels(items)?)?))?;
                pooled_batch(self.clip, rows.to_vec())
            }
            (Prepared::Pixels(pixels), _) => pass(pixels),
            (Prepared::Key(_), None) => pass(self.pixels(items)?),
        }
    }

    fn pixels(&self, items: &[(&Item, u32)]) -> Result<Tensor, TrainError> {
        test_pixels(self.source, items, self.clip.config.image_size, &Device::Cpu)
    }
}
