//! Picks the reader for a layout, and reads a split file that the user brings.
//!
//! A user's split file replaces the lists of any layout; its paths are relative to the folder that
//! CoOp's own file would use, or to the dataset's folder where CoOp has none.

use std::path::Path;

use super::{coop_split_json, fgvc_lists, image_folder, imagenet_folders, imagenet_variant};
use crate::data::manifest::{Layout, Manifest};
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

/// Reads a dataset's lists under `root`; no image is opened.
pub(in crate::data) fn read_lists(
    manifest: &Manifest,
    root: &Path,
    split_override: Option<&Path>,
) -> Result<Lists, DataError> {
    if let Some(file) = split_override {
        let base = manifest.split_images_dir().unwrap_or_else(|| manifest.folder.as_str().to_owned());
        let mut lists = read_split(file, &base)?;
        if matches!(manifest.layout, Layout::ImageFolder) {
            image_folder::refuse_same_prompts(file, &lists.class_names)?;
        }
        lists.notes.push("the lists are from a split file of the user".to_owned());
        return Ok(lists);
    }
    match &manifest.layout {
        Layout::CoopSplitJson { images_dir, split_file } => {
            coop_split_json::read(manifest, root, images_dir, split_file)
        }
        Layout::FgvcLists { .. } => fgvc_lists::read(manifest, root),
        Layout::ImagenetFolders { train_dir, test_dir, class_names_file } => {
            imagenet_folders::read(manifest, root, train_dir, test_dir, class_names_file)
        }
        Layout::ImagenetVariant { images_dir, class_names_file, .. } => {
            imagenet_variant::read(manifest, root, images_dir, class_names_file)
        }
        Layout::ImageFolder => image_folder::read(root),
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
