//! The layout of most datasets: an image folder and CoOp's split JSON beside it.
//!
//! Where the file is missing CoOp invents one from the run's seed and keeps it; this reader refuses.

use std::path::Path;

use super::lists::{Lists, read_split};
use crate::data::checked::BelowPath;
use crate::data::manifest::Manifest;
use crate::data::{DataError, guide};

/// Reads the split file; `images_dir` and `split_file` are relative to the dataset's folder.
pub(super) fn read(
    manifest: &Manifest,
    root: &Path,
    images_dir: &BelowPath,
    split_file: &BelowPath,
) -> Result<Lists, DataError> {
    guide::require(manifest, root, images_dir, guide::images)?;
    let file = match packed_split(root, manifest, split_file) {
        Some(packed) => packed,
        None => guide::require(manifest, root, split_file, guide::split_file)?,
    };
    read_split(&file, &manifest.below_root(images_dir))
}

/// The gzipped form of the split file, where only that one is there.
fn packed_split(root: &Path, manifest: &Manifest, split_file: &BelowPath) -> Option<std::path::PathBuf> {
    let plain = manifest.below_root(split_file);
    let packed = root.join(format!("{plain}.gz"));
    (!root.join(plain).exists() && packed.is_file()).then_some(packed)
}
