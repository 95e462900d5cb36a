//! The note that tells an export of the pocket pictures from a folder of published photographs.
//!
//! Folders, lists and dataset ids are those of the real ones; without the note a table made from them would
//! pass for a real one.

use std::path::Path;

use super::error::ExportError;
use super::images::write_file;

const FILE: &str = "POCKET.txt";
const TEXT: &str = "The folders beside this file hold small rendered pictures, exported by `rpo-bench data export \
                    --pocket` in the layouts\nof the published datasets. They are not those datasets. Programs \
                    tell so by this file: leave it here.\n";

/// Marks `root` as an export of the pocket pictures.
///
/// # Errors
/// [`ExportError::Write`].
pub fn mark_pocket_export(root: &Path) -> Result<(), ExportError> {
    std::fs::create_dir_all(root)
        .map_err(|e| ExportError::Write { file: FILE.to_owned(), reason: e.to_string() })?;
    write_file(root, FILE, TEXT.as_bytes()).map(drop)
}

/// Whether `root` is marked so.
pub fn is_pocket_export(root: &Path) -> bool {
    root.join(FILE).is_file()
}
