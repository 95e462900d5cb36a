//! An evaluation pass in progress on disk: predictions so far, a file a cell, so that a kill in a pass of hours
//! loses a minute of it.
//!
//! Easy to get wrong: rows count only up to the last whole chunk that every cell of the pass has, since chunks
//! are the grid that makes predictions repeat bit for bit. A damaged file counts as none.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::data::{Classes, Item};

use crate::record::{Prediction, Store, StoreError, parse_predictions, predictions_csv};
use crate::train::{PassKeeper, TrainError};
use crate::util::hex;

/// Hexadecimal digits and the line break in front of the predictions.
const HASH_LINE: usize = 65;

/// The predictions of one pass.
pub(in crate::suite) struct Partial<'a> {
    store: &'a Store,
    /// One file a classifier, in their order.
    paths: Vec<String>,
    items: &'a [(&'a Item, u32)],
    /// Images a chunk.
    grid: usize,
    every: Duration,
    last: Instant,
    /// A pass that was never due is too short to be worth a file.
    in_use: bool,
}

fn path(key: &str, dataset: &str, classes: Classes) -> String {
    format!("checkpoints/{key}-{dataset}-{classes}.partial")
}

/// Removes what a cell kept of a pass.
///
/// # Errors
/// [`StoreError`].
pub(in crate::suite) fn discard(
    store: &Store,
    key: &str,
    dataset: &str,
    classes: Classes,
) -> Result<(), StoreError> {
    store.remove(&path(key, dataset, classes))
}

impl<'a> Partial<'a> {
    /// The pass over `items` in chunks of `grid` for the cells `keys`, kept every `every`.
    pub fn new<'k>(
        store: &'a Store,
        keys: impl Iterator<Item = &'k str>,
        (dataset, classes): (&str, Classes),
        (items, grid): (&'a [(&'a Item, u32)], usize),
        every: Duration,
    ) -> Self {
        let paths = keys.map(|key| path(key, dataset, classes)).collect();
        Self { store, paths, items, grid, every, last: Instant::now(), in_use: false }
    }

    /// The sound rows of a file; none for a damaged file or one about other items.
    fn rows(&self, path: &str) -> Vec<Prediction> {
        let rows = self.store.read(path).ok().and_then(|bytes| {
            let (hash, csv) = bytes.split_at_checked(HASH_LINE)?;
            (hash == hash_line(csv).as_bytes()).then(|| parse_predictions(csv))?
        });
        let rows = rows.unwrap_or_default();
        let known = self
            .items
            .iter()
            .zip(&rows)
            .take_while(|((item, label), row)| item.path == row.path && *label == row.label);
        let sound = known.count();
        rows.into_iter().take(sound).collect()
    }
}

fn hash_line(csv: &[u8]) -> String {
    format!("{}\n", hex(&Sha256::digest(csv)))
}

impl PassKeeper for Partial<'_> {
    fn resume(&mut self) -> Vec<Vec<Prediction>> {
        let mut found: Vec<_> = self.paths.iter().map(|path| self.rows(path)).collect();
        let shared = found.iter().map(Vec::len).min().unwrap_or(0);
        let whole = if shared == self.items.len() { shared } else { shared / self.grid * self.grid };
        found.iter_mut().for_each(|rows| rows.truncate(whole));
        self.in_use = whole > 0;
        found
    }

    fn due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    fn keep(&mut self, predictions: &[Vec<Prediction>]) -> Result<(), TrainError> {
        for (path, rows) in self.paths.iter().zip(predictions) {
            let csv = predictions_csv(rows);
            let text = hash_line(csv.as_bytes()) + &csv;
            let written = self.store.write(path, text.as_bytes());
            written.map_err(|error| TrainError::Checkpoint { reason: error.to_string() })?;
        }
        (self.last, self.in_use) = (Instant::now(), true);
        Ok(())
    }

    fn in_use(&self) -> bool {
        self.in_use
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::DEFAULT_GRID;

    #[test]
    fn whole_chunks_that_all_cells_have_come_back() {
        let out = tempfile::tempdir().unwrap();
        let store = Store::new(out.path(), "s", "p");
        let items: Vec<Item> =
            (0..40).map(|n| Item { path: format!("{n},\"x\".jpg"), label: n % 3 }).collect();
        let items: Vec<(&Item, u32)> = items.iter().map(|item| (item, item.label)).collect();
        let row = |(item, label): &(&Item, u32)| Prediction {
            path: item.path.clone(),
            label: *label,
            predicted: 1,
            p_true: 0.1 + *label as f32 * 1e-8,
            confidence: None,
        };
        let rows: Vec<_> = items.iter().map(row).collect();
        let pass = |keys: &[&str]| {
            let half = ("eurosat", Classes::Base);
            Partial::new(&store, keys.iter().copied(), half, (&items, DEFAULT_GRID), Duration::ZERO)
        };
        assert!(pass(&["a"]).resume()[0].is_empty());
        pass(&["a"]).keep(std::slice::from_ref(&rows)).unwrap();
        pass(&["b"]).keep(&[rows[..33].to_vec()]).unwrap();
        assert_eq!(pass(&["a"]).resume(), std::slice::from_ref(&rows));
        assert_eq!(pass(&["a", "b"]).resume(), [rows[..32].to_vec(), rows[..32].to_vec()]);
        assert!(pass(&["a", "c"]).resume().iter().all(Vec::is_empty));

        let file = path("a", "eurosat", Classes::Base);
        let mut damaged = store.read(&file).unwrap();
        *damaged.last_mut().unwrap() ^= 1;
        store.write(&file, &damaged).unwrap();
        assert!(pass(&["a"]).resume()[0].is_empty());
        discard(&store, "a", "eurosat", Classes::Base).unwrap();
        assert!(store.read(&file).is_err());
    }
}
