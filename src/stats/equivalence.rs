//! Two one-sided tests (TOST): is a difference shown to be smaller than a margin?
//!
//! "Not significantly different" is not "equivalent"; this module answers the second question, and the
//! verdict on a published figure needs both.

use super::distributions::student_t_sf;
use super::error::StatsError;
use super::t_tests::MeanDifference;

/// p of equivalence within ±`margin`: the larger p of the two one-sided t tests.
///
/// # Errors
/// A margin that is not positive and finite.
pub fn tost_p(estimate: &MeanDifference, margin: f64) -> Result<f64, StatsError> {
    if !(margin > 0.0 && margin.is_finite()) {
        return Err(StatsError::BadArgument { name: "margin", value: margin, expected: "above 0" });
    }
    let above_low = student_t_sf((estimate.difference + margin) / estimate.standard_error, estimate.df);
    let below_high = student_t_sf((margin - estimate.difference) / estimate.standard_error, estimate.df);
    Ok(above_low.max(below_high))
}

/// What two sets of per-seed accuracies allow to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Shown equivalent within the margin.
    Consistent,
    /// Welch's test rejects equality, and equivalence is not shown.
    Different,
    /// Neither is shown, or there are too few values.
    CannotTell,
}

impl Verdict {
    /// The verdict as it is printed and written: `consistent`, `different` or `cannot_tell`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consistent => "consistent",
            Self::Different => "different",
            Self::CannotTell => "cannot_tell",
        }
    }

    /// TOST within ±`margin` at `alpha` first, then the t test of the same estimate at `alpha`.
    pub fn of(estimate: &MeanDifference, margin: f64, alpha: f64) -> Self {
        match tost_p(estimate, margin) {
            Ok(p) if p < alpha => Self::Consistent,
            Ok(_) if estimate.p() < alpha => Self::Different,
            _ => Self::CannotTell,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(ours: &[f64], theirs: &[f64]) -> Verdict {
        Verdict::of(&MeanDifference::welch(ours, theirs).unwrap(), 1.0, 0.05)
    }

    #[test]
    fn three_verdicts() {
        let near = [80.0, 80.1, 79.9, 80.05];
        assert_eq!(verdict(&near, &[80.1, 80.0, 80.2, 79.95]), Verdict::Consistent);
        assert_eq!(verdict(&near, &[85.0, 85.2, 84.9, 85.1]), Verdict::Different);
        assert_eq!(verdict(&near, &[70.0, 90.0]), Verdict::CannotTell);
    }

    #[test]
    fn margins_must_be_positive() {
        let estimate = MeanDifference::paired(&[1.0, 2.0, 4.0]).unwrap();
        assert!(tost_p(&estimate, 0.0).is_err() && tost_p(&estimate, f64::NAN).is_err());
    }
}
