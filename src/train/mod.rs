//! Training a method on few shots, and evaluating it: loops, optimiser, schedule, views.
//!
//! Nothing here knows a method's name, a record file or a report.

mod ahead;
mod checkpoint;
mod error;
mod evaluate;
mod features;
mod fit;
mod images;
mod readable;
mod recipe;
mod schedule;
mod sgd;
mod step;
mod test_images;
mod views;

pub use checkpoint::{Keeper, NoCheckpoints, Standing};
pub use error::TrainError;
pub use evaluate::{Panel, PassKeeper, evaluate};
pub use features::{FeatureKey, FeatureStore, KeyWriter};
pub use fit::{EpochLog, Fit, Member, Outcome, fit};
pub use images::{TrainingImages, frozen_pass};
pub use readable::{BrokenImages, Labelled, readable};
pub use recipe::Recipe;
pub use schedule::learning_rate;
pub use sgd::{MOMENTUM, Sgd, WEIGHT_DECAY};
pub use step::{Gradients, Slot, joint_step, loss_and_gradients};
pub use test_images::TestImages;
pub use views::{TrainingSet, Views, test_pixels};
