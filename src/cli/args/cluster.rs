//! `slurm` and `status`: a suite on a cluster, and how far it is.

use std::path::PathBuf;

use clap::Args;

use super::suite::SuiteArgs;

/// `slurm`.
#[derive(Debug, Args)]
pub struct SlurmArgs {
    /// The suite and its options, as `suite` takes them.
    #[command(flatten)]
    pub suite: SuiteArgs,
    /// Tasks of the array; without it as many as the plan's estimate asks for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub tasks: Option<u64>,
    /// Partition of the tasks.
    #[arg(long, value_name = "P")]
    pub partition: Option<String>,
    /// Devices of a task, such as gpu:1.
    #[arg(long, value_name = "LIST")]
    pub gres: Option<String>,
    /// Time limit of a task as Slurm writes it, such as 4:00:00; what is unfinished then goes on by itself.
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,
    /// A further line for sbatch, such as --account=lab. Repeatable.
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub sbatch_arg: Vec<String>,
    /// Starts of a task in a row without progress before it gives up.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub restarts: u64,
    /// Print the scripts and submit nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Where runs/ lies.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Look again every few seconds, until nothing is running or waiting.
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
}
