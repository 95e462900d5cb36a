//! From an unpacked archive into a dataset's folder: the folders that are wanted, wherever they lie in it.

use std::path::{Path, PathBuf};

use super::error::FetchError;
use super::unpack::{is_archive, unpack};
use crate::data::{Layout, Manifest};

/// How deep a wanted folder may lie in an archive.
const MOST_DEPTH: usize = 4;

/// Moves the wanted folders and the lists beside them into the dataset's folder.
pub(super) fn put(
    archive: &Path,
    unpacked: &Path,
    folders: &[(String, String)],
    home: &Path,
    manifest: &Manifest,
) -> Result<(), FetchError> {
    for (wanted, name) in folders {
        let found = match find(unpacked, wanted)? {
            Some(found) => found,
            // Caltech101's zip holds a second archive.
            None => {
                unpack_inner(unpacked)?;
                find(unpacked, wanted)?.ok_or_else(|| nothing_wanted(archive, unpacked, wanted))?
            }
        };
        let beside = found.parent().unwrap_or(unpacked).to_owned();
        for list in lists(manifest) {
            let (from, to) = (beside.join(&list), home.join(&list));
            if from.is_file() && !to.exists() {
                place(&from, &to)?;
            }
        }
        if !home.join(name).exists() {
            place(&found, &home.join(name))?;
        }
    }
    Ok(())
}

/// Small files that lie beside the images in an archive and belong beside them.
fn lists(manifest: &Manifest) -> Vec<String> {
    match &manifest.layout {
        Layout::FgvcLists { class_list_file, train_list_file, val_list_file, test_list_file, .. } => {
            [class_list_file, train_list_file, val_list_file, test_list_file].map(ToString::to_string).into()
        }
        _ => Vec::new(),
    }
}

/// The folder of that name that lies least deep.
fn find(root: &Path, wanted: &str) -> Result<Option<PathBuf>, FetchError> {
    let mut level = vec![root.to_owned()];
    for _ in 0..MOST_DEPTH {
        if let Some(found) = level.iter().map(|folder| folder.join(wanted)).find(|path| path.is_dir()) {
            return Ok(Some(found));
        }
        let mut next = Vec::new();
        for folder in &level {
            next.extend(entries(folder)?.into_iter().filter(|path| path.is_dir()));
        }
        level = next;
    }
    Ok(None)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, FetchError> {
    let listed = std::fs::read_dir(folder).map_err(FetchError::io("read", folder))?;
    let mut paths = Vec::new();
    for entry in listed {
        paths.push(entry.map_err(FetchError::io("read", folder))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Unpacks the archives that lie in an unpacked archive or one folder below.
fn unpack_inner(root: &Path) -> Result<(), FetchError> {
    let mut files = entries(root)?;
    for folder in files.clone().into_iter().filter(|path| path.is_dir()) {
        files.extend(entries(&folder)?);
    }
    for (at, file) in files.into_iter().filter(|path| path.is_file()).enumerate() {
        if is_archive(&file)? {
            unpack(&file, &root.join(format!("inner-{at}")))?;
        }
    }
    Ok(())
}

fn nothing_wanted(archive: &Path, unpacked: &Path, wanted: &str) -> FetchError {
    let first =
        entries(unpacked).ok().and_then(|paths| Some(paths.first()?.file_name()?.display().to_string()));
    let (archive, wanted) = (archive.to_owned(), wanted.to_owned());
    FetchError::NothingWanted { archive, wanted, found: first.unwrap_or_default() }
}

/// Gives a finished file or folder its final name, on the same disk.
pub(super) fn place(from: &Path, to: &Path) -> Result<(), FetchError> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(FetchError::io("make", folder))?;
    }
    std::fs::rename(from, to).map_err(FetchError::io("put into place", to))
}

pub(super) fn remove(folder: &Path) -> Result<(), FetchError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(FetchError::Io { action: "remove", path: folder.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}
