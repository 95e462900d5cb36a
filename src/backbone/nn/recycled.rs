//! Rows of numbers that are used again: every step of a training asks for the same sizes, and memory that was just let go is
//! still near and need not be cleared.

use super::kernels::zeros;
use super::real::Real;

/// Fewer numbers are not worth a look.
const FROM: usize = 1 << 9;
/// More belong to models whose work is far larger than what their memory costs.
const UP_TO: usize = 1 << 18;

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
    }
}
