//! What to run: suite files, overrides, the world they run in, and the runner.
//!
//! A suite is a TOML file; the code knows none by name. suite + world → plan (cells with content keys) →
//! run (train, record, evaluate, record).

mod disk;
mod error;
mod plan;
mod run;
mod spec;
mod world;

pub use disk::neighbours::free_profile;
pub use disk::saved::{SavedPrompts, about};
pub use error::SuiteError;
pub use plan::automatic::settle as settle_sizes;
pub use plan::cell::{CellPlan, Origin};
pub use plan::departures::MethodSettings;
pub use plan::estimate::{Estimate, Load, PlannedCell, estimate};
pub use plan::keys::NUMERICS_VERSION;
pub use plan::resolve::Plan;
pub use plan::shard::Shard;
pub use plan::sizes::Sizes;
pub use plan::workload::Workload;
pub use run::evaluate_file::{FileEvaluation, evaluate_file};
pub use run::event::{Event, PassNews, StepNews};
pub use run::forget::{Forgotten, Where, forget, outcome};
pub use run::options::{RunOptions, Summary};
pub use run::provenance::CommandLine;
pub use run::replay::{DrawnView, Replay, ReplayItem, ReplayTexts, Step, replay};
pub use run::report::{own_settings, render_report, render_run};
pub use run::runner::run;
pub use run::status::{FailedCell, RunStatus, RunningCell, Status, Watcher};
pub use spec::file::{DatasetChanges, Measure, ProfileChanges, SUITES, SuiteFile, Sweep};
pub use spec::globals::GLOBAL_KEYS;
pub use spec::names::method_id;
pub use spec::overrides::{Resolved, Settings};
pub use spec::prompt_files::PromptFiles;
pub use spec::seeds::Seeds;
pub use spec::settings::{Setting, settings};
pub use spec::template::{known_keys, new_suite};
pub use world::{BenchDataset, Draw, World, is_embedded, load_pocket, pocket_vocabulary};
