//! FGVCAircraft's own lists: `variants.txt` and `images_variant_{train,val,test}.txt`.
//!
//! A variant's name may hold spaces and slashes, so a line splits at its first space only and a
//! name is never part of a path. The label is the variant's line number.

use std::collections::BTreeMap;
use std::path::Path;

use super::lists::Lists;
use crate::data::checked::{BelowPath, stays_below};
use crate::data::manifest::{Layout, Manifest};
use crate::data::{DataError, Item, Split, guide};

/// Reads the four list files.
pub(super) fn read(manifest: &Manifest, root: &Path) -> Result<Lists, DataError> {
    let Layout::FgvcLists {
        images_dir,
        image_ending,
        class_list_file,
        train_list_file,
        val_list_file,
        test_list_file,
    } = &manifest.layout
    else {
        return Err(DataError::folder(root, format!("{} is not in FGVCAircraft's layout", manifest.id)));
    };
    guide::require(manifest, root, images_dir, guide::images)?;
    let class_names = read_classes(&guide::require(manifest, root, class_list_file, guide::images)?)?;
    let labels: BTreeMap<&str, u32> = class_names.iter().map(String::as_str).zip(0..).collect();
    let place = ListReader { images_dir: manifest.below_root(images_dir), image_ending, labels };
    let list = |file: &BelowPath| {
        let path = guide::require(manifest, root, file, guide::images)?;
        let text = DataError::read_text(&path)?;
        parse_list(&text, &path, &place)
    };
    let split =
        Split { train: list(train_list_file)?, val: list(val_list_file)?, test: list(test_list_file)? };
    Ok(Lists::new(class_names, split))
}

/// How a list line becomes an item.
struct ListReader<'a> {
    images_dir: String,
    image_ending: &'a str,
    labels: BTreeMap<&'a str, u32>,
}

fn read_classes(path: &Path) -> Result<Vec<String>, DataError> {
    let text = DataError::read_text(path)?;
    let mut seen = BTreeMap::new();
    let mut names = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let name = line.trim();
        if let Some(earlier) = seen.insert(name, index + 1) {
            return Err(DataError::line(path, index, line, format!("which line {earlier} says already")));
        }
        names.push(name.to_owned());
    }
    if names.is_empty() {
        return Err(DataError::line(path, 0, "", "expected one class name a line"));
    }
    Ok(names)
}

fn parse_list(text: &str, path: &Path, place: &ListReader<'_>) -> Result<Vec<Item>, DataError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| parse_line(index, line.trim(), path, place)).collect()
}

fn parse_line(index: usize, line: &str, path: &Path, place: &ListReader<'_>) -> Result<Item, DataError> {
    let bad = |reason: &str| DataError::line(path, index, line, reason);
    let (number, class_name) = line.split_once(' ').ok_or_else(|| bad("expected `IMAGE CLASS NAME`"))?;
    if !stays_below(number) || number.contains('/') {
        return Err(bad("the image must be a bare file name"));
    }
    let label = *place.labels.get(class_name).ok_or_else(|| bad("the class is not in the class list"))?;
    Ok(Item { path: format!("{}/{number}{}", place.images_dir, place.image_ending), label })
}
