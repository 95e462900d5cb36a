//! `bench`: the engine timed on random weights, reports on made-up records.

use clap::{Args, Subcommand};

use super::values::positive;
use crate::backbone::Precision;

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
        /// Trainings in the same products, each with a batch of its own.
        #[arg(long, default_value_t = 1)]
        seeds: usize,
        /// Steps; the median is reported.
        #[arg(long, default_value_t = 3)]
        steps: usize,
        /// Prompt or context rows computed at a time, as the setting engine.max_rows.
        #[arg(long, value_name = "N", default_value_t = crate::backbone::DEFAULT_MAX_ROWS, value_parser = positive)]
        max_rows: usize,
        /// Shape and output.
        #[command(flatten)]
        common: BenchArgs,
    },
    /// Operations that a training step asks of a GPU, counted here on the CPU.
    Launches {
        /// Method.
        #[arg(long, default_value = "rpo")]
        method: String,
        /// RPO's prompts per tower.
        #[arg(long, default_value_t = 24)]
        k: usize,
        /// Images a step [default: the method's own].
        #[arg(long)]
        batch: Option<usize>,
        /// Model shape: vit-b-16, vit-b-32, vit-l-14 or tiny.
        #[arg(long, default_value = "vit-b-16")]
        model: String,
        /// Classes.
        #[arg(long, default_value_t = 50)]
        classes: usize,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Steps, evaluation and lanes at 1, 2, 4 … threads: efficiency, serial share, and what it leaves at 16 and 64 cores.
    Scale {
        /// Numbers of threads, comma-separated; 1 is always among them [default: 1, 2, 4 … up to the cores].
        #[arg(long, value_delimiter = ',')]
        threads: Vec<usize>,
        /// Measurements of each number, in turn; the median is reported.
        #[arg(long, default_value_t = 3)]
        repeats: usize,
        /// Model shape: vit-b-16, vit-b-32, vit-l-14 or tiny.
        #[arg(long, default_value = "vit-b-16")]
        model: String,
        /// Classes.
        #[arg(long, default_value_t = 50)]
        classes: usize,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// A report on made-up records and predictions, of two sizes: seconds, peak memory, and what further cells cost.
    Report {
        /// Cells of the larger report, each tested on two halves; the smaller one has half of them.
        #[arg(long, default_value_t = 10_000)]
        cells: u64,
        /// One report alone, of this size.
        #[arg(long)]
        one: bool,
        /// Test images of each half.
        #[arg(long, default_value_t = 200)]
        images: u64,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
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
        /// Images a frozen pass.
        #[arg(long, default_value_t = crate::backbone::DEFAULT_GRID)]
        chunk: usize,
        /// Trainings of each method that trains.
        #[arg(long, default_value_t = 3)]
        n_seeds: usize,
        /// Compute the seeds of a method in the same products.
        #[arg(long)]
        together: bool,
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
    /// Where to compute: cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Number format of products with frozen weights: f32, bf16 or f16. Everything else stays f32.
    #[arg(long, default_value_t)]
    pub dtype: Precision,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}
