//! What can stop a pretraining.

use std::path::PathBuf;

use crate::backbone::{LayoutError, LoadError, TokenizerError, WeightsError};

/// An error of the pretraining.
#[derive(Debug, thiserror::Error)]
pub enum PretrainError {
    /// A setting out of range.
    #[error("pretrain: {0}")]
    Setting(String),
    /// A number that is not finite.
    #[error("pretrain: {tensor} is not finite at step {step}; try a lower --learning-rate")]
    NotFinite {
        /// `loss` or a weight's name.
        tensor: String,
        /// Step, from 0.
        step: u64,
    },
    /// A checkpoint that does not fit these settings.
    #[error("resume from {path}: {reason}; delete the file to start over")]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A file that cannot be written or read.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The run was asked to stop; its last checkpoint is kept.
    #[error("interrupted; the same command continues from the last checkpoint")]
    Interrupted,
    /// Captions that cannot be laid out.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Captions that cannot be tokenised.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The model does not fit its configuration.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The result cannot be written.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The curve cannot be drawn.
    #[error(transparent)]
    Curve(#[from] Box<crate::report::ReportError>),
    /// candle refused an operation.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl PretrainError {
    /// Wraps an I/O error with what was tried.
    pub(super) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
