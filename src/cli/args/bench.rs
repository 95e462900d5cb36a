//! `bench`: the engine timed on random weights.

use clap::{Args, Subcommand};

/// `bench`.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Training steps: CPU-seconds, peak memory and the share of what the machine could do at best.
    Step {
        /// Method.
        #[arg(long, default_value = "rpo")]
        method: String,
        /// RPO's prompts per tower.
        #[arg(long, default_value_t = 24)]
        k: usize,
        /// Images a step [default: the method's own].
        #[arg(long)]
        batch: Option<usize>,
        /// Steps; the median is reported.
        #[arg(long, default_value_t = 3)]
        steps: usize,
        /// Shape and output.
        #[command(flatten)]
        common: BenchArgs,
    },
    /// Evaluation of several methods and seeds by one image pass.
    Evaluate {
        /// Methods, comma-separated.
        #[arg(long, value_delimiter = ',', default_values = crate::method::ids())]
        methods: Vec<String>,
        /// RPO's prompts per tower.
        #[arg(long, default_value_t = 24)]
        k: usize,
        /// Test images.
        #[arg(long, default_value_t = 16)]
        images: usize,
        /// Trainings of each method that trains.
        #[arg(long, default_value_t = 3)]
        n_seeds: usize,
        /// Shape and output.
        #[command(flatten)]
        common: BenchArgs,
    },
}

/// What all benchmarks share.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Model shape: vit-b-16, vit-b-32, vit-l-14 or tiny.
    #[arg(long, default_value = "vit-b-16")]
    pub model: String,
    /// Classes.
    #[arg(long, default_value_t = 50)]
    pub classes: usize,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
