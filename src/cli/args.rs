//! The command line as clap sees it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::data::Classes;

/// Reproducible few-shot adaptation of CLIP.
///
/// Without --data and --clip everything runs on the embedded pocket profile: small rendered pictures and a
/// small CLIP pretrained on such pictures. Its numbers are not comparable with any paper.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 ok; 1 internal error; 2 usage; 3 bad data, model or records; \
    4 a run failed; 5 a check differs; 130 interrupted.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run an experiment: train, evaluate, write records and a report. Finished cells are skipped.
    Suite(Box<SuiteArgs>),
    /// Evaluate saved or published prompts on any data, without training.
    Evaluate(EvaluateArgs),
    /// List suites, methods, datasets, models or protocol switches.
    List {
        /// What to list.
        what: Listing,
    },
    /// Render a suite's report again, from its records alone.
    Report(ReportArgs),
    /// Compare two runs, or a run with the paper's figures, cell by cell.
    ///
    /// A and B are runs: SUITE-PROFILE under --out (base2new-vit-b-16), or a folder that holds records/.
    /// A pocket, folder or limited run is not compared with the paper (exit code 3, with the reason).
    /// Differences are findings, not failures: a finished comparison exits with 0 whatever it says; scripts
    /// read the verdicts from --json.
    Compare(CompareArgs),
    /// Look at datasets: what they are, whether a DATA folder is sound, which images a seed draws.
    #[command(subcommand)]
    Data(DataCommand),
    /// Look at models: shape, features, export, conversion of published prompts.
    #[command(subcommand)]
    Model(ModelCommand),
    /// The embedded pocket world: contact sheets, pretraining of its CLIP.
    #[command(subcommand)]
    Pocket(PocketCommand),
    /// Time the engine on random weights of a real model's shape (Linux).
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Check records: against themselves and their files, and by running their cells again.
    Verify(VerifyArgs),
    /// One page: the machine, the model, the datasets, what could run now and about how long it would take.
    Doctor {
        /// The suite to look at.
        #[arg(long, default_value = "base2new")]
        suite: String,
        /// Where runs/ would go: what is complete there is not counted.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// A CoOp DATA root, or folder:DIR.
        #[arg(long, value_name = "DIR")]
        data: Option<String>,
        /// A HuggingFace CLIP folder.
        #[arg(long, value_name = "DIR")]
        clip: Option<PathBuf>,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Compare this program with golden numbers in a folder.
    Parity {
        /// Folder with parity.json, pixels/cases.json, python_random.json or lr_schedule.json.
        dir: PathBuf,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
        /// Write our tensors under the golden names (safetensors).
        #[arg(long, value_name = "FILE")]
        dump: Option<PathBuf>,
        /// Where to compute: cpu, cuda or cuda:N.
        #[arg(long, default_value = "cpu")]
        device: String,
    },
}

/// What `list` lists.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Listing {
    /// Experiments.
    Suites,
    /// Methods.
    Methods,
    /// Datasets.
    Datasets,
    /// Model shapes.
    Models,
    /// Switches between the published protocol and ours, as a Markdown page.
    Switches,
}

/// `suite`.
#[derive(Debug, Args)]
pub struct SuiteArgs {
    /// Name of the suite; `list suites` shows all. A path ending in .toml runs a suite file of one's own.
    pub name: String,
    /// A CoOp DATA root, or folder:DIR with DIR/train/CLASS/* and DIR/test/CLASS/*.
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// A split file of your own, as ID=FILE; FILE alone with folder:DIR. Repeatable.
    #[arg(long, value_name = "[ID=]FILE")]
    pub split_file: Vec<String>,
    /// Published few-shot draws: DIR/DATASET/shot_K-seed_S.json. Datasets without a folder there draw by CoOp's rule.
    #[arg(long, value_name = "DIR")]
    pub draws: Option<PathBuf>,
    /// A HuggingFace CLIP folder: config.json, weights, vocab.json and merges.txt.
    #[arg(long, value_name = "DIR")]
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
    /// Threads to use; results do not depend on it.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub threads: Option<usize>,
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
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// Seconds between two checkpoints of a training; an interrupted one goes on from the last.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub checkpoint_secs: u64,
    /// Change a setting: rpo.k=4, lp.epochs=30, protocol=published. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Show the cells that would run, and write nothing.
    #[arg(long)]
    pub plan: bool,
    /// With --plan: print one JSON document.
    #[arg(long, requires = "plan")]
    pub json: bool,
    /// Run finished cells again.
    #[arg(long)]
    pub fresh: bool,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Record files, or run directories (runs/SUITE-PROFILE) for all their records.
    #[arg(required = true)]
    pub records: Vec<PathBuf>,
    /// Check counts, hashes and seals only; run nothing.
    #[arg(long)]
    pub quick: bool,
    /// The data of the records, where it is not the embedded one.
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// The split files of their own that the records were made with, as for `suite`.
    #[arg(long, value_name = "[ID=]FILE")]
    pub split_file: Vec<String>,
    /// The published few-shot draws that the records were made with, as for `suite`.
    #[arg(long, value_name = "DIR")]
    pub draws: Option<PathBuf>,
    /// The model of the records, where it is not the embedded one.
    #[arg(long, value_name = "DIR")]
    pub clip: Option<PathBuf>,
    /// Where to compute: cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// A file this program saved (runs/…/trained/*.safetensors), one that `model convert` wrote, or a published
    /// checkpoint. Nothing in it is executed.
    #[arg(long, value_name = "FILE")]
    pub prompts: PathBuf,
    /// A CoOp DATA root, or folder:DIR.
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// A HuggingFace CLIP folder.
    #[arg(long, value_name = "DIR")]
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
    /// At most N test images a class.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Change a setting: protocol=published for the authors' checkpoints. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Name of the suite.
    pub name: String,
    /// Profile: pocket, or the model folder's name.
    #[arg(long, default_value = "pocket")]
    pub profile: String,
    /// Where runs/ and reports/ lie.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
}

/// `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The run to compare with, or the one to hold against the paper.
    #[arg(value_name = "A")]
    pub first: String,
    /// The other run: differences are B − A.
    #[arg(value_name = "B", required_unless_present = "paper", conflicts_with = "paper")]
    pub second: Option<String>,
    /// Compare with the published figures: differences are ours − published.
    #[arg(long)]
    pub paper: bool,
    /// Where runs/ lies.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Also write README.md, comparison.json and the drift plot (PNG, SVG) into DIR.
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// What a dataset is and what must be fetched by hand; without a name, all of them in one line each.
    List {
        /// Dataset id.
        dataset: Option<String>,
    },
    /// Check a DATA folder: files, counts, hashes, unreadable and duplicate images.
    Verify {
        /// Dataset ids; all when none is given.
        datasets: Vec<String>,
        /// A CoOp DATA root, or folder:DIR.
        #[arg(long, value_name = "DIR")]
        data: String,
        /// Lists and sizes only: open no image.
        #[arg(long)]
        quick: bool,
        /// Remember checked images in DIR, a file a dataset, so that an interrupted check goes on. Not under DATA.
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Which items a seed draws: positions in the split file's train and val lists, in drawing order.
    Split {
        /// Dataset id (for messages only: the lists come from the file or the folder).
        dataset: String,
        /// A CoOp split file, plain or gzip.
        #[arg(long, value_name = "FILE", required_unless_present = "folder")]
        split_file: Option<PathBuf>,
        /// Make a split file of the images in DIR/CLASS/*: half for training, 20 % for validation, the rest
        /// for testing, drawn by the seed.
        #[arg(long, value_name = "DIR", conflicts_with_all = ["split_file", "shots"], requires = "save")]
        folder: Option<PathBuf>,
        /// Where the made split file goes; a file that exists is never overwritten.
        #[arg(long, value_name = "FILE", requires = "folder")]
        save: Option<PathBuf>,
        /// Seed, of any size (at most 64 bits with --folder).
        #[arg(long)]
        seed: String,
        /// Items a class.
        #[arg(long, required_unless_present = "folder", value_parser = clap::value_parser!(u32).range(1..))]
        shots: Option<u32>,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Write the pocket datasets in the layouts and file formats of the real ones.
    Export {
        /// Folder that becomes a CoOp DATA root.
        #[arg(long, value_name = "DIR")]
        pocket: PathBuf,
        /// Datasets, comma-separated; all when absent.
        #[arg(long, value_delimiter = ',')]
        datasets: Vec<String>,
        /// Write PNG into every file, whatever its ending: pixels, and so predictions, are those of the embedded
        /// pictures. Without it files are JPEG as in the real datasets, some of them PNG under a JPEG's name.
        #[arg(long)]
        lossless: bool,
        /// Write JPEG of this quality (1 to 100) into every file.
        #[arg(long, value_name = "QUALITY", conflicts_with = "lossless")]
        jpeg: Option<u8>,
    },
}

/// `model`.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Shape, size and hash of a model.
    Info {
        /// A HuggingFace CLIP folder; the pocket model when absent.
        #[arg(long, value_name = "DIR")]
        clip: Option<PathBuf>,
    },
    /// Write the pocket CLIP as a HuggingFace folder.
    Export {
        /// Folder to write.
        dir: PathBuf,
    },
    /// Token ids and unnormalised features of images and texts.
    Features {
        /// A HuggingFace CLIP folder; the pocket model when absent.
        #[arg(long, value_name = "DIR")]
        clip: Option<PathBuf>,
        /// Image files.
        #[arg(long, num_args = 0..)]
        image: Vec<PathBuf>,
        /// Texts.
        #[arg(long, num_args = 0..)]
        text: Vec<String>,
        /// Print one JSON document (the only format).
        #[arg(long)]
        json: bool,
    },
    /// Turn a published prompt checkpoint into safetensors, values unchanged.
    Convert {
        /// The checkpoint (torch zip pickle, or safetensors). Nothing in it is executed.
        input: PathBuf,
        /// The safetensors file to write.
        output: PathBuf,
    },
}

/// `pocket`.
#[derive(Debug, Subcommand)]
pub enum PocketCommand {
    /// Write a contact sheet of every pocket dataset.
    Preview {
        /// Folder for the PNG files.
        #[arg(default_value = "pocket-preview")]
        dir: PathBuf,
        /// Small sheets: two pictures a class at their own size, in few colours.
        #[arg(long)]
        small: bool,
    },
    /// Pretrain the pocket CLIP from nothing; continues from a checkpoint in the folder.
    Pretrain {
        /// Folder for checkpoint, log and result.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Image–caption pairs in all.
        #[arg(long, default_value_t = 281_600)]
        pairs: u64,
        /// Pairs per step.
        #[arg(long, default_value_t = 128)]
        batch: usize,
        /// Peak learning rate.
        #[arg(long, default_value_t = 1.5e-3)]
        learning_rate: f64,
        /// Seed of weights and pairs.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

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

/// A class half of a comma-separated list.
fn classes(text: &str) -> Result<Classes, String> {
    match text.trim() {
        "base" => Ok(Classes::Base),
        "new" => Ok(Classes::New),
        "all" => Ok(Classes::All),
        other => Err(format!("{other:?}: expected base, new or all")),
    }
}

/// A seed of a comma-separated list.
fn seed(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|error| format!("{error}; expected whole numbers such as 1,2,3"))
}

/// A number of threads.
fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}; expected a whole number from 1 on")),
    }
}
