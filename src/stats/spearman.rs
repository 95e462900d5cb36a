//! Spearman's rank correlation, and its significance when the points come in blocks.

use super::error::{StatsError, check};
use super::ranks::midranks;
use crate::util::rng::Stream;

/// Pearson's correlation of the midranks; 0 where one side is constant.
///
/// # Errors
/// [`StatsError`] for values that are not finite, fewer than three, or lists of different length.
///
/// ```
/// use rpo_bench::stats::spearman::spearman;
/// assert_eq!(spearman(&[1.0, 2.0, 9.0], &[0.1, 0.2, 0.3]).unwrap(), 1.0);
/// ```
pub fn spearman(x: &[f64], y: &[f64]) -> Result<f64, StatsError> {
    check(x, 3)?;
    check(y, 3)?;
    if x.len() != y.len() {
        return Err(StatsError::LengthMismatch { left: x.len(), right: y.len() });
    }
    let (x, y) = (midranks(x)?, midranks(y)?);
    let centre = (x.len() as f64 + 1.0) / 2.0;
    let product =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a - centre) * (b - centre)).sum() };
    let scale = (product(&x, &x) * product(&y, &y)).sqrt();
    Ok(if scale > 0.0 { product(&x, &y) / scale } else { 0.0 })
}

/// Two-sided p of the correlation over all points when y is relabelled within blocks: seeded permutations,
/// the observed one counted.
///
/// # Errors
/// As [`spearman`].
pub fn within_blocks_p(blocks: &[Vec<(f64, f64)>], permutations: u64, seed: u64) -> Result<f64, StatsError> {
    let x: Vec<f64> = blocks.iter().flatten().map(|point| point.0).collect();
    let mut y: Vec<Vec<f64>> =
        blocks.iter().map(|block| block.iter().map(|point| point.1).collect()).collect();
    let observed = spearman(&x, &y.concat())?.abs();
    let mut stream = Stream::new(&["stats", "spearman", &seed.to_string()]);
    let mut at_least = 0_u64;
    for _ in 0..permutations {
        y.iter_mut().for_each(|block| stream.shuffle(block));
        // Sums in another order differ in their last bits.
        at_least += u64::from(spearman(&x, &y.concat())?.abs() >= observed - 1e-12);
    }
    Ok((at_least + 1) as f64 / (permutations + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Midranks by hand, ties included: their products sum to 7.25, their squares to 17 on both sides.
    #[test]
    fn ties_share_their_rank() {
        let (x, y) = ([1.0, 2.0, 2.0, 4.0, 5.0, 7.0], [3.0, 1.0, 4.0, 4.0, 2.0, 9.0]);
        assert!((spearman(&x, &y).unwrap() - 7.25 / 17.0).abs() < 1e-12);
        assert_eq!(spearman(&x, &[1.0; 6]).unwrap(), 0.0);
        assert!(spearman(&x, &y[1..]).is_err() && spearman(&x[..2], &y[..2]).is_err());
    }

    /// Two blocks of three points have 36 relabellings; with the order the same in both, two of them (all up,
    /// all down) are as extreme.
    #[test]
    fn relabelling_stays_inside_blocks() {
        let block = vec![(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)];
        let p = within_blocks_p(&[block.clone(), block], 20_000, 1).unwrap();
        assert!((p - 2.0 / 36.0).abs() < 0.01, "{p}");
    }
}
