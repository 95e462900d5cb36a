//! Few-shot draws that were asked for, kept: methods share a draw, and one of many images takes its time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::data::{DataError, DrawRule, Item};
use crate::util::hex;

/// A few-shot draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Positions in the training list, in drawing order.
    pub positions: Vec<usize>,
    /// SHA-256 over path and label of every drawn item, in drawing order.
    pub sha256: String,
}

impl Draw {
    pub(super) fn new(positions: Vec<usize>, list: &[Item]) -> Self {
        let mut hash = Sha256::new();
        for Item { path, label } in positions.iter().map(|position| &list[*position]) {
            hash.update(format!("{path}\t{label}\n"));
        }
        Self { positions, sha256: hex(&hash.finalize()) }
    }
}

/// The draws of one dataset, by rule, shots and seed.
#[derive(Debug, Default)]
pub(super) struct Draws(Mutex<BTreeMap<(DrawRule, u32, u64), Arc<Draw>>>);

impl Draws {
    /// The draw of `(rule, shots, seed)`. The lock is held while it is computed, so that two threads do not both compute it.
    pub fn get(
        &self,
        key: (DrawRule, u32, u64),
        compute: impl FnOnce() -> Result<Draw, DataError>,
    ) -> Result<Arc<Draw>, DataError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(draw) = known.get(&key) {
            return Ok(Arc::clone(draw));
        }
        let draw = Arc::new(compute()?);
        known.insert(key, Arc::clone(&draw));
        Ok(draw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_computed_once_for_each_seed_and_number_of_shots() {
        let draws = Draws::default();
        let count = std::cell::Cell::new(0);
        let ask = |shots, seed| {
            let compute = || {
                count.set(count.get() + 1);
                let item = |n: u64| Item { path: n.to_string(), label: 0 };
                Ok(Draw::new(vec![0], &[item(seed)]))
            };
            draws.get((DrawRule::Coop, shots, seed), compute).unwrap()
        };
        let first = ask(1, 1);
        assert!(Arc::ptr_eq(&first, &ask(1, 1)));
        assert_eq!(count.get(), 1);
        assert_ne!(first.sha256, ask(1, 2).sha256);
        ask(2, 1);
        assert_eq!(count.get(), 3);
    }
}
