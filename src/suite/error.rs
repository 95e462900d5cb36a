//! What can stop a suite.

use crate::backbone::{LoadError, TokenizerError, WeightsError};
use crate::data::DataError;
use crate::frame::FrameError;
use crate::method::MethodError;
use crate::record::StoreError;
use crate::report::ReportError;
use crate::train::TrainError;

/// An error of a suite.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// No suite of that name.
    #[error("find suite {name:?}: unknown; known: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// All known names.
        known: String,
    },
    /// A suite file that is not one.
    #[error("read suite file {path}: {reason}")]
    File {
        /// The file, as it was named.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// An override that names nothing.
    #[error("set {key}={value}: {reason}")]
    Override {
        /// Dotted key.
        key: String,
        /// Its value.
        value: String,
        /// What is wrong, and what is near.
        reason: String,
    },
    /// A dataset that cannot be used in this suite.
    #[error("use dataset {id}: {reason}")]
    Dataset {
        /// Dataset id.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// Prompts that cannot be read from a file, or do not fit.
    #[error("use prompts of {what}: {reason}")]
    Prompts {
        /// The file, or the training run it belongs to.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// Token features that a method must not touch were touched.
    #[error(
        "measure {method}: its {tower} prompts moved token features by {value:e}, at most {limit:e} expected"
    )]
    Touched {
        /// Method id.
        method: String,
        /// `text` or `vision`.
        tower: &'static str,
        /// Largest relative distance found.
        value: f64,
        /// Largest allowed.
        limit: f64,
    },
    /// A step in the life of a cell that does not follow from its state: a fault of this program.
    #[error(
        "run cell {key}: it is {from} and cannot be {to}; this is a fault of rpo-bench, please report it"
    )]
    Step {
        /// Key of the cell.
        key: String,
        /// Its state.
        from: &'static str,
        /// What was tried.
        to: &'static str,
    },
    /// A run that cannot fit into memory.
    #[error(
        "fit into memory: at least {needed_mib} MiB are needed beside the model ({largest}), {available_mib} MiB are \
         free; keep fewer views (--set views_bank=N), train fewer prompts or smaller batches, or work on fewer datasets at once (--threads 1)"
    )]
    Memory {
        /// Lower bound of the need.
        needed_mib: u64,
        /// What the system can give.
        available_mib: u64,
        /// The dataset that needs most, and how much.
        largest: String,
    },
    /// A run without a single record.
    #[error(
        "render the report of {run}: no cell is finished yet ({planned} planned, {running} being run by a living \
         process); wait for it, or run the suite"
    )]
    NothingFinished {
        /// Name of the run.
        run: String,
        /// Cells that commands on it asked for.
        planned: usize,
        /// Cells that living processes hold.
        running: usize,
    },
    /// A combination of options that cannot run.
    #[error("{0}")]
    Usage(String),
    /// The data cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The model does not fit.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A prompt cannot be tokenised.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// A method refuses its settings.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// Training or evaluation failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Records cannot be written or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Predictions cannot be written.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The report cannot be rendered.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// candle refused an operation.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}
