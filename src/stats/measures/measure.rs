//! The measures by name: what tables, columns and files call them.

/// A measure of one set of predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedMeasure {
    /// Right predictions / all predictions.
    Accuracy,
    /// Mean over classes of the class's accuracy.
    MeanPerClass,
    /// Accuracy of the worst class.
    WorstClass,
    /// Mean accuracy of the worst tenth of the classes.
    WorstTenth,
    /// Mean over classes of F1.
    MacroF1,
    /// Mean of −ln p of the true class, in nats.
    Nll,
    /// Mean of (1 − p)² of the true class.
    Brier,
    /// Expected calibration error, 15 bins of equal width.
    Ece,
    /// The same over 15 bins of equal counts.
    AdaptiveEce,
}

impl NamedMeasure {
    /// Every measure; the position is `measure as usize`.
    pub const ALL: [Self; 9] = [
        Self::Accuracy,
        Self::MeanPerClass,
        Self::WorstClass,
        Self::WorstTenth,
        Self::MacroF1,
        Self::Nll,
        Self::Brier,
        Self::Ece,
        Self::AdaptiveEce,
    ];

    /// Column in `measures.csv`, with its unit.
    pub fn column(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy_pct",
            Self::MeanPerClass => "mean_per_class_pct",
            Self::WorstClass => "worst_class_pct",
            Self::WorstTenth => "worst_tenth_pct",
            Self::MacroF1 => "macro_f1_pct",
            Self::Nll => "nll_nats",
            Self::Brier => "brier_true",
            Self::Ece => "ece_pct",
            Self::AdaptiveEce => "adaptive_ece_pct",
        }
    }

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MeanPerClass => "mean per class",
            Self::WorstClass => "worst class",
            Self::WorstTenth => "worst 10 %",
            Self::MacroF1 => "macro F1",
            Self::Nll => "NLL",
            Self::Brier => "Brier",
            Self::Ece => "ECE",
            Self::AdaptiveEce => "adaptive ECE",
        }
    }

    /// What tables and columns multiply it by: 100 for a percentage, 1 for NLL (nats) and Brier (a square).
    pub fn scale(self) -> f64 {
        match self {
            Self::Nll | Self::Brier => 1.0,
            _ => 100.0,
        }
    }

    /// Its largest value as a fraction; NLL has none.
    pub fn largest(self) -> f64 {
        if self == Self::Nll { f64::INFINITY } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::NamedMeasure;

    #[test]
    fn positions_and_columns_are_its_own() {
        for (place, measure) in NamedMeasure::ALL.into_iter().enumerate() {
            assert_eq!(measure as usize, place);
            assert_eq!(measure.scale() == 100.0, measure.column().ends_with("_pct"));
        }
    }
}
