//! Where each item of an in-memory dataset goes in a published layout.
//!
//! Either every item keeps its path, because all of them already are paths of the layout, or all get
//! new ones: a mixture could not be told from a mistake.

use std::collections::BTreeSet;

use super::error::ExportError;
use super::naming::{self, lists};
use crate::data::checked::stays_below;
use crate::data::manifest::{ClassFolders, Layout, Manifest};
use crate::data::{Item, Split};

/// The names of the lists, in the order of [`lists`].
pub(super) const LIST_NAMES: [&str; 3] = ["train", "val", "test"];

/// The split without the lists the layout has no place for: ImageNet has no validation list apart from
/// its test list, its variants have only a test list. Few-shot training draws do not change by it.
#[must_use]
pub fn fitting(manifest: &Manifest, split: &Split) -> Split {
    let has = |list: usize| tree_dirs(manifest).is_none_or(|dirs| dirs[list].is_some());
    let keep = |list: usize, items: &[Item]| if has(list) { items.to_vec() } else { Vec::new() };
    Split { train: keep(0, &split.train), val: keep(1, &split.val), test: keep(2, &split.test) }
}

/// The split with paths of the manifest's layout, in the given order.
///
/// # Errors
/// [`ExportError`] for a list, class or item that the layout cannot hold.
pub fn place_split(manifest: &Manifest, class_names: &[String], split: &Split) -> Result<Split, ExportError> {
    check_lists(manifest, split)?;
    check_classes(manifest, class_names, split)?;
    let placed = match kept_folders(manifest, class_names.len(), split) {
        Some(_) => split.clone(),
        None => renamed(manifest, class_names, split),
    };
    check_paths(manifest, &placed)?;
    Ok(placed)
}

/// The folders of the train, val and test trees relative to the data root, for layouts of class folders.
pub(super) fn tree_dirs(manifest: &Manifest) -> Option<[Option<String>; 3]> {
    match &manifest.layout {
        Layout::ImagenetFolders { train_dir, test_dir, .. } => {
            Some([Some(manifest.below_root(train_dir)), None, Some(manifest.below_root(test_dir))])
        }
        Layout::ImagenetVariant { images_dir, .. } => {
            Some([None, None, Some(manifest.below_root(images_dir))])
        }
        Layout::ImageFolder => Some(LIST_NAMES.map(|list| Some(list.to_owned()))),
        Layout::CoopSplitJson { .. } | Layout::FgvcLists { .. } => None,
    }
}

/// Class folders by label if every path is one of the layout already (empty for layouts without).
pub(super) fn kept_folders(manifest: &Manifest, classes: usize, split: &Split) -> Option<Vec<String>> {
    match &manifest.layout {
        Layout::CoopSplitJson { images_dir, .. } => {
            let base = manifest.below_root(images_dir);
            all_items(split).all(|item| below(&item.path, &base).is_some()).then(Vec::new)
        }
        Layout::FgvcLists { images_dir, image_ending, .. } => {
            let base = manifest.below_root(images_dir);
            let fits = |item: &Item| {
                let number = below(&item.path, &base).and_then(|name| name.strip_suffix(image_ending));
                number.is_some_and(|number| !number.is_empty() && !number.contains(['/', ' ']))
            };
            all_items(split).all(fits).then(Vec::new)
        }
        _ => kept_tree_folders(manifest, classes, split),
    }
}

fn kept_tree_folders(manifest: &Manifest, classes: usize, split: &Split) -> Option<Vec<String>> {
    let dirs = tree_dirs(manifest)?;
    let mut folders: Vec<Option<&str>> = vec![None; classes];
    for (items, dir) in lists(split).into_iter().zip(&dirs) {
        for item in items {
            let (folder, file) = below(&item.path, dir.as_deref()?)?.split_once('/')?;
            let known = folders.get_mut(item.label as usize)?;
            if file.contains('/') || known.is_some_and(|known| known != folder) {
                return None;
            }
            *known = Some(folder);
        }
    }
    let folders: Vec<String> = folders.into_iter().map(|f| f.map(str::to_owned)).collect::<Option<_>>()?;
    let labels_follow = match numbered(manifest) {
        true => folders.iter().enumerate().all(|(label, folder)| *folder == label.to_string()),
        false => folders.is_sorted_by(|a, b| a < b) && !folders.iter().all(|f| is_number(f)),
    };
    labels_follow.then_some(folders)
}

/// Fresh paths: names of the manifest's pattern below a split's image folder; in class folders and flat number
/// lists, which sort by name, the position in the list.
fn renamed(manifest: &Manifest, class_names: &[String], split: &Split) -> Split {
    let path = |list: usize, position: usize, label: u32| match (&manifest.layout, tree_dirs(manifest)) {
        (Layout::FgvcLists { images_dir, image_ending, .. }, _) => {
            format!("{}/{}{position:06}{image_ending}", manifest.below_root(images_dir), list + 1)
        }
        (_, dirs) => {
            let dir = dirs.and_then(|dirs| dirs[list].clone()).unwrap_or_else(|| LIST_NAMES[list].to_owned());
            let folder = new_folder(manifest, label);
            format!("{dir}/{folder}/{folder}_{position:07}.JPEG")
        }
    };
    if let Some(base) = manifest.split_images_dir() {
        let pattern = manifest.placement.as_ref().and_then(|place| place.file_pattern.as_deref());
        return naming::named(pattern, &base, class_names, split);
    }
    let place = |list: usize, items: &[Item]| -> Vec<Item> {
        let item = |(position, item): (usize, &Item)| Item {
            path: path(list, position, item.label),
            label: item.label,
        };
        items.iter().enumerate().map(item).collect()
    };
    Split { train: place(0, &split.train), val: place(1, &split.val), test: place(2, &split.test) }
}

/// A class folder whose sorted position is the label.
fn new_folder(manifest: &Manifest, label: u32) -> String {
    if numbered(manifest) { label.to_string() } else { format!("n{label:08}") }
}

fn numbered(manifest: &Manifest) -> bool {
    matches!(manifest.layout, Layout::ImagenetVariant { class_folders: ClassFolders::ImagenetLabel, .. })
}

fn is_number(folder: &str) -> bool {
    folder.bytes().all(|b| b.is_ascii_digit())
}

fn below<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    path.strip_prefix(base)?.strip_prefix('/')
}

fn all_items(split: &Split) -> impl Iterator<Item = &Item> {
    lists(split).into_iter().flatten()
}

fn check_lists(manifest: &Manifest, split: &Split) -> Result<(), ExportError> {
    let Some(dirs) = tree_dirs(manifest) else { return Ok(()) };
    for ((items, dir), list) in lists(split).into_iter().zip(dirs).zip(LIST_NAMES) {
        if dir.is_none() && !items.is_empty() {
            let (dataset, layout) = (manifest.id.to_string(), manifest.layout.kind());
            return Err(ExportError::NoSuchList { dataset, layout, list, items: items.len() });
        }
    }
    Ok(())
}

/// Every class must be found again: by an item in a list (in each list, for class folders).
fn check_classes(manifest: &Manifest, class_names: &[String], split: &Split) -> Result<(), ExportError> {
    let bad = |label: usize, reason: &str| {
        let name = class_names.get(label).cloned().unwrap_or_default();
        Err(ExportError::Class { dataset: manifest.id.to_string(), label, name, reason: reason.to_owned() })
    };
    for (label, name) in class_names.iter().enumerate() {
        if name.trim() != name || name.is_empty() || name.contains(['\n', '\r']) {
            return bad(label, "must be one line of text without outer spaces");
        }
    }
    let labels = |items: &Vec<Item>| items.iter().map(|item| item.label as usize).collect::<BTreeSet<_>>();
    let seen = lists(split).map(labels);
    if let Some(label) = seen.iter().flatten().find(|label| **label >= class_names.len()) {
        return bad(*label, "has items but no name");
    }
    let is_tree = tree_dirs(manifest).is_some();
    for label in 0..class_names.len() {
        let somewhere = seen.iter().any(|list| list.contains(&label));
        let everywhere = seen.iter().all(|list| list.is_empty() || list.contains(&label));
        if !(somewhere && (everywhere || !is_tree)) {
            return bad(label, "has no item in a list that needs one");
        }
    }
    Ok(())
}

fn check_paths(manifest: &Manifest, placed: &Split) -> Result<(), ExportError> {
    let mut seen = BTreeSet::new();
    for Item { path, label } in all_items(placed) {
        let dataset = manifest.id.to_string();
        if !stays_below(path) {
            let reason = format!("has an item whose path leaves the data root: {path}");
            return Err(ExportError::Class { dataset, label: *label as usize, name: String::new(), reason });
        }
        if !seen.insert(path) {
            return Err(ExportError::RepeatedItem { dataset, path: path.clone() });
        }
    }
    Ok(())
}
