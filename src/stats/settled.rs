//! Numbers compared as numbers of images, not as floats.
//!
//! Accuracies are counts over counts. Two equal differences of counts can differ in their last bits as floats;
//! in whole units of 1e-9 they are equal, and different counts of up to ten million images stay apart.

/// `value` in whole units of 1e-9, the unit in which differences are called equal, zero or signed.
///
/// ```
/// use rpo_bench::stats::settled::settled;
/// assert_ne!(0.3 - 0.2, 0.2 - 0.1);
/// assert_eq!(settled(0.3 - 0.2), settled(0.2 - 0.1));
/// ```
pub fn settled(value: f64) -> f64 {
    // Adding zero turns −0 into 0.
    (value * 1e9).round() / 1e9 + 0.0
}
