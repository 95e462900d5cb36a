//! What a classifier said of one image of a dataset.

use serde::{Deserialize, Serialize};

/// One row of a predictions file. Probabilities are the softmax over the classes that competed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Item path, relative to the data root.
    pub path: String,
    /// True class, counted among the classes that competed.
    pub label: u32,
    /// Predicted class, counted likewise.
    pub predicted: u32,
    /// Probability of the true class; NaN where an imported prediction does not state it.
    pub p_true: f32,
    /// What the classifier's confidence says; `None` in files of earlier versions.
    pub confidence: Option<Confidence>,
}

/// How sure a prediction is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// Probability of the predicted class.
    pub p_predicted: f32,
    /// `p_predicted` less the probability of the second likeliest class: 0 for a tie, 1 where there is no second class;
    /// NaN where an imported prediction does not state it.
    pub margin: f32,
}
