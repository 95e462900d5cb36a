//! Values of two methods or runs at the same seeds.

use crate::frame::Accuracy;

/// Values of both at their common seeds; a single value without a seed is repeated.
pub fn pairs(first: &Accuracy, second: &Accuracy) -> Vec<(f64, f64)> {
    let constant = |accuracy: &Accuracy| match accuracy.by_seed[..] {
        [(None, value)] => Some(value),
        _ => None,
    };
    match (constant(first), constant(second)) {
        (Some(a), Some(b)) => vec![(a, b)],
        (Some(a), None) => second.values().into_iter().map(|b| (a, b)).collect(),
        (None, Some(b)) => first.values().into_iter().map(|a| (a, b)).collect(),
        (None, None) => {
            let at = |seed| second.by_seed.iter().find(|(other, _)| *other == seed).map(|(_, value)| *value);
            first.by_seed.iter().filter_map(|(seed, value)| Some((*value, at(*seed)?))).collect()
        }
    }
}
