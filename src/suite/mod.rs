//! What to run: suite files, overrides, the world they run in, and the runner.
//!
//! A suite is a TOML file; the code knows none by name. suite + world → plan (cells with content keys) →
//! run (train, record, evaluate, record).

mod automatic;
mod cells;
mod checkpoint;
mod claimed;
mod cost;
mod error;
mod estimate;
mod evaluate_file;
mod evaluation;
mod file;
mod fingerprint;
mod fitting;
mod globals;
mod lane;
mod machine;
mod measure;
mod memory;
mod overrides;
mod partial;
mod pocket_model;
mod prompt_files;
mod provenance;
mod readable;
mod report;
mod reuse;
mod run;
mod saved;
mod scope;
mod seeds;
mod shard;
mod shift;
mod timing;
mod trained;
mod training;
mod variants;
mod world;

pub use automatic::settle as settle_sizes;
pub use cells::{CellPlan, Origin, Plan};
pub use error::SuiteError;
pub use estimate::{Estimate, PlannedCell, estimate};
pub use evaluate_file::{FileEvaluation, evaluate_file};
pub use file::{Measure, ProfileChanges, SUITES, SuiteFile, Sweep};
pub use globals::GLOBAL_KEYS;
pub use overrides::{Resolved, Settings};
pub use pocket_model::{load_pocket, pocket_vocabulary};
pub use prompt_files::PromptFiles;
pub use provenance::{CommandLine, NUMERICS_VERSION};
pub use readable::BrokenImages;
pub use report::render_report;
pub use run::{Event, RunOptions, Summary, run};
pub use saved::{SavedPrompts, about};
pub use seeds::Seeds;
pub use shard::Shard;
pub use world::{BenchDataset, World};
