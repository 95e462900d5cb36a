//! What every reader of a layout gives, and the reading of a split file, which may take the place of any layout's lists.

use std::path::Path;

use crate::data::{DataError, Item, Split, read_split_json};

/// What a reader finds.
pub(in crate::data) struct Lists {
    /// Class names; the index is the label.
    pub class_names: Vec<String>,
    /// The lists, paths relative to the data root.
    pub split: Split,
    /// SHA-256 of the unpacked split file, if one was read.
    pub split_file_sha256: Option<String>,
    /// What a reader of results should be told.
    pub notes: Vec<String>,
}

impl Lists {
    /// Lists that no split file stands behind.
    pub(super) fn new(class_names: Vec<String>, split: Split) -> Self {
        Self { class_names, split, split_file_sha256: None, notes: Vec::new() }
    }
}

/// Reads a split file whose paths are relative to `base` (`.` for the data root itself).
pub(super) fn read_split(file: &Path, base: &str) -> Result<Lists, DataError> {
    let read = read_split_json(file)?;
    let place = |items: Vec<Item>| -> Vec<Item> {
        let below = |path: String| if base == "." { path } else { format!("{base}/{path}") };
        items.into_iter().map(|item| Item { path: below(item.path), label: item.label }).collect()
    };
    let split =
        Split { train: place(read.split.train), val: place(read.split.val), test: place(read.split.test) };
    Ok(Lists {
        class_names: read.class_names,
        split,
        split_file_sha256: Some(read.sha256_uncompressed),
        notes: Vec::new(),
    })
}
