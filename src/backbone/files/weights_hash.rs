//! SHA-256 over weight files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::load_error::LoadError;

/// Hex SHA-256 over the bytes of the files, one after the other in the order given. A single file gives what
/// `sha256sum` prints for it.
///
/// # Errors
/// [`LoadError::Io`].
pub fn sha256_of_files(paths: &[PathBuf]) -> Result<String, LoadError> {
    let mut hash = Sha256::new();
    for path in paths {
        update(&mut hash, path)?;
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn update(hash: &mut Sha256, path: &Path) -> Result<(), LoadError> {
    let mut file = File::open(path).map_err(LoadError::io("open", path))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer).map_err(LoadError::io("read", path))?;
        if count == 0 {
            return Ok(());
        }
        hash.update(&buffer[..count]);
    }
}
