//! Which seconds of a piece of work several threads can share: those inside parts of towers, and the frozen layers outside
//! them. The others are what is left to one thread, however many there are.

use std::cell::RefCell;
use std::time::Instant;

thread_local! {
    /// Seconds of parts, a list for each time that something was cut into parts; `None` while nobody asks, and within a part.
    static TAKEN: RefCell<Option<Vec<Vec<f64>>>> = const { RefCell::new(None) };
}

/// Runs `work` and says how long every part of a tower took, a list for each time that something was cut into parts; a tower
/// that is not cut is one part, and so is a frozen layer outside a tower. Complete only where there is one thread: parts on other threads are not seen.
pub fn pieces<R>(work: impl FnOnce() -> R) -> (R, Vec<Vec<f64>>) {
    let before = TAKEN.replace(Some(Vec::new()));
    let result = work();
    (result, TAKEN.replace(before).unwrap_or_default())
}

/// `work` on the items in order, on this thread, each a part.
pub(super) fn in_turn<T, R>(items: &[T], work: impl Fn(&T) -> R) -> Vec<R> {
    let Some(mut taken) = TAKEN.take() else { return items.iter().map(work).collect() };
    let mut seconds = Vec::with_capacity(items.len());
    let timed = |item| {
        let started = Instant::now();
        let result = work(item);
        seconds.push(started.elapsed().as_secs_f64());
        result
    };
    let results = items.iter().map(timed).collect();
    taken.push(seconds);
    TAKEN.set(Some(taken));
    results
}

/// `work` as one part, unless it lies within another.
pub(super) fn as_one<R>(work: impl FnOnce() -> R) -> R {
    let Some(mut taken) = TAKEN.take() else { return work() };
    let started = Instant::now();
    let result = work();
    taken.push(vec![started.elapsed().as_secs_f64()]);
    TAKEN.set(Some(taken));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_listed_by_cut_and_what_lies_within_one_is_its_own() {
        let (sum, taken) = pieces(|| {
            let parts = in_turn(&[1, 2, 3], |n| as_one(|| n * in_turn(&[1, 1], |m| *m).len()));
            as_one(|| ());
            parts.into_iter().sum::<usize>()
        });
        assert_eq!(sum, 12);
        assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
        assert!(taken.iter().flatten().all(|seconds| *seconds >= 0.0));
    }

    #[test]
    fn nothing_is_kept_while_nobody_asks() {
        assert_eq!(in_turn(&[1, 2], |n| *n), [1, 2]);
        let (inner, outer) = pieces(|| pieces(|| as_one(|| ())).1.len());
        assert_eq!((inner, outer.len()), (1, 0), "an inner question is its own");
        assert!(TAKEN.take().is_none());
    }
}
