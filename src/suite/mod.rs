//! What to run: suite files, overrides, the world they run in, and the runner.
//!
//! A suite is a TOML file; the code knows none by name. suite + world → plan (cells with content keys) →
//! run (train, record, evaluate, record).

mod disk;
mod error;
mod plan;
mod pocket_model;
mod run;
mod spec;
mod world;

pub use disk::neighbours::free_profile;
pub use disk::saved::{SavedPrompts, about};
pub use error::SuiteError;
pub use plan::automatic::settle as settle_sizes;
pub use plan::cells::{CellPlan, NUMERICS_VERSION, Origin, Plan};
pub use plan::departures::MethodSettings;
pub use plan::estimate::{Estimate, Load, PlannedCell, estimate};
pub use plan::shard::Shard;
pub use plan::sizes::Sizes;
pub use plan::workload::Workload;
pub use pocket_model::{is_embedded, load_pocket, pocket_vocabulary};
pub use run::evaluate_file::{FileEvaluation, evaluate_file};
pub use run::event::{Event, PassNews, StepNews};
pub use run::forget::{Forgotten, Where, forget, outcome};
pub use run::provenance::CommandLine;
pub(crate) use run::provenance::utc_now;
pub use run::report::{own_settings, render_report, render_run};
pub use run::runner::{RunOptions, Summary, run};
pub use run::status::{FailedCell, RunStatus, RunningCell, Status, Watcher};
pub use spec::file::{DatasetChanges, Measure, ProfileChanges, SUITES, SuiteFile, Sweep};
pub use spec::globals::GLOBAL_KEYS;
pub use spec::overrides::{Resolved, Settings, method_id};
pub use spec::prompt_files::PromptFiles;
pub use spec::seeds::Seeds;
pub use spec::settings::{Setting, settings};
pub use spec::template::{known_keys, new_suite};
pub use world::{BenchDataset, World};
