//! What can stop a benchmark.

use crate::backbone::WeightsError;
use crate::data::ManifestError;
use crate::method::MethodError;
use crate::train::TrainError;

/// An error of a benchmark.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// No model shape of that name.
    #[error("find model shape {name:?}: unknown; known: {known}")]
    Shape {
        /// What was asked for.
        name: String,
        /// All known names.
        known: String,
    },
    /// A number that cannot be timed.
    #[error("time {what}: {reason}")]
    Setting {
        /// `batch`, `classes`, …
        what: &'static str,
        /// What is wrong, with the value.
        reason: String,
    },
    /// The system does not say what a process used.
    #[error(
        "read the process's {what}: the system does not say; benchmarks count CPU-seconds and need Linux's /proc"
    )]
    Proc {
        /// What was asked for.
        what: &'static str,
    },
    /// A made-up run could not be written or its report not be made.
    #[error(transparent)]
    Report(#[from] Box<crate::suite::SuiteError>),
    /// A manifest of this program is damaged.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The model could not be built.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The method refused its settings or failed.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// The step or the evaluation failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// candle refused an operation.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}
