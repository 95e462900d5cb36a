//! Work that is prepared on another thread while this one is busy elsewhere: pixels for a GPU.

use std::sync::mpsc::sync_channel;

/// Calls `take(item, make(item))` in order. With `room` above 0, `make` runs on a thread of its own, at most
/// `room` results and the one in hand ahead; the first error ends both.
///
/// # Errors
/// The first error of `take`.
pub(super) fn ahead<I: Send + Copy, T: Send, E>(
    items: impl Iterator<Item = I> + Send,
    room: usize,
    make: impl Fn(I) -> T + Send,
    mut take: impl FnMut(I, T) -> Result<(), E>,
) -> Result<(), E> {
    if room == 0 {
        return items.into_iter().try_for_each(|item| take(item, make(item)));
    }
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(room);
        scope.spawn(move || {
            for item in items {
                // Nobody listens any more once `take` has failed.
                if sender.send((item, make(item))).is_err() {
                    break;
                }
            }
        });
        receiver.into_iter().try_for_each(|(item, made)| take(item, made))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn order_and_results_do_not_depend_on_the_queue() {
        for room in [0, 1, 3] {
            let mut taken = Vec::new();
            let each = |item: usize, square: usize| {
                taken.push((item, square));
                Ok::<(), String>(())
            };
            ahead(0..20, room, |item| item * item, each).unwrap();
            assert_eq!(taken, (0..20).map(|i| (i, i * i)).collect::<Vec<_>>(), "room {room}");
        }
    }

    #[test]
    fn an_error_ends_it_and_nothing_runs_far_ahead() {
        for (room, most) in [(0, 3), (2, 3 + 2 + 2)] {
            let made = AtomicUsize::new(0);
            let make = |item: usize| {
                made.fetch_add(1, Ordering::SeqCst);
                item
            };
            let result = ahead(0..1000, room, make, |item, _| if item == 2 { Err("stop") } else { Ok(()) });
            assert_eq!(result, Err("stop"));
            assert!(made.load(Ordering::SeqCst) <= most, "room {room}: {made:?}");
        }
    }
}
