//! `suite`: an experiment.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{duration, positive, seed};
use crate::backbone::Precision;

/// `suite`.
#[derive(Debug, Args)]
pub struct SuiteArgs {
    /// Name of the suite; `list suites` shows all. A path ending in .toml runs a suite file of one's own, and
    /// `suite new NAME` writes one to begin with.
    pub name: String,
    /// With `new`: the name of the suite. NAME.toml is written, with every key explained.
    #[arg(value_name = "NEW_NAME")]
    pub new_name: Option<String>,
    /// A CoOp DATA root, or folder:DIR with DIR/train/CLASS/* and DIR/test/CLASS/*.
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// A split file of your own, as ID=FILE; FILE alone with folder:DIR. Repeatable.
    #[arg(long, value_name = "[ID=]FILE")]
    pub split_file: Vec<String>,
    /// Published few-shot draws: DIR/DATASET/shot_K-seed_S.json, or .jsonl as `data draw --jsonl` writes it. Datasets without
    /// a folder there draw by CoOp's rule.
    #[arg(long, value_name = "DIR")]
    pub draws: Option<PathBuf>,
    /// A model: a HuggingFace folder, an open_clip export, OpenAI's .pt file, a HuggingFace id (owner/name[@revision])
    /// or a name such as ViT-B/16, both looked up in the download caches. `model fetch` downloads one. `pocket` is the
    /// embedded one, to try --data out.
    #[arg(long, value_name = "MODEL")]
    pub clip: Option<PathBuf>,
    /// Datasets, comma-separated.
    #[arg(long, value_delimiter = ',')]
    pub datasets: Option<Vec<String>>,
    /// Methods, comma-separated.
    #[arg(long, value_delimiter = ',')]
    pub methods: Option<Vec<String>>,
    /// Seeds, comma-separated.
    #[arg(long, value_delimiter = ',', value_parser = seed)]
    pub seeds: Option<Vec<u64>>,
    /// Training images per class, comma-separated.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub shots: Option<Vec<u32>>,
    /// Folder of prompt files, for a suite that reads its prompts instead of training them.
    #[arg(long, value_name = "DIR")]
    pub prompts: Option<PathBuf>,
    /// Keep pooled image features in this folder, for later runs and after a crash. Results do not depend on it.
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Room in the cache folder, in GiB; the oldest features go first.
    #[arg(long, value_name = "GIB", default_value_t = 8, requires = "cache", value_parser = clap::value_parser!(u64).range(1..))]
    pub cache_limit: u64,
    /// Where to compute: cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Number format of products with frozen weights: f32, bf16 or f16. Everything else stays f32.
    #[arg(long, default_value_t)]
    pub dtype: Precision,
    /// Threads to use; results do not depend on it.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub threads: Option<usize>,
    /// Datasets and seeds worked on side by side; each has its share of the threads [default: with a real model one lane for
    /// every four threads, on the pocket profile one for each]. As many as memory allows; results do not depend on it.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub lanes: Option<usize>,
    /// At most N test images a class; every table is marked as limited.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Run the datasets that are there instead of stopping when some are missing; every table says how many.
    #[arg(long)]
    pub available: bool,
    /// Where runs/ and reports/ go.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Run part I of N, for example on the first of four machines 1/4; merge the run folders, then `report`.
    /// `slurm` takes I and N from the Slurm array this task belongs to.
    #[arg(long, value_name = "I/N|slurm")]
    pub shard: Option<String>,
    /// Seconds between two checkpoints of a training; an interrupted one goes on from the last.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub checkpoint_secs: u64,
    /// Stop with a checkpoint after this time, as 23h30m: exit code 130, and the same command goes on from there.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub stop_after: Option<Duration>,
    /// In a Slurm job: when told to stop, go back in the queue, but not after N starts in a row without progress.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub requeue: Option<u64>,
    /// Write records only; `report` renders them.
    #[arg(long)]
    pub no_report: bool,
    /// Change a setting: rpo.k=4, lp.epochs=30, protocol=published, engine.seeds=together. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Show what would run and how long it would take, by method and dataset, and write nothing.
    #[arg(long)]
    pub plan: bool,
    /// With --plan: show every cell too.
    #[arg(long, requires = "plan")]
    pub cells: bool,
    /// Print one JSON document in place of the table; with --plan the plan.
    #[arg(long)]
    pub json: bool,
    /// No progress and no table: counts, and where the page is.
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,
    /// Run finished cells again.
    #[arg(long)]
    pub fresh: bool,
}
