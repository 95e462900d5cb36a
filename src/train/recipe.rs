//! The training recipe all methods share: SGD under a warmed-up cosine.

use serde::Deserialize;

use super::error::TrainError;
use super::schedule::{WARMUP_EPOCHS, WARMUP_LEARNING_RATE, learning_rate};

/// Numbers of one training run, checked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Base learning rate, reached in epoch 1.
    pub learning_rate: f64,
    /// Images per step.
    pub batch_size: usize,
    /// Epochs, the warm-up epoch counted.
    pub epochs: usize,
}

impl Recipe {
    /// Refuses what cannot train.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] naming the key and its value.
    pub fn check(self, method: &str) -> Result<Self, TrainError> {
        let fail = |reason| Err(TrainError::Recipe { method: method.to_owned(), reason });
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return fail(format!("learning_rate is {}: expected a number above 0", self.learning_rate));
        }
        if self.batch_size == 0 {
            return fail("batch_size is 0: expected at least 1".to_owned());
        }
        if self.epochs == 0 {
            return fail("epochs is 0: expected at least 1".to_owned());
        }
        Ok(self)
    }

    /// What the warm-up leaves of a short training, in words; `None` where at least two epochs follow it.
    pub fn caution(&self) -> Option<String> {
        let after = self.epochs.saturating_sub(WARMUP_EPOCHS);
        (after < 2).then(|| {
            format!(
                "{} of {} epochs is the warm-up at a learning rate of {WARMUP_LEARNING_RATE:e}; {after} at the base rate",
                WARMUP_EPOCHS.min(self.epochs),
                self.epochs
            )
        })
    }

    /// Learning rate of `epoch` (from 0).
    pub fn learning_rate(&self, epoch: usize) -> f64 {
        learning_rate(self.learning_rate, self.epochs, epoch)
    }

    /// Steps of an epoch over `images` images: the last incomplete batch is dropped, unless the set
    /// is smaller than a batch.
    pub fn steps(&self, images: usize) -> usize {
        (images / self.batch_size).max(usize::from(images > 0))
    }
}
