//! A tree of class folders with files in them: the shape of ImageNet, its variants and users' folders.

use std::path::Path;

use rayon::prelude::*;

use super::listing;
use crate::data::{DataError, Item};

/// Which files of a class folder are images.
#[derive(Clone, Copy)]
pub(super) enum Files {
    /// All that are not hidden, as CoOp takes them.
    All,
    /// Those with the ending of an image format; the content still decides how they are decoded.
    KnownEndings,
}

const KNOWN_ENDINGS: &[&str] = &["jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff"];

impl Files {
    fn takes(self, name: &str) -> bool {
        match self {
            Files::All => true,
            Files::KnownEndings => name
                .rsplit_once('.')
                .is_some_and(|(_, end)| KNOWN_ENDINGS.contains(&end.to_ascii_lowercase().as_str())),
        }
    }
}

/// Lists `root/dir/FOLDER/*` for each folder, in the given order; the label is the folder's position.
///
/// # Errors
/// An unreadable folder, or one without an image: it is named.
pub(super) fn items(
    root: &Path,
    dir: &str,
    folders: &[String],
    files: Files,
) -> Result<Vec<Item>, DataError> {
    let classes: Vec<Vec<Item>> = folders
        .par_iter()
        .zip(0u32..folders.len() as u32)
        .map(|(folder, label)| class_items(root, &below(dir, folder), label, files))
        .collect::<Result<_, DataError>>()?;
    Ok(classes.into_iter().flatten().collect())
}

/// `dir/folder`, where `.` is the root itself.
fn below(dir: &str, folder: &str) -> String {
    if dir == "." { folder.to_owned() } else { format!("{dir}/{folder}") }
}

fn class_items(root: &Path, dir: &str, label: u32, files: Files) -> Result<Vec<Item>, DataError> {
    let folder = root.join(dir);
    let names = listing::files(&folder)?;
    let items: Vec<Item> = names
        .into_iter()
        .filter(|name| files.takes(name))
        .map(|name| Item { path: format!("{dir}/{name}"), label })
        .collect();
    if items.is_empty() {
        return Err(DataError::folder(&folder, "this class has no image"));
    }
    Ok(items)
}

/// The class folders of `dir`, sorted.
///
/// # Errors
/// An unreadable folder, or one without any class folder.
pub(super) fn class_folders(dir: &Path) -> Result<Vec<String>, DataError> {
    let folders = listing::folders(dir)?;
    if folders.is_empty() {
        return Err(DataError::folder(dir, "it holds no class folder"));
    }
    Ok(folders)
}

/// Refuses two trees whose class folders differ: positions would be different labels.
pub(super) fn same_classes(
    train_dir: &Path,
    train: &[String],
    test_dir: &Path,
    test: &[String],
) -> Result<(), DataError> {
    let lacks = |dir: &Path, class: &String, other: &Path| {
        Err(DataError::folder(dir, format!("class {class:?} of {} is not here", other.display())))
    };
    if let Some(class) = test.iter().find(|class| train.binary_search(class).is_err()) {
        return lacks(train_dir, class, test_dir);
    }
    if let Some(class) = train.iter().find(|class| test.binary_search(class).is_err()) {
        return lacks(test_dir, class, train_dir);
    }
    Ok(())
}

/// The class folders directly below `dir` and their images, paths relative to `dir`.
///
/// # Errors
/// As [`items`].
pub(in crate::data) fn class_tree_items(dir: &Path) -> Result<(Vec<String>, Vec<Item>), DataError> {
    let folders = class_folders(dir)?;
    let items = items(dir, ".", &folders, Files::KnownEndings)?;
    Ok((folders, items))
}
