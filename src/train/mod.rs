//! Training a method on few shots, and evaluating it: loops, optimiser, schedule, views.
//!
//! Nothing here knows a method's name, a record file or a report.

mod ahead;
mod checkpoint;
mod error;
mod evaluate;
mod features;
mod fit;
mod guide;
mod images;
mod optimiser;
mod prefetch;
mod readable;
mod recipe;
mod schedule;
mod step;
mod test_images;
mod views;

pub use checkpoint::{Keeper, NoCheckpoints, Standing};
pub use error::TrainError;
pub use evaluate::{Panel, PassKeeper, evaluate};
pub use features::{FeatureKey, FeatureStore, KeyWriter};
pub use fit::{EpochLog, Fit, Member, Outcome, StepDone, fit};
pub use guide::Guided;
pub use images::{Pick, TrainingImages, frozen_pass};
pub use optimiser::{Adam, MOMENTUM, Optimiser, OptimiserState, Rule, Sgd, WEIGHT_DECAY};
pub use readable::{BrokenImages, Labelled, readable};
pub use recipe::{LastBatch, OptimiserName, Recipe};
pub use schedule::{Schedule, learning_rate};
pub use step::{Gradients, Slot, joint_step, loss_and_gradients};
pub use test_images::TestImages;
pub use views::{TrainingSet, Views, test_pixels};
