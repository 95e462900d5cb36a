//! Sorted folder listings without hidden entries.
//!
//! Sorting is by bytes of the name. CoOp leaves file listings in directory order, so draws over
//! them cannot be rebuilt; ours can, and differ.

use std::fs::DirEntry;
use std::path::Path;

use crate::data::DataError;
use crate::data::checked::stays_below;

/// The names of the folders directly below `dir`, sorted; links are followed.
pub(super) fn folders(dir: &Path) -> Result<Vec<String>, DataError> {
    entries(dir, true)
}

/// The names of the files directly below `dir`, sorted; links are followed.
pub(super) fn files(dir: &Path) -> Result<Vec<String>, DataError> {
    entries(dir, false)
}

/// The names directly below `dir` that start with a dot, sorted. What cannot be UTF-8 is named by the other lists.
pub(super) fn hidden(dir: &Path) -> Result<Vec<String>, DataError> {
    let entries = std::fs::read_dir(dir).map_err(|e| DataError::read(dir, &e))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut hidden: Vec<String> = names.filter(|name| name.starts_with('.')).collect();
    hidden.sort_unstable();
    Ok(hidden)
}

fn entries(dir: &Path, want_folders: bool) -> Result<Vec<String>, DataError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|e| DataError::read(dir, &e))? {
        let entry = entry.map_err(|e| DataError::read(dir, &e))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(DataError::folder(dir, format!("the file name {name:?} is not UTF-8; rename it")));
        };
        if name.starts_with('.') || is_folder(&entry)? != want_folders {
            continue;
        }
        if !stays_below(name) {
            let reason =
                format!("the name {name:?} holds a backslash, colon or control character; rename it");
            return Err(DataError::folder(dir, reason));
        }
        names.push(name.to_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// The kind in the listing, which costs nothing; a link's target is asked for.
fn is_folder(entry: &DirEntry) -> Result<bool, DataError> {
    let path = entry.path();
    let kind = entry.file_type().map_err(|e| DataError::read(&path, &e))?;
    if !kind.is_symlink() {
        return Ok(kind.is_dir());
    }
    std::fs::metadata(&path).map(|m| m.is_dir()).map_err(|e| DataError::read(&path, &e))
}
