//! The common face of the file formats that hold named tensors.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::load_error::LoadError;
use super::stored::StoredTensor;

/// A file of named tensors, read one at a time.
pub trait TensorFile {
    /// The file.
    fn path(&self) -> &Path;

    /// Names of all tensors.
    fn names(&self) -> Vec<String>;

    /// Shape of a tensor, if it is there.
    fn shape(&self, name: &str) -> Option<&[usize]>;

    /// Reads one tensor as it is stored.
    ///
    /// # Errors
    /// [`LoadError::TensorMissing`], [`LoadError::Tensor`] where its type or layout is not supported, or
    /// [`LoadError::Io`].
    fn read(&mut self, name: &str) -> Result<StoredTensor, LoadError>;

    /// The value of a whole number stored as a tensor of one element, where the format is asked for such.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn integer(&mut self, _name: &str) -> Result<Option<i64>, LoadError> {
        Ok(None)
    }
}

/// Whether the file starts like a zip archive, as torch files do; safetensors files cannot.
///
/// # Errors
/// [`LoadError::Io`].
pub fn is_zip(path: &Path) -> Result<bool, LoadError> {
    let mut magic = Vec::new();
    let file = File::open(path).map_err(LoadError::io("open", path))?;
    file.take(2).read_to_end(&mut magic).map_err(LoadError::io("read", path))?;
    Ok(magic == b"PK")
}
