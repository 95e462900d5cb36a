//! Presence and size of listed files.

use std::io::ErrorKind;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::fault::Fault;

/// Size and time of a file, by which a resumed run knows that it did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Length in bytes.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970; 0 where the system has none.
    pub modified_ns: u64,
}

/// The stamp of `root/path`, or what is wrong with it without reading it.
pub(super) fn stamp(root: &Path, path: &str) -> Result<Stamp, Fault> {
    let owned = || path.to_owned();
    let metadata = match std::fs::metadata(root.join(path)) {
        Ok(metadata) => metadata,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(Fault::MissingFile { path: owned() });
        }
        Err(e) => return Err(Fault::UnreadableImage { path: owned(), reason: e.to_string() }),
    };
    if !metadata.is_file() {
        return Err(Fault::NotAFile { path: owned() });
    }
    if metadata.len() == 0 {
        return Err(Fault::EmptyFile { path: owned() });
    }
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified_ns = modified.and_then(|time| u64::try_from(time.as_nanos()).ok()).unwrap_or(0);
    Ok(Stamp { bytes: metadata.len(), modified_ns })
}
