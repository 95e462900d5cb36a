//! Lanes: threads that take job after job from one queue, until it is empty or one of them meets an error.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::jobs::Job;
use super::life::lane::Lane;
use crate::suite::error::SuiteError;

/// Stack of a lane's threads, as large as a program's first one usually has: graphs are walked down by recursion.
const STACK_BYTES: usize = 8 << 20;

fn pool(threads: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK_BYTES).build()
}

/// Works through the jobs on `lanes` threads and returns what other processes hold. A lane's inner loops stay
/// on its own thread, which for a small model beats cutting every small product in two; numbers do not depend
/// on it.
pub(super) fn work(
    lane: &Lane<'_>,
    jobs: Vec<Job>,
    lanes: usize,
    listed: bool,
    broken: &AtomicBool,
) -> Result<Vec<Job>, SuiteError> {
    let queue: Mutex<VecDeque<Job>> = Mutex::new(jobs.into());
    let first_error: Mutex<Option<SuiteError>> = Mutex::new(None);
    let left: Mutex<Vec<Job>> = Mutex::default();
    let next = || {
        let halted = first_error.lock().map_or(true, |error| error.is_some());
        if halted { None } else { queue.lock().ok()?.pop_front() }
    };
    let one = |(dataset, cells): Job| -> Result<(), SuiteError> {
        let elsewhere = lane.run(&dataset, cells, listed)?;
        if let (false, Ok(mut left)) = (elsewhere.is_empty(), left.lock()) {
            left.push((dataset, elsewhere));
        }
        Ok(())
    };
    let drain = || {
        while let Some(job) = next() {
            if let (Err(error), Ok(mut slot)) = (one(job), first_error.lock()) {
                slot.get_or_insert(error);
                broken.store(true, Ordering::Relaxed);
            }
        }
    };
    let threads = rayon::current_num_threads();
    // A single lane has threads of its own too: work handed to a pool from outside waits for one to wake, at every product.
    std::thread::scope(|scope| {
        for _ in 0..lanes.max(1) {
            scope.spawn(|| match pool(threads) {
                Ok(pool) => pool.install(drain),
                Err(_) => drain(),
            });
        }
    });
    match first_error.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(left.into_inner().unwrap_or_default()),
    }
}
