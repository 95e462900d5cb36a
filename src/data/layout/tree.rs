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

/// What lies in class folders and is no item: how many, and one of each kind by its path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    /// Files without the ending of an image format.
    foreign: (usize, Option<String>),
    /// Folders below a class folder.
    folders: (usize, Option<String>),
    /// Names that start with a dot.
    hidden: (usize, Option<String>),
}

impl Skipped {
    fn add(&mut self, other: &Self) {
        let add = |sum: &mut (usize, Option<String>), part: &(usize, Option<String>)| {
            sum.0 += part.0;
            sum.1 = sum.1.take().or_else(|| part.1.clone());
        };
        add(&mut self.foreign, &other.foreign);
        add(&mut self.folders, &other.folders);
        add(&mut self.hidden, &other.hidden);
    }

    /// One sentence with the cure of each kind; none where nothing was skipped.
    pub fn note(&self, list: &str) -> Option<String> {
        let kind = |(count, example): &(usize, Option<String>), what: &str, cure: &str| {
            let example = example.as_deref().unwrap_or_default();
            (*count > 0).then(|| format!("{count} {what}, for example {example}{cure}"))
        };
        let known = KNOWN_ENDINGS.join(", ");
        let kinds: Vec<String> = [
            kind(&self.foreign, "without the ending of an image", &format!(" (known: {known}; rename them)")),
            kind(&self.folders, "folders below a class", " (move their files up)"),
            kind(&self.hidden, "hidden", ""),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!kinds.is_empty()).then(|| format!("skipped in {list}: {}", kinds.join("; ")))
    }
}

/// As [`items`] of [`Files::KnownEndings`], and what was skipped.
///
/// # Errors
/// As [`items`].
pub(super) fn items_and_skipped(
    root: &Path,
    dir: &str,
    folders: &[String],
) -> Result<(Vec<Item>, Skipped), DataError> {
    let items = items(root, dir, folders, Files::KnownEndings)?;
    let parts: Vec<Skipped> = folders
        .par_iter()
        .map(|folder| skipped(root, &below(dir, folder)))
        .collect::<Result<_, DataError>>()?;
    let mut sum = Skipped::default();
    parts.iter().for_each(|part| sum.add(part));
    Ok((items, sum))
}

fn skipped(root: &Path, dir: &str) -> Result<Skipped, DataError> {
    let folder = root.join(dir);
    let mut skipped = Skipped::default();
    let mut count = |kind: fn(&mut Skipped) -> &mut (usize, Option<String>), name: &str| {
        let kind = kind(&mut skipped);
        kind.0 += 1;
        kind.1.get_or_insert_with(|| format!("{dir}/{name}"));
    };
    let foreign = listing::files(&folder)?.into_iter().filter(|name| !Files::KnownEndings.takes(name));
    foreign.for_each(|name| count(|skipped| &mut skipped.foreign, &name));
    listing::folders(&folder)?.iter().for_each(|name| count(|skipped| &mut skipped.folders, name));
    listing::hidden(&folder)?.iter().for_each(|name| count(|skipped| &mut skipped.hidden, name));
    Ok(skipped)
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
    match folders.as_slice() {
        [] => Err(DataError::folder(dir, no_class_folder(dir)?)),
        [only] if nested_twice(dir, only)? => {
            let reason = format!(
                "it holds nothing but the folder {only:?}, in which the class folders lie: move them up one level"
            );
            Err(DataError::folder(dir, reason))
        }
        _ => Ok(folders),
    }
}

/// Why a folder without class folders is none of ours, with the cure where it holds images.
fn no_class_folder(dir: &Path) -> Result<String, DataError> {
    let files = listing::files(dir)?;
    Ok(match files.iter().find(|name| Files::KnownEndings.takes(name)) {
        Some(name) if name.starts_with("ILSVRC2012_val_") => format!(
            "it holds {} images and no class folder: ImageNet's validation archive is flat; sort its files into \
             wnid folders (by the devkit's ground truth, as valprep.sh does)",
            files.len()
        ),
        Some(name) => format!(
            "it holds images ({name}) and no class folder: put each class's images into a folder of its own"
        ),
        None => "it holds no class folder".to_owned(),
    })
}

/// True where `dir/only` has class folders and `dir` itself is called alike, or `only` is a list's name: an archive
/// unpacked into a folder of its own name.
fn nested_twice(dir: &Path, only: &str) -> Result<bool, DataError> {
    let same_name = dir.file_name().is_some_and(|name| name.eq_ignore_ascii_case(only));
    let a_list = ["train", "val", "test", "images"].contains(&only);
    Ok((same_name || a_list) && !listing::folders(&dir.join(only))?.is_empty())
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

/// The class folders directly below `root/dir` and their images, paths relative to `root`; and what was skipped.
///
/// # Errors
/// As [`items`].
pub(in crate::data) fn class_tree_items(
    root: &Path,
    dir: &str,
) -> Result<(Vec<String>, Vec<Item>, Option<String>), DataError> {
    let folders = class_folders(&root.join(dir))?;
    let (items, skipped) = items_and_skipped(root, dir, &folders)?;
    Ok((folders, items, skipped.note(dir)))
}
