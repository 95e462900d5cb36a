//! `evaluate`: prompts from a file.

use std::path::PathBuf;

use clap::Args;

use super::WorldArgs;
use super::values::classes;
use crate::data::Classes;

/// `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// A file this program saved (runs/…/trained/*.safetensors), one that `model convert` wrote, or a checkpoint of
    /// the authors' programs: RPO's, CoOp's, CoCoOp's, MaPLe's, VPT's, IVLP's, PromptSRC's, linear probing's. Nothing in
    /// it is executed.
    #[arg(long, value_name = "FILE")]
    pub prompts: PathBuf,
    /// Whose parameters they are, where neither the file nor its tensors' names say so.
    #[arg(long)]
    pub method: Option<String>,
    #[command(flatten)]
    pub world: WorldArgs,
    /// Datasets, comma-separated; by default the one the file says it was trained on.
    #[arg(long, value_delimiter = ',')]
    pub datasets: Option<Vec<String>>,
    /// Classes that compete, comma-separated: base, new, all. By default base and new, or all where all were
    /// trained on.
    #[arg(long, value_delimiter = ',', value_parser = classes)]
    pub classes: Option<Vec<Classes>>,
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
