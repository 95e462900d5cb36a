//! The report's files appear under their name only when complete.

use std::fs;
use std::path::Path;

use super::error::ReportError;
use crate::util::atomic_file;

/// Writes `bytes` to `dir/name`, replacing what was there in one step.
///
/// # Errors
/// [`ReportError::Write`]; what was there stays.
pub fn write_atomically(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), ReportError> {
    let path = dir.join(name);
    fs::create_dir_all(dir)
        .and_then(|()| atomic_file::write(&path, bytes))
        .map_err(|source| ReportError::Write { file: name.to_owned(), source, path })
}
