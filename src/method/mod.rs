//! The methods under comparison. One file each, one line in the registry each.
//!
//! A method is a recipe: it names its prompts, draws its initial parameters, and binds itself to a
//! class set. It never reads a file, draws a batch or steps an optimiser.

mod cocoop;
mod contract;
mod coop;
mod error;
mod linear_probe;
mod parameters;
mod registry;
mod rpo;
pub mod rpo_full;
mod sets;
mod settings;
mod token_rows;
pub mod work;
mod zero_shot;

pub use contract::{Classifier, Head, ImageBatch, ImageNeed, Method};
pub use error::MethodError;
pub use parameters::{Named, Parameters};
pub use registry::{Entry, REGISTRY, find, ids};
pub use rpo::Pairing;
pub use sets::{ClassifierSet, Shares};
pub use settings::{PromptStyle, SettingsTable, Template};
pub use token_rows::{Shift, TokenRows, Untouched};
