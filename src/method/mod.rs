//! The methods under comparison. A new one is a file here, which describes itself, a TOML in `suites/methods`, and its
//! declaration and line in this file; nothing else names it.
//!
//! A method is a recipe: it names its prompts, draws its initial parameters, and binds itself to a
//! class set. It never reads a file, draws a batch or steps an optimiser.

mod classifier;
mod clip_adapter;
mod cocoop;
mod contract;
mod coop;
mod entry;
mod error;
mod images;
mod ivlp;
mod kgcoop;
mod linear_probe;
mod lp_plus_plus;
mod lp_solver;
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
mod tip_memory;
mod token_rows;
mod tower_weights;
mod tuned_towers;
mod two_stage;
pub mod wordings;
pub mod work;
mod zero_shot;

pub use classifier::{Classifier, Guide, Objective};
pub use contract::{Head, Lockstep, Method, OwnStep, SecondStage};
pub use entry::{Entry, Family, Switch};
pub use error::MethodError;
pub use images::{ImageBatch, Needs};
pub use parameters::{Named, Parameters};
pub use parts::pairing::Pairing;
pub use published::{Publication, PublishedSize, PublishedTensor};
pub use registry::{BASELINE, find, ids, look_up};
pub use sets::{ClassifierSet, Shares};
pub use settings::{PromptStyle, SettingsTable, Template};
pub use setup::{ClassTexts, FixedShots, Golden, ParameterShape, Pool, Selection, Shots};
pub use token_rows::{Shift, TokenRows, Untouched};

/// Every method, in the order of tables and legends. What the others are compared with is read last.
pub const REGISTRY: &[Entry] = &[
    zero_shot::ENTRY,
    tip_adapter::FREE,
    linear_probe::ENTRY,
    clip_adapter::ENTRY,
    task_res::ENTRY,
    tip_adapter::TRAINED,
    prototypes::ZS_LP,
    prototypes::CLAP,
    lp_plus_plus::ENTRY,
    coop::ENTRY,
    cocoop::ENTRY,
    kgcoop::ENTRY,
    prograd::ENTRY,
    ivlp::VPT,
    ivlp::IVLP,
    maple::ENTRY,
    promptsrc::ENTRY,
    tcp::ENTRY,
    tower_weights::LN_ONLY,
    tower_weights::CLIP_LORA,
    two_stage::ENTRY,
    rpo::ENTRY,
];
