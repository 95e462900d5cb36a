//! Room on a disk.

use std::path::Path;

use super::error::FetchError;

/// Bytes a user may still write below `folder`, which must exist.
///
/// # Errors
/// [`FetchError::Io`].
pub fn free_bytes(folder: &Path) -> Result<u64, FetchError> {
    let room = rustix::fs::statvfs(folder)
        .map_err(|error| FetchError::io("ask for the free space of", folder)(error.into()))?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}

/// Checks that `needed` more bytes fit beside `file`.
///
/// # Errors
/// [`FetchError::DiskFull`].
pub fn check_room(file: &Path, needed: u64) -> Result<(), FetchError> {
    let free = free_bytes(file.parent().unwrap_or(Path::new(".")))?;
    if needed > free {
        return Err(FetchError::DiskFull { path: file.to_owned(), needed, free });
    }
    Ok(())
}
