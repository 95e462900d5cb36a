//! One safetensors file, read tensor by tensor.
//!
//! Owns the checks that come before any allocation: the header's length against the file's and against the
//! format's limit, and the byte ranges against the file's size. The crate `safetensors` parses the header and
//! proves that ranges fit their shapes and leave no holes; what it does not do for a file that is not mapped into
//! memory (mapping is `unsafe`) is done here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use safetensors::tensor::Metadata;

use super::load_error::{LoadError, refuse_mistaken};
use super::stored::{StoredDtype, StoredTensor};
use super::tensor_file::TensorFile;

/// Longest header the format allows.
const MAX_HEADER_BYTES: u64 = 100_000_000;
/// Bytes in front of the header that hold its length.
const LENGTH_BYTES: u64 = 8;

/// An open safetensors file with its checked header.
#[derive(Debug)]
pub struct SafetensorsFile {
    path: PathBuf,
    file: File,
    data_start: u64,
    header: Metadata,
}

impl SafetensorsFile {
    /// Opens the file and checks its header; no tensor is read yet.
    ///
    /// # Errors
    /// [`LoadError::HeaderLength`] where the length lies, [`LoadError::Truncated`] where bytes are missing or left
    /// over, [`LoadError::Mistaken`] for another kind of file, [`LoadError::Json`] where the header is damaged.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        refuse_mistaken(path)?;
        let mut file = File::open(path).map_err(LoadError::io("open", path))?;
        let file_bytes = file.metadata().map_err(LoadError::io("open", path))?.len();
        let header_bytes = header_length(&mut file, file_bytes, path)?;
        let mut header = vec![0; header_bytes as usize];
        file.read_exact(&mut header).map_err(LoadError::io("read", path))?;
        let header: Metadata = serde_json::from_slice(&header)
            .map_err(|source| LoadError::Json { path: path.to_owned(), source })?;
        let data_start = LENGTH_BYTES + header_bytes;
        let expected = data_start.saturating_add(header.data_len() as u64);
        if expected != file_bytes {
            return Err(LoadError::Truncated { path: path.to_owned(), found: file_bytes, expected });
        }
        Ok(Self { path: path.to_owned(), file, data_start, header })
    }

    /// The file's string metadata.
    pub fn metadata(&self) -> BTreeMap<String, String> {
        self.header.metadata().clone().unwrap_or_default().into_iter().collect()
    }
}

impl TensorFile for SafetensorsFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self) -> Vec<String> {
        self.header.offset_keys()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.header.info(name).map(|info| info.shape.as_slice())
    }

    fn read(&mut self, name: &str) -> Result<StoredTensor, LoadError> {
        let info = self.header.info(name).ok_or_else(|| LoadError::TensorMissing {
            path: self.path.clone(),
            tensor: name.to_owned(),
            hint: "is this the right file?".to_owned(),
        })?;
        let dtype = StoredDtype::from_safetensors(info.dtype).ok_or_else(|| {
            let problem = format!("stored as {:?}; supported are F32, F16, BF16 and F64", info.dtype);
            LoadError::tensor(&self.path, name, problem)
        })?;
        let (start, end) = info.data_offsets;
        let shape = info.shape.clone();
        let mut bytes = vec![0; end - start];
        self.file
            .seek(SeekFrom::Start(self.data_start + start as u64))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(LoadError::io("read", &self.path))?;
        Ok(StoredTensor { dtype, shape, bytes })
    }
}

/// The header's length, which the file must have room for.
fn header_length(file: &mut File, file_bytes: u64, path: &Path) -> Result<u64, LoadError> {
    let too_short =
        || LoadError::Truncated { path: path.to_owned(), found: file_bytes, expected: LENGTH_BYTES + 2 };
    if file_bytes < LENGTH_BYTES {
        return Err(too_short());
    }
    let mut length = [0; LENGTH_BYTES as usize];
    file.read_exact(&mut length).map_err(LoadError::io("read", path))?;
    let claimed = u64::from_le_bytes(length);
    if claimed > MAX_HEADER_BYTES || claimed > file_bytes - LENGTH_BYTES {
        return Err(LoadError::HeaderLength {
            path: path.to_owned(),
            claimed,
            file_bytes,
            limit: MAX_HEADER_BYTES,
        });
    }
    Ok(claimed)
}
