//! `replay`: one training with everything random of it written down.

use std::path::PathBuf;

use clap::Args;

use crate::backbone::Precision;

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
    /// A CoOp DATA root, or folder:DIR.
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// A model: see `suite --help`; the pocket model when absent.
    #[arg(long, value_name = "MODEL")]
    pub clip: Option<PathBuf>,
    /// Published few-shot draws, as for `suite`.
    #[arg(long, value_name = "DIR")]
    pub draws: Option<PathBuf>,
    /// Where to compute: cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Number format of products with frozen weights: f32, bf16 or f16.
    #[arg(long, default_value_t)]
    pub dtype: Precision,
    /// At most N test images a class.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// A setting, as for `suite`. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}
