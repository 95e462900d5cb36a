//! Features in a folder: one file a chunk, checked on reading, the oldest gone when there is no more room.
//!
//! Everything in it can be made again. So files are renamed into place without waiting for the disk, a damaged
//! one counts as none, and a folder that cannot be written to is reported, not an error.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::key::FeatureKey;
use crate::train::error::TrainError;
use crate::util::atomic_file;
use crate::util::hex;

const ENDING: &str = "features";
const HASH_BYTES: usize = 32;
/// After an overflow this share of the room is free again.
const FREED: u64 = 10;

pub(super) struct Disk {
    folder: PathBuf,
    limit: u64,
    state: Mutex<State>,
}

struct State {
    /// Bytes of all files, as far as this process knows.
    bytes: u64,
    fault: Option<String>,
}

/// A stored file.
pub(super) struct Stored {
    pub path: PathBuf,
    pub bytes: u64,
    modified: SystemTime,
}

/// `ab/abcd….features`: folders stay small.
pub(super) fn path(folder: &Path, key: &FeatureKey) -> PathBuf {
    let name = hex(key);
    folder.join(&name[..2]).join(format!("{name}.{ENDING}"))
}

/// The stored files of a folder; others' files are not counted.
pub(super) fn files(folder: &Path) -> Vec<Stored> {
    let list = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let stored = |entry: fs::DirEntry| {
        let (path, data) = (entry.path(), entry.metadata().ok()?);
        let ours = data.is_file() && path.extension().is_some_and(|ending| ending == ENDING);
        ours.then_some(Stored { path, bytes: data.len(), modified: data.modified().ok()? })
    };
    list(folder).flat_map(|entry| list(&entry.path())).filter_map(stored).collect()
}

fn pack(key: &FeatureKey, values: &[f32]) -> Vec<u8> {
    let mut bytes = key.to_vec();
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    let hash = Sha256::digest(&bytes);
    bytes.extend(hash);
    bytes
}

/// The numbers of a whole file of this key; `None` for anything else.
fn unpack(bytes: &[u8], key: &FeatureKey, count: usize) -> Option<Vec<f32>> {
    let (content, hash) = bytes.split_at_checked(bytes.len().checked_sub(HASH_BYTES)?)?;
    (Sha256::digest(content).as_slice() == hash).then_some(())?;
    let numbers = content.strip_prefix(key.as_slice())?;
    let (numbers, rest) = numbers.as_chunks::<4>();
    (numbers.len() == count && rest.is_empty())
        .then(|| numbers.iter().map(|n| f32::from_le_bytes(*n)).collect())
}

impl Disk {
    pub fn open(folder: PathBuf, limit: u64) -> Result<Self, TrainError> {
        let fail = |error: io::Error| TrainError::Cache { folder: folder.clone(), reason: error.to_string() };
        fs::create_dir_all(&folder).map_err(fail)?;
        // A folder that can be read but not written to would say so only hours later.
        let probe = folder.join(format!(".{}.probe", std::process::id()));
        fs::write(&probe, []).and_then(|()| fs::remove_file(&probe)).map_err(fail)?;
        let bytes = files(&folder).iter().map(|file| file.bytes).sum();
        Ok(Self { folder, limit, state: Mutex::new(State { bytes, fault: None }) })
    }

    pub fn read(&self, key: &FeatureKey, count: usize) -> Option<Vec<f32>> {
        unpack(&fs::read(path(&self.folder, key)).ok()?, key, count)
    }

    pub fn write(&self, key: &FeatureKey, values: &[f32]) {
        let (path, bytes) = (path(&self.folder, key), pack(key, values));
        let Ok(mut state) = self.state.lock() else { return };
        if state.bytes + bytes.len() as u64 > self.limit {
            state.bytes = self.shrink();
        }
        let written = path.parent().map_or(Ok(()), fs::create_dir_all);
        match written.and_then(|()| atomic_file::write_unsynced(&path, &bytes)) {
            Ok(()) => state.bytes += bytes.len() as u64,
            Err(error) => {
                state.fault.get_or_insert(error.to_string());
            }
        }
    }

    pub fn fault(&self) -> Option<String> {
        self.state.lock().ok()?.fault.clone()
    }

    /// Removes the oldest files and returns the bytes that are left.
    fn shrink(&self) -> u64 {
        let mut files = files(&self.folder);
        files.sort_by_key(|file| file.modified);
        let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files {
            if bytes <= self.limit - self.limit / FREED {
                break;
            }
            // Another process may have been faster; either way the file is gone.
            drop(fs::remove_file(&file.path));
            bytes -= file.bytes;
        }
        bytes
    }
}
