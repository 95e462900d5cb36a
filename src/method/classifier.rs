//! What a method comes to once it is bound: a classifier, and what its training minimises.

use candle_core::Tensor;

use super::error::MethodError;
use super::images::ImageBatch;
use crate::backbone::nn::cross_entropy;

/// A method bound to a class set and to parameters.
pub trait Classifier: Send + Sync {
    /// Logits `[batch, classes]`.
    ///
    /// # Errors
    /// [`MethodError::Images`] when the batch lacks what the method reads.
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError>;

    /// What a step on these images and labels `[batch]` minimises; the mean cross-entropy of the logits where the
    /// method says nothing else.
    ///
    /// # Errors
    /// As [`Classifier::logits`].
    fn objective(&self, images: &ImageBatch, labels: &Tensor) -> Result<Objective, MethodError> {
        Objective::cross_entropy(self.logits(images)?, labels)
    }
}

/// What a step minimises.
#[derive(Clone, Debug)]
pub struct Objective {
    /// Logits `[batch, classes]`.
    pub logits: Tensor,
    /// The whole loss, a scalar (nats where it is a cross-entropy).
    pub loss: Tensor,
    /// The loss's weighted terms by name, where it has several.
    pub terms: Vec<(&'static str, Tensor)>,
    /// A second loss that the gradient must not work against.
    pub guide: Option<Guide>,
}

/// A loss with gradient h: where the objective's gradient g opposes it (g·h < 0), `strength` times g's part along h is
/// taken away.
#[derive(Clone, Debug)]
pub struct Guide {
    /// The guiding loss, a scalar.
    pub loss: Tensor,
    /// 1 takes away all of the opposing part.
    pub strength: f64,
}

impl Objective {
    /// Mean cross-entropy of logits `[batch, classes]` with labels `[batch]`.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn cross_entropy(logits: Tensor, labels: &Tensor) -> Result<Self, MethodError> {
        let loss = cross_entropy(&logits, labels)?;
        Ok(Self { logits, loss, terms: Vec::new(), guide: None })
    }

    /// Cross-entropy and further weighted terms, which are added in order.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn with_terms(
        logits: Tensor,
        labels: &Tensor,
        terms: Vec<(&'static str, Tensor)>,
    ) -> Result<Self, MethodError> {
        let plain = Self::cross_entropy(logits, labels)?;
        let loss = terms.iter().try_fold(plain.loss.clone(), |sum, (_, term)| sum + term)?;
        let terms = std::iter::once(("ce", plain.loss.clone())).chain(terms).collect();
        Ok(Self { loss, terms, ..plain })
    }
}
