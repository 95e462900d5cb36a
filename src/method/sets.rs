//! Several classifiers of one head together: the trainings or tests of several seeds in as few products as a method can.

use candle_core::Tensor;

use super::contract::{Classifier, ImageBatch};
use super::error::MethodError;

/// Which images each classifier of a set sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shares {
    /// Every classifier all of them.
    All,
    /// The images are cut evenly among the classifiers, in order.
    Even,
}

impl Shares {
    /// What classifier `index` of `count` sees of `images`.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub(super) fn of(
        self,
        index: usize,
        count: usize,
        images: &ImageBatch,
    ) -> Result<ImageBatch, MethodError> {
        match self {
            Self::All => Ok(images.clone()),
            Self::Even => {
                let each = self.each(count, images)?;
                images.narrow(index * each, each)
            }
        }
    }

    /// Images that each of `count` classifiers sees.
    ///
    /// # Errors
    /// [`MethodError::Tensor`] where they cannot be cut evenly.
    pub(super) fn each(self, count: usize, images: &ImageBatch) -> Result<usize, MethodError> {
        let all = images.frozen.len();
        match self {
            Self::All => Ok(all),
            Self::Even if count > 0 && all.is_multiple_of(count) => Ok(all / count),
            Self::Even => {
                Err(candle_core::Error::Msg(format!("{all} images for {count} classifiers")).into())
            }
        }
    }
}

/// Classifiers of one head, in a fixed order. What one of them computes does not depend on the others' parameters,
/// bit for bit; how many they are decides last bits.
pub trait ClassifierSet: Send + Sync {
    /// Logits `[its images, classes]` of every classifier, in order.
    ///
    /// # Errors
    /// [`MethodError::Images`] when the batch lacks what the method reads.
    fn logits(&self, images: &ImageBatch, shares: Shares) -> Result<Vec<Tensor>, MethodError>;
}

/// Classifiers that share no product.
pub(super) struct OneByOne(pub Vec<Box<dyn Classifier>>);

impl ClassifierSet for OneByOne {
    fn logits(&self, images: &ImageBatch, shares: Shares) -> Result<Vec<Tensor>, MethodError> {
        let each = self.0.iter().enumerate();
        each.map(|(index, one)| one.logits(&shares.of(index, self.0.len(), images)?)).collect()
    }
}

/// A set of one, as a classifier.
pub(super) struct Alone(pub Box<dyn ClassifierSet>);

impl Classifier for Alone {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        let logits = self.0.logits(images, Shares::All)?;
        logits
            .into_iter()
            .next()
            .ok_or_else(|| candle_core::Error::Msg("a set of no classifier".to_owned()).into())
    }
}
