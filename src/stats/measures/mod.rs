//! Measures of one set of predictions beyond its accuracy: by class, calibration, two groups in one label space.
//!
//! Everything is a fraction, not a percentage; NLL is in nats. What is undefined (no prediction, a confidence that is
//! no probability) is `None`.

mod by_class;
mod calibration;
mod measure;
mod open_world;
mod set;

pub use by_class::{ByClass, ClassCounts};
pub use calibration::{BINS, Bin, Calibration, brier_true, nll};
pub use measure::NamedMeasure;
pub use open_world::{Scored, auroc, open_world_auc};
pub use set::{GROUPS, MeasuredRow, Numbers, SetMeasures, SetNumbers, Values, deal};

/// What the measures need of one prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Classified {
    /// True class.
    pub label: u32,
    /// Predicted class.
    pub predicted: u32,
}

impl Classified {
    /// Whether the prediction is right.
    pub fn is_right(&self) -> bool {
        self.label == self.predicted
    }
}

/// Share of right predictions; `None` without one.
pub fn accuracy(images: &[Classified]) -> Option<f64> {
    let right = images.iter().filter(|image| image.is_right()).count();
    (!images.is_empty()).then(|| right as f64 / images.len() as f64)
}
