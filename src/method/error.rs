//! What can go wrong inside a method.

use crate::backbone::LayoutError;
use crate::data::PixelError;

/// An error of a method: a setting it refuses, prompts it cannot lay out, or a tensor operation.
#[derive(Debug, thiserror::Error)]
pub enum MethodError {
    /// No method of that name.
    #[error("find method {name:?}: unknown; did you mean {nearest}? known: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The closest known id.
        nearest: String,
        /// All known ids.
        known: String,
    },
    /// A hyper-parameter is missing, unknown or out of range.
    #[error("read settings of {method}: {reason}")]
    Setting {
        /// Method id.
        method: String,
        /// What is wrong, with key and value.
        reason: String,
    },
    /// A parameter is missing or has another shape than the method needs.
    #[error("use parameter {name:?}: {reason}")]
    Parameter {
        /// Parameter name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The images were prepared without what this method reads.
    #[error("read images: {0} were not kept for this batch")]
    Images(&'static str),
    /// Initial values that follow from training images could not be had.
    #[error("set up from training images: {0}")]
    Shots(String),
    /// A training image could not be had.
    #[error(transparent)]
    Pixels(#[from] PixelError),
    /// The run was asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// Prompts that do not fit.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// candle refused an operation.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}
