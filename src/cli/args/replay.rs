//! `replay`: one training with everything random of it written down.

use std::path::PathBuf;

use clap::Args;

use super::WorldArgs;

/// `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The method.
    #[arg(long)]
    pub method: String,
    /// The dataset.
    #[arg(long)]
    pub dataset: String,
    /// The seed.
    #[arg(long)]
    pub seed: u64,
    /// Images a class; the suite's first number when absent.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub shots: Option<u32>,
    /// Folder to write: replay.json, initial.safetensors, final.safetensors, and the predictions of every half.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The suite whose settings and class halves hold.
    #[arg(long, default_value = "base2new")]
    pub suite: String,
    #[command(flatten)]
    pub world: WorldArgs,
    /// Published few-shot draws, as for `suite`.
    #[arg(long, value_name = "DIR")]
    pub draws: Option<PathBuf>,
    /// A setting, as for `suite`. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}
