//! Features in memory; what was used longest ago goes first.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::key::FeatureKey;

/// After an overflow this share of the room is free again, so that not every insertion sorts.
const FREED: u64 = 4;

pub(super) struct Memory {
    limit: u64,
    bytes: u64,
    clock: u64,
    entries: BTreeMap<FeatureKey, (u64, Arc<[f32]>)>,
}

fn size(values: &[f32]) -> u64 {
    size_of_val(values) as u64
}

impl Memory {
    pub fn new(limit: u64) -> Self {
        Self { limit, bytes: 0, clock: 0, entries: BTreeMap::new() }
    }

    pub fn get(&mut self, key: &FeatureKey) -> Option<Arc<[f32]>> {
        self.clock += 1;
        let (used, values) = self.entries.get_mut(key)?;
        *used = self.clock;
        Some(values.clone())
    }

    pub fn insert(&mut self, key: FeatureKey, values: Arc<[f32]>) {
        self.clock += 1;
        self.bytes += size(&values);
        if let Some((_, old)) = self.entries.insert(key, (self.clock, values)) {
            self.bytes -= size(&old);
        }
        if self.bytes > self.limit {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        let mut by_age: Vec<(u64, FeatureKey)> =
            self.entries.iter().map(|(key, (used, _))| (*used, *key)).collect();
        by_age.sort_unstable();
        for (_, key) in by_age {
            if self.bytes <= self.limit - self.limit / FREED {
                break;
            }
            if let Some((_, values)) = self.entries.remove(&key) {
                self.bytes -= size(&values);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut memory = Memory::new(40);
        let (key, values) = (|n: u8| [n; 32], || Arc::from([0.0f32, 1.0]));
        for n in 0..5 {
            memory.insert(key(n), values());
        }
        assert!(memory.get(&key(0)).is_some());
        memory.insert(key(9), values());
        let left: Vec<u8> = (0..10).filter(|n| memory.get(&key(*n)).is_some()).collect();
        assert_eq!((left, memory.bytes), (vec![0, 4, 9], 24));
        memory.insert(key(9), values());
        assert_eq!(memory.bytes, 24);
    }
}
