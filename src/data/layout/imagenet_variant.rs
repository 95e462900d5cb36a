//! ImageNet's test-only variants: -V2, -Sketch, -A and -R.
//!
//! Folders are numbers (-V2: the number IS ImageNet's label, and text order is wrong) or wnids (labels
//! are positions among this dataset's own sorted folders, so label k of -A is not label k of -R).

use std::path::Path;

use super::class_name_file::ClassNameFile;
use super::lists::Lists;
use super::tree::{self, Files};
use crate::data::checked::BelowPath;
use crate::data::manifest::Manifest;
use crate::data::{DataError, Split, guide};

/// Lists the class folders.
pub(super) fn read(
    manifest: &Manifest,
    root: &Path,
    images_dir: &BelowPath,
    class_names_file: &BelowPath,
) -> Result<Lists, DataError> {
    let path = guide::require(manifest, root, images_dir, guide::images)?;
    let names_path = guide::require(manifest, root, class_names_file, guide::class_names)?;
    let names = ClassNameFile::read(&names_path, manifest)?;
    let folders = tree::class_folders(&path)?;
    let numbered = folders.iter().all(|folder| folder.bytes().all(|b| b.is_ascii_digit()));
    let (folders, class_names) = if numbered {
        let folders = in_number_order(folders, &path)?;
        let class_names = names_by_line(folders.len(), &names, &names_path)?;
        (folders, class_names)
    } else {
        let class_names = names.names_of(&folders, &names_path)?;
        (folders, class_names)
    };
    let test = tree::items(root, &manifest.below_root(images_dir), &folders, Files::All)?;
    let mut lists = Lists::new(class_names, Split { train: Vec::new(), val: Vec::new(), test });
    lists.notes.extend(names.differences());
    let met = if numbered { "ImageNet's label numbers" } else { "wnids" };
    lists.notes.push(format!("class folders are {met}"));
    Ok(lists)
}

/// The folders `0..n` in the order of their numbers; a gap or a second spelling is an error.
fn in_number_order(folders: Vec<String>, path: &Path) -> Result<Vec<String>, DataError> {
    let count = folders.len();
    let ordered: Vec<String> = (0..count).map(|label| label.to_string()).collect();
    match ordered.iter().find(|folder| folders.binary_search(folder).is_err()) {
        None => Ok(ordered),
        Some(missing) => {
            let reason = format!(
                "it holds {count} numbered folders but no {missing:?}; labels need 0 to {}",
                count - 1
            );
            Err(DataError::folder(path, reason))
        }
    }
}

fn names_by_line(count: usize, names: &ClassNameFile, path: &Path) -> Result<Vec<String>, DataError> {
    let name = |line: usize| {
        let reason =
            || DataError::folder(path, format!("it has {} lines for {count} numbered folders", names.len()));
        names.name_at(line).map(str::to_owned).ok_or_else(reason)
    };
    (0..count).map(name).collect()
}
