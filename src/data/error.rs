//! Why a dataset could not be opened.
//!
//! A missing part says how to get it: nothing is ever made up in its place, least of all a split.

use super::manifest::ManifestError;
use super::split_json::SplitError;
use crate::util::mistaken;

/// Why a dataset could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The manifest is unknown or malformed.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The split file is malformed.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// A published draw cannot be used.
    #[error(transparent)]
    Draw(#[from] super::draw_error::DrawFileError),
    /// `--data` is not usable.
    #[error("use data root {value:?}: {reason}")]
    Root {
        /// What was given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file or folder that the dataset needs is not there.
    #[error("open dataset {dataset}: {what} is missing; {how_to_get}")]
    Missing {
        /// Dataset id.
        dataset: String,
        /// The missing file or folder.
        what: String,
        /// Where it can be had and where to put it.
        how_to_get: String,
    },
    /// A file or folder could not be read.
    #[error("read {file}: {reason}")]
    Read {
        /// The file or folder.
        file: String,
        /// What the system said.
        reason: String,
    },
    /// A line of a list file is malformed.
    #[error("parse {file}: line {line} is {value:?}, {reason}")]
    Line {
        /// The list file.
        file: String,
        /// Line number, from 1.
        line: usize,
        /// The line, shortened.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A class name file is not the one that the published results were made with.
    #[error(
        "check {file}: {place} is named {found:?}, CoOp's file says {expected:?}; look-alikes give other numbers, \
         fetch CoOp's file from {url}"
    )]
    ClassNames {
        /// The class name file.
        file: String,
        /// The class folder or line.
        place: String,
        /// What the file says.
        found: String,
        /// What CoOp's file says.
        expected: String,
        /// Where CoOp's file can be had.
        url: String,
    },
    /// A folder does not hold what the layout says.
    #[error("read folder {folder}: {reason}")]
    Folder {
        /// The folder.
        folder: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Some of the wanted datasets cannot be opened.
    #[error("open datasets:\n{}{}", .missing.join("\n"), advice(.available))]
    SomeUnavailable {
        /// One line a dataset.
        missing: Vec<String>,
        /// The wanted datasets that can be opened.
        available: Vec<String>,
    },
}

fn advice(available: &[String]) -> String {
    if available.is_empty() {
        "\nnone of the wanted datasets is available".to_owned()
    } else {
        format!("\nthe others run with --datasets {}", available.join(","))
    }
}

impl DataError {
    /// The error of a failed read of `path`.
    pub(super) fn read(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Read { file: path.display().to_string(), reason: error.to_string() }
    }

    /// The text of a list or class name file, or the error that names it.
    pub(super) fn read_text(path: &std::path::Path) -> Result<String, Self> {
        /// FGVCAircraft's longest list has 110 KB, ImageNet's class names 22 KB.
        const LIMIT: u64 = 32 << 20;
        let named = |error: mistaken::TextError| Self::Read {
            file: path.display().to_string(),
            reason: error.to_string(),
        };
        mistaken::read_text(path, LIMIT).map_err(named)
    }

    /// The error of a bad line; `index` counts from 0.
    pub(super) fn line(file: &std::path::Path, index: usize, value: &str, reason: impl Into<String>) -> Self {
        Self::Line {
            file: file.display().to_string(),
            line: index + 1,
            value: value.chars().take(120).collect(),
            reason: reason.into(),
        }
    }

    /// The error of a folder that holds something else.
    pub(super) fn folder(folder: &std::path::Path, reason: impl Into<String>) -> Self {
        Self::Folder { folder: folder.display().to_string(), reason: reason.into() }
    }
}
