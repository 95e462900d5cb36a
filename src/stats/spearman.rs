//! Spearman's rank correlation. No p: the points of a report share datasets and methods.

use super::error::{StatsError, check};
use super::ranks::midranks;

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
}
