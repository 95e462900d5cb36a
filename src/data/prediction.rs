//! What a classifier said of one image of a data set.

use serde::{Deserialize, Serialize};

/// One row of a predictions file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Item path, relative to the data root.
    pub path: String,
    /// True class, counted among the classes that competed.
    pub label: u32,
    /// Predicted class, counted likewise.
    pub predicted: u32,
    /// Softmax probability of the true class.
    pub p_true: f32,
}
