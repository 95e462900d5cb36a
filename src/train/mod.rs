//! Training a method on few shots, and evaluating it: loops, optimiser, schedule, views.
//!
//! Nothing here knows a method's name, a record file or a report.

mod ahead;
mod checkpoint_state;
mod error;
mod features;
mod fit;
mod gradients;
mod guide;
mod images;
mod optimiser;
mod pass;
mod prefetch;
mod readable;
mod recipe;
mod sampling;
mod schedule;
mod score;
mod step;
mod test_images;
mod views;

pub use checkpoint_state::{CheckpointState, EpochLog, Keeper, NoCheckpoints, Stepped};
pub use error::TrainError;
pub use features::{FeatureKey, FeatureStore, KeyWriter};
pub use fit::{Fit, FitResult, Member, Slots, StepDone, fit};
pub use gradients::{Gradients, Guided};
pub use images::{TrainingImages, frozen_pass};
pub use optimiser::{Adam, MOMENTUM, Optimiser, OptimiserState, Rule, Sgd, WEIGHT_DECAY};
pub use pass::{NoPartials, Panel, PassKeeper, evaluate};
pub use readable::{BrokenImages, Labelled, readable};
pub use recipe::{LastBatch, OptimiserName, Recipe};
pub use sampling::Sampling;
pub use schedule::{Schedule, learning_rate};
pub use score::Score;
pub use step::{StepPart, joint_step, loss_and_gradients};
pub use test_images::TestImages;
pub use views::{Pick, TrainingSet, Views, test_pixels};
