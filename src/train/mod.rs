//! Training a method on few shots, and evaluating it: loops, optimiser, schedule, views.
//!
//! Nothing here knows a method's name, a file of records or a report.

mod error;
mod recipe;
mod schedule;
mod sgd;
mod step;

pub use error::TrainError;
pub use recipe::Recipe;
pub use schedule::learning_rate;
pub use sgd::{MOMENTUM, Sgd, WEIGHT_DECAY};
pub use step::{Gradients, loss_and_gradients};
