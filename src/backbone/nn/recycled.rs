//! Rows of numbers that are used again: every step of a training asks for the same sizes, and memory that was just let go is
//! still near and need not be cleared.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::kernels::zeros;
use super::real::Real;

/// Fewer numbers are not worth a look.
const FROM: usize = 1 << 9;
/// More belong to models whose work is far larger than what their memory costs.
const UP_TO: usize = 1 << 18;
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

    fn take(&mut self, count: usize) -> Option<Vec<T>> {
        let values = self.by_count.get_mut(&count)?.pop()?;
        self.numbers -= values.capacity();
        Some(values)
    }

    fn put(&mut self, values: Vec<T>) {
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

/// Memory of so many numbers that was let go, with whatever is in it.
pub(super) fn taken<T: Real>(count: usize) -> Option<Vec<T>> {
    (FROM..=UP_TO).contains(&count).then(|| T::let_go().with_borrow_mut(|kept| kept.take(count)))?
}

/// So many numbers of any value, every one of which is to be overwritten.
pub(super) fn scratch<T: Real>(count: usize) -> Vec<T> {
    taken(count).unwrap_or_else(|| zeros(count))
}

/// Lets numbers go.
pub(super) fn let_go<T: Real>(values: Vec<T>) {
    if (FROM..=UP_TO).contains(&values.len()) {
        // A thread at its end keeps nothing.
        T::let_go().try_with(|kept| kept.borrow_mut().put(values)).unwrap_or_default();
    }
}

/// A thread's memory of one type.
pub(super) type Local<T> = std::thread::LocalKey<RefCell<LetGo<T>>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_let_go_is_taken_once_and_by_its_size() {
        let count = FROM + 7;
        let_go(vec![1f64; count]);
        assert!(taken::<f64>(count + 1).is_none() && taken::<f32>(count).is_none());
        assert_eq!(taken::<f64>(count), Some(vec![1.0; count]));
        assert!(taken::<f64>(count).is_none());
        assert_eq!(scratch::<f64>(count), vec![0.0; count]);
    }

    #[test]
    fn little_is_kept() {
        for count in [FROM - 1, UP_TO + 1] {
            let_go(vec![1f64; count]);
            assert!(taken::<f64>(count).is_none(), "{count}");
        }
        let mut kept = LetGo::NOTHING;
        for _ in 0..3 * KEPT / UP_TO {
            kept.put(vec![1f32; UP_TO]);
            assert!(kept.numbers <= KEPT);
        }
        assert!(kept.take(UP_TO).is_some());
        let mut kept = LetGo::NOTHING;
        (0..2 * PIECES).for_each(|_| kept.put(vec![1f32; FROM]));
        assert_eq!((0..2 * PIECES).filter_map(|_| kept.take(FROM)).count(), PIECES);
        assert_eq!(kept.numbers, 0);
    }
}
