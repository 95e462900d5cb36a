//! The command line as clap sees it: a file for each command that has more than a flag or two.

mod bench;
mod cluster;
mod command;
mod data;
mod evaluate;
mod fetch;
mod import;
mod model;
mod pocket;
mod replay;
mod report;
mod runs;
mod suite;
mod values;
mod verify;
mod world;

pub use bench::{BenchArgs, BenchCommand};
pub use cluster::{SlurmArgs, StatusArgs};
pub use command::{Cli, Command, CompletionShell, Listing};
pub use data::{DataCommand, DrawArgs};
pub use evaluate::EvaluateArgs;
pub use fetch::PatienceArgs;
pub use import::{ImportCommand, Into};
pub use model::ModelCommand;
pub use pocket::PocketCommand;
pub use replay::ReplayArgs;
pub use report::{CompareArgs, ReportArgs};
pub use runs::RunsCommand;
pub use suite::SuiteArgs;
pub use verify::VerifyArgs;
pub use world::WorldArgs;
