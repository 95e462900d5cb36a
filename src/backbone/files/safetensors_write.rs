//! Writes safetensors files whose bytes depend on their content alone.
//!
//! Owns the header's layout. The crate `safetensors` takes metadata as a `HashMap` and writes it in that map's
//! order, so that two writes of the same content differ; here names and metadata are in order. Wider types come
//! first, which keeps every tensor aligned.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::load_error::LoadError;
use super::stored::{StoredDtype, StoredTensor};
use crate::util::atomic_file;

/// The header is padded with spaces so that data starts at a multiple of this.
const ALIGNMENT: usize = 8;

/// Writes the tensors with string metadata, to a temporary name first.
///
/// # Errors
/// [`LoadError::Io`].
pub fn write_safetensors(
    path: &Path,
    metadata: &BTreeMap<String, String>,
    tensors: &BTreeMap<String, StoredTensor>,
) -> Result<(), LoadError> {
    write_atomically(path, |file| write_to(file, metadata, tensors))
}

/// The bytes of such a file.
pub fn safetensors_bytes(
    metadata: &BTreeMap<String, String>,
    tensors: &BTreeMap<String, StoredTensor>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    write_to(&mut bytes, metadata, tensors).unwrap_or_default();
    bytes
}

fn write_to(
    file: &mut dyn Write,
    metadata: &BTreeMap<String, String>,
    tensors: &BTreeMap<String, StoredTensor>,
) -> std::io::Result<()> {
    let mut ordered: Vec<_> = tensors.iter().collect();
    ordered.sort_by_key(|(name, tensor)| (std::cmp::Reverse(tensor.dtype.bytes()), *name));
    let header = header(metadata, &ordered);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    ordered.iter().try_for_each(|(_, tensor)| file.write_all(&tensor.bytes))
}

/// Writes a file under a temporary name beside it, syncs it and renames it.
///
/// # Errors
/// [`LoadError::Io`].
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), LoadError> {
    atomic_file::write_with(path, write).map_err(LoadError::io("write", path))
}

fn header(metadata: &BTreeMap<String, String>, tensors: &[(&String, &StoredTensor)]) -> String {
    let mut entries = Map::new();
    if !metadata.is_empty() {
        entries.insert("__metadata__".to_owned(), json!(metadata));
    }
    let mut start = 0;
    for (name, tensor) in tensors {
        let end = start + tensor.bytes.len();
        let entry =
            json!({ "dtype": dtype_name(tensor.dtype), "shape": tensor.shape, "data_offsets": [start, end] });
        entries.insert((*name).clone(), entry);
        start = end;
    }
    let text = Value::Object(entries).to_string();
    let padded = text.len().next_multiple_of(ALIGNMENT);
    format!("{text:padded$}")
}

fn dtype_name(dtype: StoredDtype) -> &'static str {
    match dtype {
        StoredDtype::F16 => "F16",
        StoredDtype::Bf16 => "BF16",
        StoredDtype::F32 => "F32",
        StoredDtype::F64 => "F64",
    }
}

#[cfg(test)]
mod tests {
    use safetensors::SafeTensors;

    use super::*;

    #[test]
    fn the_safetensors_crate_reads_what_is_written_and_bytes_repeat() {
        let folder = tempfile::tempdir().unwrap();
        let half = StoredTensor { dtype: StoredDtype::F16, shape: vec![1, 3], bytes: vec![1, 2, 3, 4, 5, 6] };
        let tensors = BTreeMap::from([
            ("a_half".to_owned(), half),
            ("scalar é".to_owned(), StoredTensor::from_f32(vec![], &[2.5])),
        ]);
        let metadata = ('a'..='z').map(|key| (key.to_string(), format!("{key}\"é"))).collect();
        let paths = ["first", "second"].map(|name| folder.path().join(name));
        for path in &paths {
            write_safetensors(path, &metadata, &tensors).unwrap();
        }
        let bytes = std::fs::read(&paths[0]).unwrap();
        assert_eq!(bytes, std::fs::read(&paths[1]).unwrap());
        let read = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(read.tensor("a_half").unwrap().data(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(read.tensor("a_half").unwrap().shape(), [1, 3]);
        assert_eq!(read.tensor("scalar é").unwrap().data(), 2.5f32.to_le_bytes());
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(header.metadata().clone().unwrap()["q"], "q\"é");
    }
}
