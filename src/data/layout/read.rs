//! Picks the reader for a layout, or the split file that the user brings.
//!
//! A user's split file replaces the lists of any layout; its paths are relative to the folder that
//! CoOp's own file would use, or to the dataset's folder where CoOp has none.

use std::path::Path;

use super::lists::{Lists, read_split};
use super::{coop_split_json, fgvc_lists, image_folder, imagenet_folders, imagenet_variant};
use crate::data::DataError;
use crate::data::manifest::{Layout, Manifest};

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
