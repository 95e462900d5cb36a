//! Data, model and machine of a command that works on one method.

use std::path::PathBuf;

use clap::Args;

use crate::backbone::Precision;

/// What to compute on, and where.
#[derive(Debug, Args)]
pub struct WorldArgs {
    /// A CoOp DATA root, or folder:DIR.
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// A model: see `suite --help`; the pocket model when absent.
    #[arg(long, value_name = "MODEL")]
    pub clip: Option<PathBuf>,
    /// Where to compute: cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Number format of products with frozen weights: f32, bf16 or f16. Everything else stays f32.
    #[arg(long, default_value_t)]
    pub dtype: Precision,
    /// At most N test images a class.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}
