//! Writes a training checkpoint as `torch.save` does: `{"state_dict": OrderedDict, "epoch": N, …}` in a zip archive.
//!
//! It owns the opcodes of pickle protocol 2 that this takes. Every tensor has a storage of its own, named by its
//! place; the same content gives the same bytes.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::layout::NOTE;
use crate::backbone::files::stored::{StoredDtype, StoredTensor};

/// Name of the folder in the archive.
const FOLDER: &str = "archive";

/// The bytes of a checkpoint with these tensors after `epoch` epochs, in name order. `note` is what it says about itself,
/// under a key of this program's own.
///
/// # Errors
/// Whatever the archive's writer reports.
pub fn checkpoint_bytes(
    tensors: &BTreeMap<String, StoredTensor>,
    epoch: u32,
    note: &BTreeMap<String, String>,
) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut file = |name: &str, bytes: &[u8]| -> zip::result::ZipResult<()> {
        zip.start_file(format!("{FOLDER}/{name}"), options)?;
        Ok(zip.write_all(bytes)?)
    };
    file("data.pkl", &pickle(tensors, epoch, note))?;
    file("byteorder", b"little")?;
    for (place, tensor) in tensors.values().enumerate() {
        file(&format!("data/{place}"), &tensor.bytes)?;
    }
    file("version", b"3\n")?;
    Ok(zip.finish()?.into_inner())
}

fn pickle(tensors: &BTreeMap<String, StoredTensor>, epoch: u32, note: &BTreeMap<String, String>) -> Vec<u8> {
    let mut out = vec![0x80, 2];
    out.extend(b"}(");
    text(&mut out, "state_dict");
    ordered_dict(&mut out);
    out.push(b'(');
    for (place, (name, tensor)) in tensors.iter().enumerate() {
        text(&mut out, name);
        rebuilt(&mut out, place, tensor);
    }
    out.push(b'u');
    text(&mut out, "epoch");
    number(&mut out, u64::from(epoch));
    for name in ["optimizer", "scheduler", "val_result"] {
        text(&mut out, name);
        out.push(b'N');
    }
    if !note.is_empty() {
        text(&mut out, NOTE);
        out.extend(b"}(");
        for (key, value) in note {
            text(&mut out, key);
            text(&mut out, value);
        }
        out.push(b'u');
    }
    out.extend(b"u.");
    out
}

/// `OrderedDict()`.
fn ordered_dict(out: &mut Vec<u8>) {
    out.extend(b"ccollections\nOrderedDict\n)R");
}

/// `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`.
fn rebuilt(out: &mut Vec<u8>, place: usize, tensor: &StoredTensor) {
    let numel: usize = tensor.shape.iter().product();
    out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
    text(out, "storage");
    out.extend(format!("ctorch\n{}\n", storage(tensor.dtype)).as_bytes());
    text(out, &place.to_string());
    text(out, "cpu");
    number(out, numel as u64);
    out.extend(b"tQ");
    number(out, 0);
    tuple(out, &tensor.shape);
    let strides: Vec<usize> =
        (0..tensor.shape.len()).map(|at| tensor.shape[at + 1..].iter().product()).collect();
    tuple(out, &strides);
    out.push(0x89);
    ordered_dict(out);
    out.extend(b"tR");
}

fn storage(dtype: StoredDtype) -> &'static str {
    match dtype {
        StoredDtype::F16 => "HalfStorage",
        StoredDtype::Bf16 => "BFloat16Storage",
        StoredDtype::F32 => "FloatStorage",
        StoredDtype::F64 => "DoubleStorage",
    }
}

fn tuple(out: &mut Vec<u8>, values: &[usize]) {
    out.push(b'(');
    values.iter().for_each(|value| number(out, *value as u64));
    out.push(b't');
}

fn text(out: &mut Vec<u8>, value: &str) {
    out.push(b'X');
    out.extend((value.len() as u32).to_le_bytes());
    out.extend(value.as_bytes());
}

/// BININT where four bytes suffice, as CPython writes it; else LONG1, whose leading zero keeps it positive.
fn number(out: &mut Vec<u8>, value: u64) {
    if let Ok(value) = i32::try_from(value) {
        out.push(b'J');
        out.extend(value.to_le_bytes());
        return;
    }
    let bytes = value.to_le_bytes();
    let used = 8 - value.leading_zeros() as usize / 8;
    let zero = bytes[used - 1] >= 0x80;
    out.extend([0x8a, (used + usize::from(zero)) as u8]);
    out.extend(&bytes[..used]);
    out.extend(zero.then_some(0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::files::load_error::LoadError;
    use crate::backbone::files::tensor_file::TensorFile;
    use crate::backbone::files::torch_file::TorchArchive;

    #[test]
    fn what_is_written_is_read() {
        let tensors = BTreeMap::from([
            ("ctx".to_owned(), StoredTensor::from_f32(vec![2, 3], &[1.0, -2.0, 3.5, 0.0, 1e-30, 7.0])),
            ("bias".to_owned(), StoredTensor::from_f32(vec![1], &[0.25])),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.pth.tar-3");
        let note = BTreeMap::from([("method".to_owned(), "\u{e9}".to_owned())]);
        let bytes = checkpoint_bytes(&tensors, 3, &note).unwrap();
        assert_eq!(bytes, checkpoint_bytes(&tensors, 3, &note).unwrap(), "the same content, the same bytes");
        std::fs::write(&path, &bytes).unwrap();
        let mut file = TorchArchive::open(&path).unwrap();
        for (name, tensor) in &tensors {
            assert_eq!(file.read(name).unwrap(), *tensor, "{name}");
        }
        assert_eq!(*file.metadata(), note);
        let long = BTreeMap::from([("method".to_owned(), "m".repeat(1 << 20))]);
        std::fs::write(&path, checkpoint_bytes(&tensors, 3, &long).unwrap()).unwrap();
        assert!(matches!(TorchArchive::open(&path), Err(LoadError::TooLarge { .. })), "a note is short");
        let cut = folder.path().join("cut");
        std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
        assert!(TorchArchive::open(&cut).is_err());
    }
}
