//! Values of two methods or runs at the same seeds.

use crate::stats::settled::settled;

/// One value per seed; a single one without a seed belongs to a method that draws nothing.
pub type BySeed = [(Option<u64>, f64)];

/// Values of both at their common seeds; a single value without a seed is repeated.
pub fn pairs(first: &BySeed, second: &BySeed) -> Vec<(Option<u64>, f64, f64)> {
    let mut pairs = Vec::new();
    for (seed, a) in first {
        for (other, b) in second {
            if seed == other || seed.is_none() || other.is_none() {
                pairs.push((seed.or(*other), *a, *b));
            }
        }
    }
    pairs
}

/// Differences first − second at the common seeds, in whole units of 1e-9: equal counts of images give equal
/// differences.
pub fn differences(first: &BySeed, second: &BySeed) -> Vec<(Option<u64>, f64)> {
    pairs(first, second).into_iter().map(|(seed, a, b)| (seed, settled(a - b))).collect()
}
