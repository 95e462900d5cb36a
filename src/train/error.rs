//! What can stop a training or an evaluation.

use crate::data::PixelError;
use crate::method::MethodError;

/// An error of training or evaluation.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A recipe that cannot be trained.
    #[error("read the recipe of {method}: {reason}")]
    Recipe {
        /// Method id.
        method: String,
        /// What is wrong, with key and value.
        reason: String,
    },
    /// A number that is not finite.
    #[error("train: {tensor} is not finite at epoch {epoch}, step {step}; try a lower learning rate")]
    NotFinite {
        /// `logits`, `loss`, `gradient of NAME`, or the NAME of a parameter.
        tensor: String,
        /// Epoch, from 0.
        epoch: usize,
        /// Step within the epoch, from 0.
        step: usize,
    },
    /// A trained parameter that the loss does not reach.
    #[error("train: no gradient reached {0}: the loss does not depend on it")]
    NoGradient(String),
    /// Logits that are not finite in evaluation.
    #[error("evaluate: logits of {path} are not finite")]
    Logits {
        /// Item path.
        path: String,
    },
    /// A view that cannot be cut out of its image.
    #[error("cut a view out of {path}: {reason}")]
    View {
        /// Item path.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A checkpoint that cannot be kept.
    #[error("keep a checkpoint of the training: {reason}")]
    Checkpoint {
        /// What is wrong.
        reason: String,
    },
    /// A folder for features that cannot be used.
    #[error("open the cache {}: {reason}; give --cache a folder that can be written to", folder.display())]
    Cache {
        /// The folder.
        folder: std::path::PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Nothing to train or test on.
    #[error("{0}")]
    Empty(String),
    /// The run was asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// An image could not be had.
    #[error(transparent)]
    Pixels(#[from] PixelError),
    /// The method failed.
    #[error(transparent)]
    Method(MethodError),
}

impl From<MethodError> for TrainError {
    fn from(error: MethodError) -> Self {
        match error {
            MethodError::Interrupted => Self::Interrupted,
            MethodError::Pixels(error) => Self::Pixels(error),
            other => Self::Method(other),
        }
    }
}

impl From<candle_core::Error> for TrainError {
    fn from(error: candle_core::Error) -> Self {
        Self::Method(MethodError::Tensor(error))
    }
}
