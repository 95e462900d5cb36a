//! Why a statistic cannot be computed. One enum for the whole module; the reports print its messages.

/// A reason for which a statistic is undefined on the given input.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StatsError {
    /// Fewer values than the statistic needs.
    #[error("need at least {needed} values, got {got}")]
    TooFew {
        /// Smallest admissible number of values.
        needed: usize,
        /// Number of values given.
        got: usize,
    },
    /// More values than an exact enumeration is allowed to walk.
    #[error("an exact test is limited to {limit} values, got {got}")]
    TooMany {
        /// Largest admissible number of values.
        limit: usize,
        /// Number of values given.
        got: usize,
    },
    /// A value is NaN or infinite.
    #[error("value {index} is {value}, expected a finite number")]
    NotFinite {
        /// Position in the input.
        index: usize,
        /// The value.
        value: f64,
    },
    /// Two inputs that belong together have different lengths.
    #[error("paired inputs have {left} and {right} values")]
    LengthMismatch {
        /// Length of the first input.
        left: usize,
        /// Length of the second input.
        right: usize,
    },
    /// All values are equal, so a statistic that divides by their spread is undefined.
    #[error("all values are equal: there is no spread to compare with")]
    NoSpread,
    /// An argument lies outside its range.
    #[error("{name} is {value}, expected {expected}")]
    BadArgument {
        /// Name of the argument.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The admissible range in words.
        expected: &'static str,
    },
}

/// Checks that there are at least `needed` values and that all are finite.
///
/// # Errors
/// [`StatsError::TooFew`] or [`StatsError::NotFinite`].
pub fn check(values: &[f64], needed: usize) -> Result<(), StatsError> {
    if values.len() < needed {
        return Err(StatsError::TooFew { needed, got: values.len() });
    }
    match values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        Some((index, &value)) => Err(StatsError::NotFinite { index, value }),
        None => Ok(()),
    }
}

/// Checks that `confidence` lies strictly between 0 and 1.
///
/// # Errors
/// [`StatsError::BadArgument`].
pub fn check_confidence(confidence: f64) -> Result<(), StatsError> {
    if confidence > 0.0 && confidence < 1.0 {
        return Ok(());
    }
    Err(StatsError::BadArgument {
        name: "confidence",
        value: confidence,
        expected: "a number between 0 and 1",
    })
}

/// Element-wise `left − right` of two paired inputs.
///
/// # Errors
/// [`StatsError::LengthMismatch`], or [`StatsError::NotFinite`] for a difference that is not finite.
pub fn differences(left: &[f64], right: &[f64]) -> Result<Vec<f64>, StatsError> {
    if left.len() != right.len() {
        return Err(StatsError::LengthMismatch { left: left.len(), right: right.len() });
    }
    let differences: Vec<f64> = left.iter().zip(right).map(|(a, b)| a - b).collect();
    check(&differences, 0)?;
    Ok(differences)
}
