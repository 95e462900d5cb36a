//! Why a few-shot draw that somebody published cannot be used.

use super::split_json::SplitError;

/// Why a published draw cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DrawFileError {
    /// The file could not be read or unpacked.
    #[error("use a published draw: {0}")]
    Read(#[from] SplitError),
    /// The folder has no file for a draw.
    #[error(
        "use a published draw: {file} is missing; fetch it, or run only seeds and shots that the folder has"
    )]
    Missing {
        /// The expected file.
        file: String,
    },
    /// Not JSON of the expected shape.
    #[error("parse draw file {file}: {reason}")]
    Json {
        /// The draw file.
        file: String,
        /// What the parser said, with line and column.
        reason: String,
    },
    /// An entry that is not an item of the training list.
    #[error("check draw file {file}: train.data[{position}] is {value}, {reason}")]
    Entry {
        /// The draw file.
        file: String,
        /// Position in the list, from 0.
        position: usize,
        /// Its path, shortened.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A row of a list that is not an item of the training list.
    #[error("check draw file {file}: line {line}: {reason}")]
    Row {
        /// The draw file.
        file: String,
        /// Its line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A class with too few or too many items.
    #[error("check draw file {file}: class {label} has {found} items, a draw of this size has {expected}")]
    Count {
        /// The draw file.
        file: String,
        /// The class.
        label: u32,
        /// Items of the class in the file.
        found: usize,
        /// The number of shots, or all training items where the class has fewer.
        expected: usize,
    },
}
