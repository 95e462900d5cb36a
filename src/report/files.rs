//! Files appear under their name only when complete: written beside it, synced, renamed.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use super::error::ReportError;

/// Writes `bytes` to `dir/name`, replacing what was there in one step.
///
/// # Errors
/// [`ReportError::Write`]; the temporary file is removed.
pub fn write_atomically(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), ReportError> {
    let path = dir.join(name);
    let temporary = dir.join(format!(".{name}.{}.tmp", std::process::id()));
    let failed = |source| ReportError::Write { file: name.to_owned(), source, path: path.clone() };
    fs::create_dir_all(dir).map_err(failed)?;
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, &path));
    written.map_err(|source| {
        // The first error is the one to report, whether or not the leftover could be removed.
        drop(fs::remove_file(&temporary));
        failed(source)
    })
}
