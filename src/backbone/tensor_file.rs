//! The common face of the file formats that hold named tensors.

use std::path::Path;

use super::load_error::LoadError;
use super::safetensors_file::SafetensorsFile;
use super::stored::StoredTensor;
use super::torch_file::TorchArchive;

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
}

/// Opens a torch zip archive or a safetensors file, told apart by the first two bytes.
///
/// # Errors
/// As [`TorchArchive::open`] and [`SafetensorsFile::open`].
pub fn open_tensor_file(path: &Path) -> Result<Box<dyn TensorFile>, LoadError> {
    Ok(if is_zip(path)? {
        Box::new(TorchArchive::open(path)?)
    } else {
        Box::new(SafetensorsFile::open(path)?)
    })
}

fn is_zip(path: &Path) -> Result<bool, LoadError> {
    use std::io::Read;

    let mut magic = Vec::new();
    let file = std::fs::File::open(path).map_err(LoadError::io("open", path))?;
    file.take(2).read_to_end(&mut magic).map_err(LoadError::io("read", path))?;
    Ok(magic == b"PK")
}
