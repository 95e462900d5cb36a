//! `evaluate`: prompts from a file.

use std::path::PathBuf;

use clap::Args;

use super::values::classes;
use crate::backbone::Precision;
use crate::data::Classes;

/// `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// A file this program saved (runs/…/trained/*.safetensors), one that `model convert` wrote, or a checkpoint of
    /// the authors' programs: RPO's, CoOp's, CoCoOp's, linear probing's. Nothing in it is executed.
    #[arg(long, value_name = "FILE")]
    pub prompts: PathBuf,
    /// A CoOp DATA root, or folder:DIR.
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// A model: see `suite --help`.
    #[arg(long, value_name = "MODEL")]
    pub clip: Option<PathBuf>,
    /// Datasets, comma-separated; by default the one the file says it was trained on.
    #[arg(long, value_delimiter = ',')]
    pub datasets: Option<Vec<String>>,
    /// Classes that compete, comma-separated: base, new, all. By default base and new, or all where all were
    /// trained on.
    #[arg(long, value_delimiter = ',', value_parser = classes)]
    pub classes: Option<Vec<Classes>>,
    /// Where to compute: cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Number format of products with frozen weights: f32, bf16 or f16. Everything else stays f32.
    #[arg(long, default_value_t)]
    pub dtype: Precision,
    /// At most N test images a class.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Change a setting: protocol=published for the authors' checkpoints. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Write that document and every image's prediction into DIR: evaluation.json and DATASET-CLASSES.csv.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
