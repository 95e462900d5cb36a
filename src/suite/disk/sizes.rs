//! Numbers that `auto` found for a run, kept in its directory: the same command after an interruption must give the same
//! cells, however much memory is free then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::Store;
use crate::suite::error::SuiteError;

/// Name of the file in a run directory.
const FILE: &str = "sizes.toml";

/// By kind of device, setting and number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Numbers(BTreeMap<String, BTreeMap<String, u32>>);

/// The numbers of a run for one kind of device.
#[derive(Clone, Debug, Default)]
pub struct Sizes {
    numbers: Numbers,
    device: String,
}

impl Sizes {
    /// Those that a run directory holds; none where it has no such file.
    ///
    /// # Errors
    /// [`SuiteError::Usage`] for a file that is damaged.
    pub fn of(store: &Store, device: &str) -> Result<Self, SuiteError> {
        let numbers = match store.read(FILE) {
            Err(_) => Numbers::default(),
            Ok(bytes) => toml::from_str(&String::from_utf8_lossy(&bytes)).map_err(|error| {
                let path = store.dir().join(FILE);
                let reason = error.message();
                SuiteError::Usage(format!(
                    "read {}: {reason}; remove the file, or give numbers in the place of auto",
                    path.display()
                ))
            })?,
        };
        Ok(Self { numbers, device: device.to_owned() })
    }

    /// The number of a setting; where there is none yet, what `find` gives from now on.
    ///
    /// # Errors
    /// What `find` reports.
    pub(in crate::suite) fn get_or(
        &mut self,
        key: &str,
        find: impl FnOnce() -> Result<u32, SuiteError>,
    ) -> Result<u32, SuiteError> {
        let known = self.numbers.0.entry(self.device.clone()).or_default();
        if let Some(number) = known.get(key) {
            return Ok((*number).max(1));
        }
        let number = find()?;
        known.insert(key.to_owned(), number);
        Ok(number)
    }

    /// Writes them into the run directory; nothing where `auto` was never asked for.
    ///
    /// # Errors
    /// [`SuiteError::Store`].
    pub fn keep(&self, store: &Store) -> Result<(), SuiteError> {
        if self.numbers.0.values().all(BTreeMap::is_empty) {
            return Ok(());
        }
        let text = toml::to_string(&self.numbers).map_err(|error| SuiteError::Usage(error.to_string()))?;
        if !store.read(FILE).is_ok_and(|old| old == text.as_bytes()) {
            store.write(FILE, text.as_bytes())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_once_and_read_back_whatever_would_be_found_later() {
        let out = tempfile::tempdir().unwrap();
        let store = Store::new(out.path(), "s", "p");
        let mut first = Sizes::of(&store, "cpu").unwrap();
        assert_eq!(first.get_or("engine.images", || Ok(64)).unwrap(), 64);
        first.keep(&store).unwrap();
        let mut again = Sizes::of(&store, "cpu").unwrap();
        assert_eq!(again.get_or("engine.images", || Ok(16)).unwrap(), 64);
        let mut card = Sizes::of(&store, "cuda").unwrap();
        assert_eq!(card.get_or("engine.images", || Ok(512)).unwrap(), 512, "another device has its own");
        card.keep(&store).unwrap();
        assert_eq!(Sizes::of(&store, "cpu").unwrap().get_or("engine.images", || Ok(1)).unwrap(), 64);
        store.write(FILE, b"cpu = 3").unwrap();
        assert!(Sizes::of(&store, "cpu").unwrap_err().to_string().contains("sizes.toml"));
    }
}
