//! Learning rate per epoch: one constant warm-up epoch, then a cosine that never reaches 0.
//!
//! As Dassl's `ConstantWarmupScheduler` over PyTorch's `CosineAnnealingLR`: the cosine's clock starts
//! after the warm-up but its period stays the full number of epochs.

/// Warm-up epochs, counted among the epochs of a run.
pub const WARMUP_EPOCHS: usize = 1;
/// Learning rate of the warm-up.
pub const WARMUP_LEARNING_RATE: f64 = 1e-5;

/// Learning rate of `epoch` (from 0) of `epochs`: 1e-5, then base·(1 + cos(π(e − 1)/E))/2.
///
/// ```
/// use rpo_bench::train::learning_rate;
/// assert_eq!(learning_rate(0.002, 10, 0), 1e-5);
/// assert_eq!(learning_rate(0.002, 10, 1), 0.002);
/// ```
pub fn learning_rate(base: f64, epochs: usize, epoch: usize) -> f64 {
    if epoch < WARMUP_EPOCHS {
        return WARMUP_LEARNING_RATE;
    }
    let progress = (epoch - WARMUP_EPOCHS) as f64 / epochs as f64;
    base * (1.0 + libm::cos(std::f64::consts::PI * progress)) / 2.0
}
