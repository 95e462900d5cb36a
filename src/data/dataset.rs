//! An opened dataset: its lists, class names and where its files lie. No image is opened here.
//!
//! `split_sha256` is over the ordered lists as this program sees them, so it exists for every layout;
//! the digest of a split *file* is another number and only split-file layouts have one.

use crate::util::hex;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::checked::Template;
use super::file_source::FileSource;
use super::manifest::Manifest;
use super::{Item, Split};

/// A dataset whose lists have been read.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The id used on the command line and in records.
    pub id: String,
    /// Class names as their source has them (underscores kept); the index is the label.
    pub class_names: Vec<String>,
    /// The three lists, shared by clones; item paths are relative to `root`.
    pub split: Arc<Split>,
    /// The data root.
    pub root: PathBuf,
    /// [`lists_sha256`] of `split`.
    pub split_sha256: String,
    /// SHA-256 of the unpacked split file that was read, for layouts that have one.
    pub split_file_sha256: Option<String>,
    /// What is known about the dataset.
    pub manifest: Manifest,
    /// What a reader of results should be told about this copy of the data.
    pub notes: Vec<String>,
}

/// Lengths of the lists, and the number of classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCounts {
    /// Number of classes.
    pub classes: usize,
    /// Length of the training list.
    pub train: usize,
    /// Length of the validation list.
    pub val: usize,
    /// Length of the test list.
    pub test: usize,
}

impl Dataset {
    /// The zero-shot template.
    pub fn template(&self) -> &Template {
        &self.manifest.prompt.template
    }

    /// Lengths of the lists.
    pub fn counts(&self) -> ListCounts {
        ListCounts {
            classes: self.class_names.len(),
            train: self.split.train.len(),
            val: self.split.val.len(),
            test: self.split.test.len(),
        }
    }

    /// The pixels behind the items.
    pub fn source(&self) -> FileSource {
        FileSource::new(self.root.clone())
    }
}

/// SHA-256 over the three ordered lists, paths and labels, as 64 lower-case hex digits.
///
/// Lengths are hashed before contents, so no two different splits feed the same bytes.
pub fn lists_sha256(split: &Split) -> String {
    let mut hash = Sha256::new();
    for list in [&split.train, &split.val, &split.test] {
        hash.update((list.len() as u64).to_le_bytes());
        for Item { path, label } in list {
            hash.update((path.len() as u64).to_le_bytes());
            hash.update(path.as_bytes());
            hash.update(label.to_le_bytes());
        }
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_sees_order_label_and_list() {
        let item = |path: &str, label| Item { path: path.into(), label };
        let split = |train: Vec<Item>, val: Vec<Item>| Split { train, val, test: Vec::new() };
        let base = lists_sha256(&split(vec![item("a", 0), item("b", 1)], vec![]));
        assert_eq!(base.len(), 64);
        for other in [
            split(vec![item("b", 1), item("a", 0)], vec![]),
            split(vec![item("a", 0)], vec![item("b", 1)]),
            split(vec![item("a", 0), item("b", 0)], vec![]),
        ] {
            assert_ne!(base, lists_sha256(&other));
        }
    }
}
