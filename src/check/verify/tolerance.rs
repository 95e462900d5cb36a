//! How far a second run may be from the recorded one on another machine or build, by method.
//!
//! Elsewhere sums are taken in another order, which changes last bits of f32, and training amplifies them: by how much is
//! the method's and its recipe's. The figures are bounds from a far coarser change: how many predictions differed where
//! products were rounded to bf16 (`reports/precision.md`), doubled, and never below what one image in a small set is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::method::look_up;

/// What may differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Tolerance {
    /// Most predictions, in percent, that may name another class.
    pub different_pct: f64,
    /// Largest mean difference of the true class's probability.
    pub mean_p_true_diff: f64,
    /// What the figures rest on.
    pub basis: &'static str,
}

/// For methods whose training does not amplify: at most 0.40 % of predictions differed under bf16.
const STEADY: Tolerance = Tolerance {
    different_pct: 1.0,
    mean_p_true_diff: 0.01,
    basis: "at most 0.4 % of predictions differ under bf16",
};
/// Linear probing one image at a time: 12.9 % differed under bf16, 12.5 % under f16, so rounding is not what decides.
const CHAOTIC: Tolerance = Tolerance {
    different_pct: 25.0,
    mean_p_true_diff: 0.25,
    basis: "12.9 % of predictions differ under bf16: this training amplifies the smallest differences",
};

/// The tolerance of a method with these resolved settings (dotted names).
pub fn tolerance(method: &str, config: &BTreeMap<String, String>) -> Tolerance {
    let steady = look_up(method).and_then(|entry| entry.with_defaults().ok());
    let steady = steady.map_or(1, |method| method.steady_batch());
    let batch = config.get(&format!("{method}.batch_size")).and_then(|batch| batch.parse::<usize>().ok());
    if batch.unwrap_or(1) < steady { CHAOTIC } else { STEADY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_in_small_batches_has_the_width_that_was_measured() {
        let config = |batch: &str| BTreeMap::from([("linear_probe.batch_size".to_owned(), batch.to_owned())]);
        assert!(tolerance("linear_probe", &config("1")).different_pct > 12.9);
        assert_eq!(tolerance("linear_probe", &config("32")), tolerance("rpo", &config("1")));
    }
}
