//! How long a cell's own part of a shared pass takes: its classifiers, with a stopwatch around them.
//!
//! On a GPU operations are queued, so a part's time may show in whatever waits for it next; sums are right.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use candle_core::Tensor;

use crate::method::{ClassifierSet, ImageBatch, MethodError, Shares};

/// Nanoseconds spent so far; clones count together.
#[derive(Clone, Debug, Default)]
pub(in crate::suite) struct Spent(Arc<AtomicU64>);

impl Spent {
    /// Seconds spent so far.
    pub fn seconds(&self) -> f64 {
        self.0.load(Ordering::Relaxed) as f64 * 1e-9
    }
}

/// Classifiers whose work is timed.
pub(in crate::suite) struct TimedSet {
    /// The classifiers.
    pub set: Box<dyn ClassifierSet>,
    /// Where their time is counted.
    pub spent: Spent,
}

impl ClassifierSet for TimedSet {
    fn logits(&self, images: &ImageBatch, shares: Shares) -> Result<Vec<Tensor>, MethodError> {
        let started = Instant::now();
        let logits = self.set.logits(images, shares);
        self.spent.0.fetch_add(started.elapsed().as_nanos() as u64, Ordering::Relaxed);
        logits
    }
}
