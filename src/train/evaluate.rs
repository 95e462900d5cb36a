//! One frozen pass over the test images serves every classifier of a dataset.

use candle_core::{DType, Tensor};

use super::error::TrainError;
use super::features::FeatureStore;
use super::images::{GRID, feature_rows, frozen_pass, pooled_batch};
use super::views::test_pixels;
use crate::backbone::Clip;
use crate::data::{ImageSource, Item};
use crate::method::{Classifier, ImageBatch, ImageNeed};
use crate::record::Prediction;

/// Keeps the predictions of one pass while it runs.
pub trait PassKeeper {
    /// Predictions made before, a list a classifier, all of one length: whole chunks of [`GRID`], or everything.
    fn resume(&mut self) -> Vec<Vec<Prediction>>;

    /// Whether the predictions so far should be kept.
    fn due(&self) -> bool;

    /// Keeps the predictions so far in place of those before.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`].
    fn keep(&mut self, predictions: &[Vec<Prediction>]) -> Result<(), TrainError>;

    /// Whether anything was kept: then the end of the pass is kept too.
    fn in_use(&self) -> bool;
}

/// The test images of a pass.
pub struct TestImages<'a> {
    /// The frozen model.
    pub clip: &'a Clip,
    /// Where pixels come from.
    pub source: &'a dyn ImageSource,
    /// Items with their labels among the classes that compete.
    pub items: &'a [(&'a Item, u32)],
    /// The most that a classifier reads of an image.
    pub need: ImageNeed,
    /// Features of earlier runs, where there are any.
    pub features: Option<&'a FeatureStore>,
}

impl TestImages<'_> {
    /// One chunk of the grid after the frozen pass. Pooled features alone may be stored ones: the grid makes them
    /// the same to the last bit.
    fn chunk(&self, items: &[(&Item, u32)]) -> Result<ImageBatch, TrainError> {
        let side = self.clip.config.image_size;
        let pass = || {
            let pixels = test_pixels(self.source, items, side, self.clip.device())?;
            frozen_pass(self.clip, pixels, self.need)
        };
        let Some(store) = self.features.filter(|_| self.need == ImageNeed::Features) else { return pass() };
        let mut key = store.key(side);
        for (item, _) in items {
            key.image(&self.source.pixels_sha256(item)?, &["test"]);
        }
        let count = items.len() * self.clip.config.projection_dim;
        let rows = store.get_or(&key.finish(), count, || feature_rows(&pass()?))?;
        pooled_batch(self.clip, rows.to_vec())
    }
}

/// Predictions of every classifier over the images, in item order. Chunks are fixed by the item order alone, so a prediction does not depend on which other
/// classifiers take part, on whether they fail, nor on where the pass was taken up again. A classifier whose
/// logits are not finite, or that cannot be computed, has an error instead of predictions.
///
/// # Errors
/// An image that cannot be had, predictions that cannot be kept, an interruption.
pub fn evaluate(
    images: &TestImages<'_>,
    classifiers: &[Box<dyn Classifier>],
    keeper: &mut dyn PassKeeper,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Result<Vec<Prediction>, TrainError>>, TrainError> {
    let mut predictions = keeper.resume();
    predictions.resize(classifiers.len(), Vec::new());
    let mut errors: Vec<Option<TrainError>> = classifiers.iter().map(|_| None).collect();
    let made = predictions.first().map_or(0, Vec::len);
    for chunk in images.items[made..].chunks(GRID) {
        let stopping = stop();
        if stopping || keeper.due() {
            keeper.keep(&predictions)?;
        }
        if stopping {
            return Err(TrainError::Interrupted);
        }
        let batch = images.chunk(chunk)?;
        for ((classifier, rows), error) in classifiers.iter().zip(&mut predictions).zip(&mut errors) {
            if error.is_none() {
                let logits = classifier.logits(&batch).map_err(TrainError::from);
                *error = logits.and_then(|logits| append(&logits, chunk, rows)).err();
            }
        }
    }
    if made < images.items.len() && keeper.in_use() {
        keeper.keep(&predictions)?;
    }
    let outcome = |(rows, error): (Vec<Prediction>, Option<TrainError>)| error.map_or(Ok(rows), Err);
    Ok(predictions.into_iter().zip(errors).map(outcome).collect())
}

fn append(logits: &Tensor, items: &[(&Item, u32)], out: &mut Vec<Prediction>) -> Result<(), TrainError> {
    let rows = logits.to_dtype(DType::F64)?.to_vec2::<f64>()?;
    for ((item, label), row) in items.iter().zip(rows) {
        if row.iter().any(|x| !x.is_finite()) {
            return Err(TrainError::Logits { path: item.path.clone() });
        }
        out.push(Prediction {
            path: item.path.clone(),
            label: *label,
            predicted: argmax(&row),
            p_true: probability(&row, *label),
        });
    }
    Ok(())
}

/// The highest entry; ties go to the lower index.
fn argmax(row: &[f64]) -> u32 {
    let better = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
    (1..row.len()).fold(0, better) as u32
}

/// Softmax probability of `label`; 0 for a label outside the row.
fn probability(row: &[f64], label: u32) -> f32 {
    let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = row.iter().map(|x| (x - top).exp()).sum();
    row.get(label as usize).map_or(0.0, |x| ((x - top).exp() / sum) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_lower_class() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(argmax(&[2.0]), 0);
    }

    #[test]
    fn probabilities_sum_to_one() {
        let row = [1000.0, 1001.0, 999.0];
        let sum: f32 = (0..3).map(|label| probability(&row, label)).sum();
        assert!((sum - 1.0).abs() < 1e-6);
        assert_eq!(probability(&row, 7), 0.0);
    }
}
