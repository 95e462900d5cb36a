//! Pooled features of image chunks, stored by what they were computed from, so that methods and runs share them.
//!
//! A key covers the model, the transform, the view and the pictures' own content. So an entry is either
//! what would be computed now, bit for bit, or it is never found. Memory first; a folder where one is given.

mod disk;
mod key;
mod memory;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::error::TrainError;
use crate::backbone::halving::halvings;
use disk::Disk;
pub use key::{FeatureKey, KeyWriter};
use memory::Memory;

/// Memory that features may take: more than an epoch of any known draw.
const MEMORY_BYTES: u64 = 1 << 30;

/// A store of pooled features for one model. Shared by threads; processes may share its folder.
pub struct FeatureStore {
    model: String,
    memory: Mutex<Memory>,
    disk: Option<Disk>,
}

impl FeatureStore {
    /// A store in memory for the model that `model` identifies (weights, type, device).
    pub fn new(model: impl Into<String>) -> Self {
        Self { model: model.into(), memory: Mutex::new(Memory::new(MEMORY_BYTES)), disk: None }
    }

    /// The same store, which also reads and writes `folder`. Beyond `limit` bytes there the oldest files go.
    ///
    /// # Errors
    /// [`TrainError::Cache`] when the folder cannot be made or written to.
    pub fn with_folder(self, folder: PathBuf, limit: u64) -> Result<Self, TrainError> {
        Ok(Self { disk: Some(Disk::open(folder, limit)?), ..self })
    }

    /// Whether features outlive the process.
    pub fn persists(&self) -> bool {
        self.disk.is_some()
    }

    /// Begins the key of a chunk of images of this model, cut to `side` pixels; training crops cover at least
    /// `crop_scale` of an image.
    pub fn key(&self, side: usize, crop_scale: f64) -> KeyWriter {
        KeyWriter::new(&self.model, side, crop_scale)
    }

    /// The `count` numbers under `key`: kept ones, else those that `compute` returns, which are kept.
    ///
    /// # Errors
    /// What `compute` reports. A folder that fails never stops a run: its entries are computed again.
    pub fn get_or(
        &self,
        key: &FeatureKey,
        count: usize,
        compute: impl FnOnce() -> Result<Vec<f32>, TrainError>,
    ) -> Result<Arc<[f32]>, TrainError> {
        if let Some(found) = self.remembered(key).filter(|values| values.len() == count) {
            return Ok(found);
        }
        let stored = self.disk.as_ref().and_then(|disk| disk.read(key, count));
        let values: Arc<[f32]> = match stored {
            Some(values) => values.into(),
            None => {
                let before = halvings();
                let values = compute()?;
                if halvings() != before {
                    // Another cut, other last bits: right for this run, but not what the key stands for.
                    return Ok(values.into());
                }
                if let Some(disk) = &self.disk {
                    disk.write(key, &values);
                }
                values.into()
            }
        };
        if let Ok(mut memory) = self.memory.lock() {
            memory.insert(*key, values.clone());
        }
        Ok(values)
    }

    /// Why the folder could not be written to, the first time it happened.
    pub fn fault(&self) -> Option<String> {
        self.disk.as_ref().and_then(Disk::fault)
    }

    fn remembered(&self, key: &FeatureKey) -> Option<Arc<[f32]>> {
        self.memory.lock().ok()?.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(folder: &std::path::Path) -> FeatureStore {
        FeatureStore::new("model").with_folder(folder.to_owned(), 1 << 20).unwrap()
    }

    fn key(store: &FeatureStore, view: &str) -> FeatureKey {
        let mut key = store.key(8, 0.08);
        key.image(&[7; 32], &[view]);
        key.finish()
    }

    #[test]
    fn features_computed_in_halves_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let compute = |most: usize| {
            let work = |range: std::ops::Range<usize>| match range.len() > most {
                true => Err(candle_core::Error::Msg("CUDA_ERROR_OUT_OF_MEMORY".to_owned())),
                false => Ok(vec![1.0f32; range.len()]),
            };
            Ok(crate::backbone::halving::in_halves(0..2, &mut { work })?.concat())
        };
        let key = key(&store, "a");
        assert_eq!(store.get_or(&key, 2, || compute(1)).unwrap()[..], [1.0, 1.0]);
        assert!(store.get_or(&key, 2, unreachable).is_err(), "in halves");
        store.get_or(&key, 2, || compute(2)).unwrap();
        assert!(store.get_or(&key, 2, unreachable).is_ok(), "the control: whole");
    }

    fn unreachable() -> Result<Vec<f32>, TrainError> {
        Err(TrainError::Empty("computed again".to_owned()))
    }

    #[test]
    fn what_was_computed_once_comes_back_from_memory_and_from_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let values = vec![1.5f32, -0.0, f32::MIN_POSITIVE];
        let first = store(folder.path());
        let made = first.get_or(&key(&first, "a"), 3, || Ok(values.clone())).unwrap();
        for again in [&first, &store(folder.path())] {
            let found = again.get_or(&key(again, "a"), 3, unreachable).unwrap();
            assert!(found.iter().zip(made.iter()).all(|(a, b)| a.to_bits() == b.to_bits()));
            assert!(again.get_or(&key(again, "b"), 3, unreachable).is_err(), "another view is another key");
            assert!(again.get_or(&key(again, "a"), 2, unreachable).is_err(), "another count");
        }
        let other = FeatureStore::new("other").with_folder(folder.path().to_owned(), 1 << 20).unwrap();
        assert!(other.get_or(&key(&other, "a"), 3, unreachable).is_err(), "another model is another key");
        let only_memory = FeatureStore::new("model");
        assert!(only_memory.get_or(&key(&only_memory, "a"), 3, unreachable).is_err());
    }

    #[test]
    fn a_damaged_file_is_computed_again_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let first = store(folder.path());
        let key = key(&first, "a");
        first.get_or(&key, 2, || Ok(vec![1.0, 2.0])).unwrap();
        let file = disk::path(folder.path(), &key);
        let whole = std::fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&file, &damaged).unwrap();
            assert!(store(folder.path()).get_or(&key, 2, unreachable).is_err(), "byte {at}");
            std::fs::write(&file, &whole[..at]).unwrap();
            assert!(store(folder.path()).get_or(&key, 2, unreachable).is_err(), "cut at {at}");
        }
        store(folder.path()).get_or(&key, 2, || Ok(vec![1.0, 2.0])).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), whole);
    }

    #[test]
    fn a_full_folder_loses_its_oldest_files_and_a_broken_one_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let small = FeatureStore::new("model").with_folder(folder.path().to_owned(), 2000).unwrap();
        for view in 0..40 {
            let key = key(&small, &view.to_string());
            small.get_or(&key, 10, || Ok(vec![view as f32; 10])).unwrap();
        }
        let bytes: u64 = disk::files(folder.path()).iter().map(|file| file.bytes).sum();
        assert!((1..=2000).contains(&bytes), "{bytes}");
        assert!(small.fault().is_none());

        std::fs::remove_dir_all(folder.path()).unwrap();
        std::fs::write(folder.path(), b"a file").unwrap();
        let key = key(&small, "after");
        assert_eq!(small.get_or(&key, 1, || Ok(vec![3.0])).unwrap()[..], [3.0]);
        assert!(small.fault().is_some());
        std::fs::remove_file(folder.path()).unwrap();
    }
}
