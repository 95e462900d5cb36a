//! Holm's step-down correction for a family of tests.

use super::error::StatsError;

/// Adjusted p values in the order of the input: the i-th smallest times (m − i), made monotone and
/// capped at 1. Reject where the adjusted value is at most α.
///
/// # Errors
/// [`StatsError::BadArgument`] for a p outside 0..=1 (NaN included).
///
/// ```
/// use rpo_bench::stats::holm::holm;
/// assert_eq!(holm(&[0.04, 0.01, 0.03]).unwrap(), vec![0.06, 0.03, 0.06]);
/// ```
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, StatsError> {
    if let Some(&value) = p_values.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(StatsError::BadArgument { name: "p", value, expected: "a number from 0 to 1" });
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut running = 0.0_f64;
    for (rank, &index) in order.iter().enumerate() {
        running = running.max(p_values[index] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[index] = running;
    }
    Ok(adjusted)
}

#[cfg(test)]
mod tests {
    use super::holm;

    #[test]
    fn edges() {
        assert_eq!(holm(&[]).unwrap(), Vec::<f64>::new());
        assert_eq!(holm(&[0.7, 0.7]).unwrap(), vec![1.0, 1.0]);
        assert!(holm(&[f64::NAN]).is_err() && holm(&[1.1]).is_err());
    }
}
