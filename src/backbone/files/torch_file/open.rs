//! Which of torch's formats a file has.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::archive::TorchArchive;
use super::legacy::{LegacyTorchFile, MAGIC};
use crate::backbone::files::load_error::{LoadError, refuse_mistaken};
use crate::backbone::files::tensor_file::TensorFile;

/// Opens a torch file of either format, told by its first bytes.
///
/// # Errors
/// As [`TorchArchive::open`] and [`LegacyTorchFile::open`].
pub fn open_torch(path: &Path) -> Result<Box<dyn TensorFile>, LoadError> {
    refuse_mistaken(path)?;
    let mut head = Vec::new();
    let file = File::open(path).map_err(LoadError::io("open", path))?;
    file.take(MAGIC.len() as u64).read_to_end(&mut head).map_err(LoadError::io("read", path))?;
    if head == MAGIC {
        return Ok(Box::new(LegacyTorchFile::open(path)?));
    }
    Ok(Box::new(TorchArchive::open(path)?))
}
