//! What kills leave behind and nobody would come back to: checkpoints of trainings that are stored, partial passes
//! of cells that are recorded.

use crate::record::{Store, StoreError};
use crate::suite::plan::keys::trained_paths;

/// The folder of checkpoints in a run directory.
const FOLDER: &str = "checkpoints";

/// Removes them. What belongs to work in progress stays.
///
/// # Errors
/// [`StoreError`].
pub(in crate::suite) fn sweep(store: &Store) -> Result<(), StoreError> {
    for file in store.list(FOLDER, "checkpoint")? {
        let key = file.trim_end_matches(".checkpoint");
        if trained_paths(key).iter().all(|path| store.dir().join(path).is_file()) {
            store.remove(&format!("{FOLDER}/{file}"))?;
        }
    }
    for file in store.list(FOLDER, "partial")? {
        let key = file.split('-').next().unwrap_or_default();
        if store.find(key)?.is_some() {
            store.remove(&format!("{FOLDER}/{file}"))?;
        }
    }
    Ok(())
}
