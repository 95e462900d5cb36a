//! What can be wrong with a dataset on disk, as values that print and serialise.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::{DataError, ListCounts};

/// One thing that is wrong. Item paths are relative to the data root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// The dataset's lists cannot be read, so no image was looked at.
    CannotOpen {
        /// The error, with what to do next.
        reason: String,
    },
    /// A figure differs from the published one.
    WrongCount {
        /// Which figure: a list, `classes`, or the test images of a half.
        what: String,
        /// The published figure.
        expected: usize,
        /// What the lists say.
        found: usize,
    },
    /// The split file is not the published one.
    WrongSplitHash {
        /// Published SHA-256 of the unpacked file.
        expected: String,
        /// Its SHA-256.
        found: String,
    },
    /// A path stands twice in the lists.
    RepeatedPath {
        /// Item path.
        path: String,
        /// The list of its first entry.
        first_list: String,
        /// The list of its second entry.
        second_list: String,
    },
    /// A listed file is not there.
    MissingFile {
        /// Item path.
        path: String,
    },
    /// A listed path is a folder or a device.
    NotAFile {
        /// Item path.
        path: String,
    },
    /// A listed file has no bytes.
    EmptyFile {
        /// Item path.
        path: String,
    },
    /// A listed file cannot be read or decoded.
    UnreadableImage {
        /// Item path.
        path: String,
        /// What the system or the decoder said.
        reason: String,
    },
    /// A test image has the same bytes as a training or validation image.
    DuplicateAcrossTrainAndTest {
        /// The training or validation item.
        train_path: String,
        /// The test item.
        test_path: String,
        /// SHA-256 of both files.
        sha256: String,
    },
}

/// Whether a fault makes results wrong or impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; published lists can have it.
    Warning,
    /// Results would be wrong, incomparable, or impossible.
    Error,
}

impl Fault {
    /// Whether the fault makes results wrong or impossible.
    pub fn severity(&self) -> Severity {
        match self {
            Fault::DuplicateAcrossTrainAndTest { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::CannotOpen { reason } => write!(f, "cannot be opened: {reason}"),
            Fault::WrongCount { what, expected, found } => {
                write!(f, "{what}: published {expected}, found {found}")
            }
            Fault::WrongSplitHash { expected, found } => {
                write!(f, "split file: published sha256 {expected}, found {found}")
            }
            Fault::RepeatedPath { path, first_list, second_list } => {
                write!(f, "listed twice, in {first_list} and {second_list}: {path}")
            }
            Fault::MissingFile { path } => write!(f, "missing file: {path}"),
            Fault::NotAFile { path } => write!(f, "not a file: {path}"),
            Fault::EmptyFile { path } => write!(f, "empty file: {path}"),
            Fault::UnreadableImage { path, reason } => write!(f, "unreadable image ({reason}): {path}"),
            Fault::DuplicateAcrossTrainAndTest { train_path, test_path, .. } => {
                write!(f, "same bytes in test and train: {test_path} = {train_path}")
            }
        }
    }
}

/// What one verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Dataset id.
    pub dataset: String,
    /// True if images were not opened.
    pub quick: bool,
    /// Lengths of the lists; absent if the dataset cannot be opened.
    pub counts: Option<ListCounts>,
    /// SHA-256 over the ordered lists; absent if the dataset cannot be opened.
    pub split_sha256: Option<String>,
    /// Files whose presence and size were checked.
    pub checked_files: usize,
    /// Files that were read and decoded, in this run or the one it resumed.
    pub decoded_images: usize,
    /// What is wrong, in the order of the lists.
    pub faults: Vec<Fault>,
    /// What a reader of results should be told about this copy.
    pub notes: Vec<String>,
}

impl VerifyReport {
    /// True without a fault of severity error.
    pub fn passed(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    /// Number of faults of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.faults.iter().filter(|fault| fault.severity() == severity).count()
    }
}

/// Why a verification could not be made. What is wrong with the data is a [`Fault`] instead.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The dataset is unknown.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The state file cannot be used.
    #[error("use state file {file}: {reason}")]
    State {
        /// The state file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl VerifyError {
    pub(super) fn state(path: &Path, reason: String) -> Self {
        Self::State { file: path.display().to_string(), reason }
    }
}
