//! When a device's memory does not suffice, the same work in halves.
//!
//! Only devices report this: on the CPU the system ends the process. Last bits depend on the cut, so it is said aloud, and
//! counted: records say it, and what was computed in halves is not kept as if it had not been.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Once;

use candle_core::{Error, Result, bail};

static SAID: Once = Once::new();

thread_local! {
    static HALVED: Cell<u64> = const { Cell::new(0) };
}

/// How often this thread's work was cut in half so far.
pub fn halvings() -> u64 {
    HALVED.get()
}

/// True for a device's report that its memory is full.
pub(super) fn is_out_of_memory(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("OUT_OF_MEMORY") || text.contains("out of memory")
}

/// `work` over a range of items, or, where memory does not suffice, over its halves, quarters and so on, in order.
///
/// # Errors
/// What `work` reports; for a single item that does not fit, what to do about it.
pub fn in_halves<T>(range: Range<usize>, work: &mut dyn FnMut(Range<usize>) -> Result<T>) -> Result<Vec<T>> {
    let error = match work(range.clone()) {
        Ok(result) => return Ok(vec![result]),
        Err(error) if is_out_of_memory(&error) => error,
        Err(error) => return Err(error),
    };
    if range.len() <= 1 {
        bail!(
            "the device's memory does not suffice for one item at a time; free it (nvidia-smi shows who holds it), \
             or use --dtype bf16 or --device cpu: {error}"
        );
    }
    SAID.call_once(|| {
        eprintln!(
            "out of device memory with {} items at once: going on with half as many; last bits may differ",
            range.len()
        );
    });
    HALVED.set(HALVED.get() + 1);
    let middle = range.start + range.len() / 2;
    let mut results = in_halves(range.start..middle, work)?;
    results.extend(in_halves(middle..range.end, work)?);
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Error {
        Error::Msg("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")".to_owned())
    }

    #[test]
    fn work_goes_on_in_pieces_that_fit() {
        let before = halvings();
        let pieces = in_halves(3..13, &mut |range| if range.len() > 3 { Err(full()) } else { Ok(range) });
        let pieces = pieces.unwrap();
        assert_eq!(pieces.iter().cloned().flatten().collect::<Vec<_>>(), (3..13).collect::<Vec<_>>());
        assert!(pieces.len() >= 4);
        assert_eq!(halvings() - before, pieces.len() as u64 - 1);
        assert_eq!(in_halves(0..5, &mut Ok).unwrap(), [0..5]);
    }

    #[test]
    fn one_item_too_many_says_what_to_do_and_other_errors_pass() {
        let error = in_halves(0..4, &mut |_| Err::<(), _>(full())).unwrap_err().to_string();
        assert!(error.contains("--dtype bf16") && error.contains("CUDA_ERROR_OUT_OF_MEMORY"), "{error}");
        let mut calls = 0;
        let other = in_halves(0..4, &mut |_| {
            calls += 1;
            Err::<(), _>(Error::Msg("another fault".to_owned()))
        });
        assert!(other.unwrap_err().to_string().contains("another fault"));
        assert_eq!(calls, 1);
    }
}
