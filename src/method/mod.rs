//! The methods under comparison. One file each, one line in the registry each.
//!
//! A method is a recipe: it names its prompts, draws its initial parameters, and binds itself to a
//! class set. It never reads a file, draws a batch or steps an optimiser.

mod clip_adapter;
mod cocoop;
mod contract;
mod coop;
mod error;
mod images;
mod ivlp;
mod kgcoop;
mod linear_probe;
mod lp_plus_plus;
mod maple;
mod parameters;
mod parts;
mod prograd;
mod promptsrc;
mod prototypes;
mod published;
mod registry;
mod rpo;
pub mod rpo_full;
mod rpo_ordinary;
mod sets;
mod settings;
mod setup;
mod task_res;
mod tcp;
mod tip_adapter;
mod token_rows;
mod tower_weights;
mod two_stage;
pub mod wordings;
pub mod work;
mod zero_shot;

pub use contract::{Classifier, Guide, Head, Method, Objective, SecondStage};
pub use error::MethodError;
pub use images::{ImageBatch, Needs};
pub use parameters::{Named, Parameters};
pub use published::{Published, PublishedSize, PublishedTensor};
pub use registry::{BASELINE, Entry, Family, REGISTRY, Switch, find, ids, look_up};
pub use rpo::Pairing;
pub use sets::{ClassifierSet, Shares};
pub use settings::{PromptStyle, SettingsTable, Template};
pub use setup::{ClassTexts, FixedShots, Golden, ParameterShape, Selection, Shots};
pub use token_rows::{Shift, TokenRows, Untouched};
