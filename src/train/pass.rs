//! One frozen pass over the test images serves every classifier of a dataset.

use candle_core::{DType, Tensor};

use super::ahead::ahead;
use super::error::TrainError;
use super::test_images::TestImages;
use crate::data::{Confidence, Item, Prediction};
use crate::method::{ClassifierSet, ImageBatch, MethodError, Shares};

/// Keeps the predictions of one pass while it runs.
pub trait PassKeeper {
    /// Predictions made before, a list a classifier, all of one length: whole chunks of the grid, or everything.
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

/// Keeps nothing: the pass is short, or made once and printed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPartials;

impl PassKeeper for NoPartials {
    fn resume(&mut self) -> Vec<Vec<Prediction>> {
        Vec::new()
    }

    fn due(&self) -> bool {
        false
    }

    fn keep(&mut self, _: &[Vec<Prediction>]) -> Result<(), TrainError> {
        Ok(())
    }

    fn in_use(&self) -> bool {
        false
    }
}

/// Classifiers of one head, computed together.
pub struct Panel {
    /// All of them.
    pub set: Box<dyn ClassifierSet>,
    /// Those whose predictions are asked for; the others hold their place for the sake of last bits.
    pub wanted: Vec<usize>,
}

/// Predictions of every wanted classifier over the images, in item order. Chunks are fixed by the item order alone, so a
/// prediction does not depend on which other classifiers take part, on whether they fail, nor on where the pass
/// was taken up again. `heard` is told after every chunk how many images are done. A classifier whose logits are not finite, or that cannot be computed, has an error instead
/// of predictions.
///
/// # Errors
/// An image that cannot be had, predictions that cannot be kept, an interruption.
pub fn evaluate(
    images: &TestImages<'_>,
    panels: &[Panel],
    keeper: &mut dyn PassKeeper,
    stop: &dyn Fn() -> bool,
    heard: &dyn Fn(usize),
) -> Result<Vec<Result<Vec<Prediction>, TrainError>>, TrainError> {
    let mut predictions = keeper.resume();
    let count = panels.iter().map(|panel| panel.wanted.len()).sum();
    predictions.resize(count, Vec::new());
    let mut errors: Vec<Option<TrainError>> = (0..count).map(|_| None).collect();
    let made = predictions.first().map_or(0, Vec::len);
    let mut done = made;
    let chunks = images.items[made..].chunks(images.clip.grid());
    let end = ahead(
        chunks,
        images.room(),
        |chunk| images.prepare(chunk),
        |chunk, prepared| {
            let stopping = stop();
            if stopping || keeper.due() {
                keeper.keep(&predictions)?;
            }
            if stopping {
                return Err(End::Error(TrainError::Interrupted));
            }
            if errors.iter().all(Option::is_some) {
                return Err(End::NobodyLeft);
            }
            let batch = images.pass(chunk, prepared.map_err(End::Error)?)?;
            let mut each = predictions.iter_mut().zip(&mut errors);
            for panel in panels {
                predict(
                    panel,
                    &batch,
                    chunk,
                    &mut each.by_ref().take(panel.wanted.len()).collect::<Vec<_>>(),
                );
            }
            done += chunk.len();
            heard(done);
            Ok(())
        },
    );
    if let Err(End::Error(error)) = end {
        return Err(error);
    }
    if made < images.items.len() && keeper.in_use() {
        keeper.keep(&predictions)?;
    }
    let outcome = |(rows, error): (Vec<Prediction>, Option<TrainError>)| error.map_or(Ok(rows), Err);
    Ok(predictions.into_iter().zip(errors).map(outcome).collect())
}

/// Why a pass ends before its last chunk.
enum End {
    /// Every classifier has failed: the rest of the images serves nobody.
    NobodyLeft,
    Error(TrainError),
}

impl From<TrainError> for End {
    fn from(error: TrainError) -> Self {
        Self::Error(error)
    }
}

/// Predictions of one chunk, or errors in their place; nothing is computed where all have failed before.
fn predict(
    panel: &Panel,
    batch: &ImageBatch,
    chunk: &[(&Item, u32)],
    each: &mut [(&mut Vec<Prediction>, &mut Option<TrainError>)],
) {
    if each.iter().all(|(_, error)| error.is_some()) {
        return;
    }
    match panel.set.logits(batch, Shares::All) {
        Ok(logits) => {
            for (index, (rows, error)) in panel.wanted.iter().zip(each) {
                if error.is_none() {
                    **error = append(&logits[*index], chunk, rows).err();
                }
            }
        }
        Err(error) => {
            let text = error.to_string();
            let again = || MethodError::Tensor(candle_core::Error::Msg(text.clone()));
            let all = std::iter::once(error).chain(std::iter::repeat_with(again));
            for ((_, slot), error) in each.iter_mut().filter(|(_, slot)| slot.is_none()).zip(all) {
                **slot = Some(error.into());
            }
        }
    }
}

fn append(logits: &Tensor, items: &[(&Item, u32)], out: &mut Vec<Prediction>) -> Result<(), TrainError> {
    let rows = logits.to_dtype(DType::F64)?.to_vec2::<f64>()?;
    for ((item, label), row) in items.iter().zip(rows) {
        if row.iter().any(|x| !x.is_finite()) {
            return Err(TrainError::Logits { path: item.path.clone() });
        }
        out.push(prediction(&row, item, *label));
    }
    Ok(())
}

/// The highest entry; ties go to the lower index.
fn argmax(row: &[f64]) -> usize {
    let better = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
    (1..row.len()).fold(0, better)
}

/// What logits say of an image: the class they choose, and softmax probabilities, computed in f64. A label outside
/// the row has probability 0.
fn prediction(row: &[f64], item: &Item, label: u32) -> Prediction {
    let best = argmax(row);
    let top = row.get(best).copied().unwrap_or_default();
    let sum: f64 = row.iter().map(|x| (x - top).exp()).sum();
    let p = |logit: f64| (logit - top).exp() / sum;
    let rivals = row.iter().enumerate().filter(|(index, _)| *index != best);
    let second = rivals.map(|(_, logit)| *logit).fold(f64::NEG_INFINITY, f64::max);
    Prediction {
        path: item.path.clone(),
        label,
        predicted: best as u32,
        p_true: row.get(label as usize).map_or(0.0, |logit| p(*logit) as f32),
        confidence: Some(Confidence { p_predicted: p(top) as f32, margin: (p(top) - p(second)) as f32 }),
    }
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
    fn probabilities_sum_to_one_and_the_margin_is_to_the_second() {
        let item = Item { path: "a.png".into(), label: 0 };
        let row = [1000.0, 1001.0, 999.0];
        let sum: f32 = (0..3).map(|label| prediction(&row, &item, label).p_true).sum();
        assert!((sum - 1.0).abs() < 1e-6);
        let outside = prediction(&row, &item, 7);
        assert_eq!((outside.p_true, outside.predicted), (0.0, 1));
        let sure = outside.confidence.unwrap();
        assert_eq!(sure.p_predicted, prediction(&row, &item, 1).p_true);
        assert!((sure.margin - (sure.p_predicted - prediction(&row, &item, 0).p_true)).abs() < 1e-7);
        let margin = |row: &[f64]| prediction(row, &item, 0).confidence.unwrap().margin;
        assert_eq!((margin(&[2.0, 2.0]), margin(&[5.0])), (0.0, 1.0));
    }
}
