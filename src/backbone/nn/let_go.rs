//! What a thread has let go, to be used again.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// So many numbers a thread keeps at most: 8 MiB of f32.
const KEPT: usize = 1 << 21;
/// So many pieces of one size: what a step lets go and never asks for again must not fill it up.
const PIECES: usize = 64;

/// What a thread has let go, by size.
#[derive(Debug, Default)]
pub(super) struct LetGo<T> {
    by_count: BTreeMap<usize, Vec<Vec<T>>>,
    numbers: usize,
}

impl<T> LetGo<T> {
    /// Nothing.
    pub const NOTHING: Self = Self { by_count: BTreeMap::new(), numbers: 0 };

    /// A piece of this size.
    pub fn take(&mut self, count: usize) -> Option<Vec<T>> {
        let values = self.by_count.get_mut(&count)?.pop()?;
        self.numbers -= values.capacity();
        Some(values)
    }

    /// Keeps a piece, if there is room.
    pub fn put(&mut self, values: Vec<T>) {
        if self.numbers + values.capacity() > KEPT {
            // Sizes change from one training to the next: those of the last are in the way.
            *self = Self::NOTHING;
        }
        let pieces = self.by_count.entry(values.len()).or_default();
        if pieces.len() < PIECES {
            self.numbers += values.capacity();
            pieces.push(values);
        }
    }
}

/// A thread's memory of one type.
pub(super) type Local<T> = std::thread::LocalKey<RefCell<LetGo<T>>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_kept() {
        let (size, mut kept) = (KEPT / 8, LetGo::NOTHING);
        for _ in 0..30 {
            kept.put(vec![1f32; size]);
            assert!(kept.numbers <= KEPT);
        }
        assert!(kept.take(size).is_some() && kept.take(size + 1).is_none());
        let mut kept = LetGo::NOTHING;
        (0..2 * PIECES).for_each(|_| kept.put(vec![1f32; 700]));
        assert_eq!((0..2 * PIECES).filter_map(|_| kept.take(700)).count(), PIECES);
        assert_eq!(kept.numbers, 0);
    }
}
