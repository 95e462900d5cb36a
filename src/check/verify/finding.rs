//! What a verification found.

use serde::Serialize;

use super::tolerance::Tolerance;

use crate::record::StoreError;
use crate::suite::SuiteError;

/// What was found about one record.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CellVerdict {
    /// The record file, as it was given.
    pub record_path: String,
    /// Coordinates in words; empty where the file is no record.
    pub cell: String,
    /// What is wrong. Empty: the record holds.
    pub faults: Vec<String>,
    /// What differs between the record's machine and build and this one, where the cell was run again.
    pub environment: Vec<String>,
    /// Whether another program made the result: it can be held against its own files, never verified.
    pub imported: bool,
    /// The second run against the first, where the cell was run again.
    pub comparison: Option<Comparison>,
}

impl CellVerdict {
    /// Whether nothing is wrong.
    pub fn passes(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A second run against the recorded one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Every predictions file and the trained parameters have the recorded bytes.
    pub bit_equal: bool,
    /// Whether they had to: same kind of machine, same build.
    pub bit_equality_expected: bool,
    /// What may differ elsewhere.
    pub tolerance: Tolerance,
    /// Predictions compared.
    pub predictions: u64,
    /// Predictions of another class.
    pub predictions_different: u64,
    /// Mean difference of the true class's probability.
    pub mean_p_true_diff: f64,
    /// Largest difference of the true class's probability.
    pub max_p_true_diff: f64,
}

/// Why a record could not be verified at all.
#[derive(Debug, thiserror::Error)]
pub enum RecheckError {
    /// A folder or file that cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cell cannot be run again.
    #[error("run {cell} again: {source}")]
    Run {
        /// Coordinates in words.
        cell: String,
        /// Why not.
        source: Box<SuiteError>,
    },
}
