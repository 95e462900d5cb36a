//! Both of torch's formats as files of named tensors: descriptions out of a pickle, bytes out of storages.
//!
//! A format says where the bytes of a storage lie; the rest is the same for both and stands here.

use std::collections::BTreeMap;
use std::path::Path;

use super::layout::{INTEGER_BYTES, Layout, place};
use crate::backbone::files::load_error::LoadError;
use crate::backbone::files::stored::StoredTensor;
use crate::backbone::files::tensor_file::TensorFile;

/// A torch file whose pickle is read.
pub(super) trait Described {
    /// The file.
    fn file(&self) -> &Path;

    /// What its pickle says of each tensor.
    fn layouts(&self) -> &BTreeMap<String, Layout>;

    /// Bytes `start` to `start + count` of the storage of tensor `name`.
    ///
    /// # Errors
    /// [`LoadError`] where the storage is shorter or cannot be read.
    fn bytes(&mut self, layout: &Layout, name: &str, start: u64, count: u64) -> Result<Vec<u8>, LoadError>;
}

impl<T: Described> TensorFile for T {
    fn path(&self) -> &Path {
        self.file()
    }

    fn names(&self) -> Vec<String> {
        self.layouts().keys().cloned().collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.layouts().get(name).map(|layout| layout.shape.as_slice())
    }

    fn read(&mut self, name: &str) -> Result<StoredTensor, LoadError> {
        let layout = self.layouts().get(name).cloned().ok_or_else(|| LoadError::TensorMissing {
            path: self.file().to_owned(),
            tensor: name.to_owned(),
            hint: "is this the right file?".to_owned(),
        })?;
        let placed = place(&layout, name, self.file())?;
        let bytes = self.bytes(&layout, name, placed.start, placed.count)?;
        Ok(placed.tensor(&bytes, &layout))
    }

    fn integer(&mut self, name: &str) -> Result<Option<i64>, LoadError> {
        let Some(layout) = self.layouts().get(name).filter(|layout| layout.is_one_integer()).cloned() else {
            return Ok(None);
        };
        let start = (layout.offset as u64).saturating_mul(INTEGER_BYTES);
        let bytes = self.bytes(&layout, name, start, INTEGER_BYTES)?;
        Ok(bytes.first_chunk().map(|bytes| i64::from_le_bytes(*bytes)))
    }
}
