//! Why a dataset could not be exported.

use crate::data::PixelError;
use crate::data::split_write::SplitWriteError;

/// Why a dataset could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The dataset's folder is there already; real data must never be overwritten.
    #[error("export dataset {dataset}: it exists already, choose another folder or remove it: {folder}")]
    Exists {
        /// Dataset id.
        dataset: String,
        /// The folder.
        folder: String,
    },
    /// The layout has no place for a list.
    #[error("export dataset {dataset}: layout {layout} has no {list} list, but {items} items are in it")]
    NoSuchList {
        /// Dataset id.
        dataset: String,
        /// Layout name.
        layout: &'static str,
        /// `train` or `val`.
        list: &'static str,
        /// Length of the list.
        items: usize,
    },
    /// A class cannot be written so that a reader finds it again.
    #[error("export dataset {dataset}: class {label} ({name:?}) {reason}")]
    Class {
        /// Dataset id.
        dataset: String,
        /// Its label.
        label: usize,
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// An item occurs twice.
    #[error("export dataset {dataset}: item {path} occurs twice in its lists")]
    RepeatedItem {
        /// Dataset id.
        dataset: String,
        /// Item path.
        path: String,
    },
    /// An item's pixels could not be had.
    #[error(transparent)]
    Pixels(#[from] PixelError),
    /// An item's pixels could not be encoded.
    #[error("encode image {path}: {reason}")]
    Encode {
        /// Item path.
        path: String,
        /// What the encoder said.
        reason: String,
    },
    /// The split file could not be made.
    #[error(transparent)]
    Split(#[from] SplitWriteError),
    /// A list file could not be made.
    #[error("make list file {file}: {reason}")]
    ListFile {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A file could not be written.
    #[error("write {file}: {reason}")]
    Write {
        /// The file or folder.
        file: String,
        /// What the system said.
        reason: String,
    },
}
