//! The file `torch.save` wrote before version 1.6: five pickles, then the storages one after the other.
//!
//! Owns the walk over the storages; pickles are read by `machine`, descriptions by `archive`. Every storage is its
//! number of elements (u64) and its bytes, in the order of the fifth pickle.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::archive::MAX_PICKLE_BYTES;
use super::described::Described;
use super::layout::{INTEGER_BYTES, Layout, state_dict_tensors};
use super::machine::unpickle_first;
use super::pickle::{Node, Pickle};
use crate::backbone::files::load_error::LoadError;

/// The first pickle: the number 0x1950a86a20f9469cfc6c.
pub(super) const MAGIC: &[u8] =
    &[0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];

/// Where a storage's bytes lie in the file.
#[derive(Clone, Copy)]
struct Storage {
    start: u64,
    bytes: u64,
}

/// An open legacy file and the tensors of its state dictionary.
pub struct LegacyTorchFile {
    path: PathBuf,
    file: File,
    tensors: BTreeMap<String, Layout>,
    storages: BTreeMap<String, Storage>,
}

impl LegacyTorchFile {
    /// Opens the file, reads its pickles and finds its storages.
    ///
    /// # Errors
    /// [`LoadError::Pickle`] where a pickle is damaged, [`LoadError::Truncated`] where storages are missing,
    /// [`LoadError::Tensor`] where a description makes no sense.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let mut file = File::open(path).map_err(LoadError::io("open", path))?;
        let file_bytes = file.metadata().map_err(LoadError::io("open", path))?.len();
        let mut head = Vec::new();
        file.by_ref().take(MAX_PICKLE_BYTES).read_to_end(&mut head).map_err(LoadError::io("read", path))?;
        let mut at = MAGIC.len();
        let mut next = || -> Result<Pickle, LoadError> {
            let (pickle, length) = unpickle_first(head.get(at..).unwrap_or_default())
                .map_err(|source| LoadError::Pickle { path: path.to_owned(), source })?;
            at += length;
            Ok(pickle)
        };
        let (_version, system, state, keys) = (next()?, next()?, next()?, next()?);
        let little = system.entry(system.root(), "little_endian");
        if little.is_none_or(|id| *system.node(id) != Node::Bool(true)) {
            return Err(LoadError::tensor(path, "little_endian", "written on a machine of other byte order"));
        }
        let tensors = state_dict_tensors(&state, path)?;
        let storages = find_storages(&mut file, at as u64, file_bytes, &keys, &state, path)?;
        Ok(Self { path: path.to_owned(), file, tensors, storages })
    }
}

impl Described for LegacyTorchFile {
    fn file(&self) -> &Path {
        &self.path
    }

    fn layouts(&self) -> &BTreeMap<String, Layout> {
        &self.tensors
    }

    fn bytes(&mut self, layout: &Layout, name: &str, start: u64, count: u64) -> Result<Vec<u8>, LoadError> {
        let storage = self.storages.get(&layout.storage_key).copied();
        let fits = |s: &Storage| start.checked_add(count).is_some_and(|end| end <= s.bytes);
        let Some(storage) = storage.filter(fits) else {
            let size = storage.map_or(0, |storage| storage.bytes);
            let problem = format!("{count} bytes from {start} are wanted, its storage has {size}");
            return Err(LoadError::tensor(&self.path, name, problem));
        };
        let mut bytes = vec![0; count as usize];
        self.file
            .seek(SeekFrom::Start(storage.start + start))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(LoadError::io("read", &self.path))?;
        Ok(bytes)
    }
}

/// Walks over the storages in the order of `keys`, from byte `at` on.
fn find_storages(
    file: &mut File,
    mut at: u64,
    file_bytes: u64,
    keys: &Pickle,
    state: &Pickle,
    path: &Path,
) -> Result<BTreeMap<String, Storage>, LoadError> {
    let classes = storage_classes(state);
    let mut storages = BTreeMap::new();
    let Node::List(list) = keys.node(keys.root()) else { return Ok(storages) };
    for key in list {
        let Node::Text(key) = keys.node(*key) else { continue };
        let width = classes.get(key.as_str()).and_then(|class| element_bytes(class)).ok_or_else(|| {
            let problem = format!("of class {:?}, whose size is not known", classes.get(key.as_str()));
            LoadError::tensor(path, &format!("storage {key}"), problem)
        })?;
        let mut count = [0; INTEGER_BYTES as usize];
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(&mut count))
            .map_err(LoadError::io("read", path))?;
        let bytes = u64::from_le_bytes(count).saturating_mul(width);
        let start = at + INTEGER_BYTES;
        at = start.saturating_add(bytes);
        if at > file_bytes {
            return Err(LoadError::Truncated { path: path.to_owned(), found: file_bytes, expected: at });
        }
        storages.insert(key.clone(), Storage { start, bytes });
    }
    Ok(storages)
}

/// The class of each storage a pickle refers to, by key.
fn storage_classes(state: &Pickle) -> BTreeMap<&str, &str> {
    let described = state.nodes().iter().filter_map(|node| {
        let Node::Persistent(storage) = node else { return None };
        let Node::Tuple(parts) = state.node(*storage) else { return None };
        match (state.node(*parts.get(1)?), state.node(*parts.get(2)?)) {
            (Node::Global(class), Node::Text(key)) => Some((key.as_str(), class.as_str())),
            _ => None,
        }
    });
    described.collect()
}

fn element_bytes(class: &str) -> Option<u64> {
    match class.strip_prefix("torch.")?.strip_suffix("Storage")? {
        "Double" | "Long" => Some(8),
        "Float" | "Int" => Some(4),
        "Half" | "BFloat16" | "Short" => Some(2),
        "Char" | "Byte" | "Bool" => Some(1),
        _ => None,
    }
}
