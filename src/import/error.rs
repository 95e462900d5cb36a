//! Why something cannot be imported: always the file, and what of it.

use std::path::{Path, PathBuf};

use crate::handout::HandoutError;
use crate::record::StoreError;

/// Failure to import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file or folder that cannot be read.
    #[error("read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is not in a known form.
    #[error("import {file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A row that cannot be believed.
    #[error("import {file}: line {line}: {reason}")]
    Row {
        /// The file.
        file: String,
        /// Its line, from 1; the header is line 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Another result of the same cell was imported before.
    #[error(
        "import {what}: the run holds other numbers of this cell, from {source_file}; to replace them first give \
         `rpo-bench runs forget {run} --where key={key}`"
    )]
    Conflict {
        /// The cell in words.
        what: String,
        /// The file of the earlier import.
        source_file: String,
        /// The run.
        run: String,
        /// First digits of its key.
        key: String,
    },
    /// Results on other lists than the run's own.
    #[error(
        "import {what}: the run {run} was made on other lists ({theirs} there, {ours} here); give the --data it was \
         made with, or another --run"
    )]
    OtherLists {
        /// The cell in words.
        what: String,
        /// The run.
        run: String,
        /// First digits of the run's hash of its lists.
        theirs: String,
        /// Of those here.
        ours: String,
    },
    /// Lists that cannot be had.
    #[error(transparent)]
    Handout(#[from] HandoutError),
    /// The run directory.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportError {
    /// A file in no known form.
    pub fn file(file: &str, reason: impl Into<String>) -> Self {
        Self::File { file: file.to_owned(), reason: reason.into() }
    }

    /// A row that cannot be believed.
    pub fn row(file: &str, line: usize, reason: impl Into<String>) -> Self {
        Self::Row { file: file.to_owned(), line, reason: reason.into() }
    }
}

/// Most bytes of a file that is read: the predictions of a hundred times ImageNet's test set.
const MAX_BYTES: u64 = 1 << 30;

/// The bytes of a file.
///
/// # Errors
/// [`ImportError::Io`]; [`ImportError::File`] for one too large to be what it should be.
pub fn read(path: &Path) -> Result<Vec<u8>, ImportError> {
    let io = |source| ImportError::Io { path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(io)?.len();
    if size > MAX_BYTES {
        let reason = format!("it has {size} bytes, no list of results has more than {MAX_BYTES}");
        return Err(ImportError::file(&path.display().to_string(), reason));
    }
    std::fs::read(path).map_err(io)
}
