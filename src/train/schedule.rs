//! How the learning rate moves.
//!
//! Per epoch, as Dassl's `ConstantWarmupScheduler` over PyTorch's `CosineAnnealingLR`: a constant warm-up, then a
//! cosine that never reaches 0. Its clock starts after the warm-up but its period stays the full number of epochs.

use serde::{Deserialize, Serialize};

/// Warm-up epochs where nothing else is said, counted among the epochs of a run.
pub const WARMUP_EPOCHS: usize = 1;
/// Learning rate of the warm-up.
pub const WARMUP_LEARNING_RATE: f64 = 1e-5;

/// How the learning rate moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// A rate an epoch: warm-up, then a cosine.
    #[default]
    EpochCosine,
    /// A rate a step: a cosine without warm-up.
    StepCosine,
    /// One rate.
    Constant,
}

/// Learning rate of `epoch` (from 0) of `epochs`: 1e-5, then base·(1 + cos(π(e − 1)/E))/2.
///
/// ```
/// use rpo_bench::train::learning_rate;
/// assert_eq!(learning_rate(0.002, 10, 0), 1e-5);
/// assert_eq!(learning_rate(0.002, 10, 1), 0.002);
/// ```
pub fn learning_rate(base: f64, epochs: usize, epoch: usize) -> f64 {
    epoch_cosine(base, epochs, (WARMUP_EPOCHS, WARMUP_LEARNING_RATE), epoch)
}

/// The same with a warm-up of its own: its epochs, and its rate.
pub(super) fn epoch_cosine(base: f64, epochs: usize, (warmup, rate): (usize, f64), epoch: usize) -> f64 {
    if epoch < warmup {
        return rate;
    }
    let progress = (epoch - warmup) as f64 / epochs as f64;
    base * (1.0 + libm::cos(std::f64::consts::PI * progress)) / 2.0
}

/// Learning rate of `step` (from 0) of `steps`: from the first rate towards the second, which step `steps` would have.
pub(super) fn step_cosine((first, last): (f64, f64), steps: usize, step: usize) -> f64 {
    let progress = step as f64 / steps.max(1) as f64;
    last + (first - last) * (1.0 + libm::cos(std::f64::consts::PI * progress)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_wise_cosine_begins_at_the_top_and_ends_one_step_before_the_bottom() {
        assert_eq!(step_cosine((0.4, 0.0), 4, 0), 0.4);
        assert!((step_cosine((0.4, 0.2), 4, 2) - 0.3).abs() < 1e-12);
        assert!(step_cosine((0.4, 0.0), 4, 3) > 0.0);
        assert!(step_cosine((0.4, 1e-6), 4, 4) - 1e-6 < 1e-15);
    }
}
