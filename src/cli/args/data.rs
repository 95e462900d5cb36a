//! `data`: datasets without a model.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::values::classes;
use crate::data::Classes;

use super::PatienceArgs;

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
    /// Download datasets and put their files where CoOp's layout wants them.
    ///
    /// Terms are printed first. Where a publisher wants a log-in, or no address gives the file, it says what a person
    /// has to do. Nothing unfinished stands in a dataset's folder; the same command goes on after an interruption.
    Fetch {
        /// Dataset ids.
        #[arg(required = true)]
        datasets: Vec<String>,
        /// The CoOp DATA root; made where it is not there.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Ask BASE/DATASET/FILE before the published addresses.
        #[arg(long, value_name = "BASE")]
        mirror: Option<String>,
        /// Take the mirror's files whatever their digest: for archives that you packed yourself.
        #[arg(long, requires = "mirror")]
        unchecked: bool,
        /// Say what would be downloaded from where, and download nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        patience: PatienceArgs,
    },
    /// Which items a seed draws: positions in the train and val lists, in drawing order. Or, with --folder, make a
    /// split file of one's own images.
    Split {
        /// Dataset id. Its lists come from --data, --split-file or --folder; else from the embedded pocket pictures.
        dataset: String,
        /// A CoOp DATA root, or folder:DIR, whose lists are drawn from.
        #[arg(long, value_name = "DIR", conflicts_with_all = ["split_file", "folder"])]
        data: Option<String>,
        /// A CoOp split file, plain or gzip.
        #[arg(long, value_name = "FILE")]
        split_file: Option<PathBuf>,
        /// Make a split file of the images in DIR/CLASS/* (of DIR/train/CLASS/* where there is no test): half for
        /// training, 20 % for validation, the rest for testing, drawn by the seed.
        #[arg(long, value_name = "DIR", conflicts_with_all = ["split_file", "shots"], requires = "save")]
        folder: Option<PathBuf>,
        /// With --folder: this share of each class for training (between 0 and 1), the rest for testing, none for
        /// validation.
        #[arg(long, value_name = "SHARE", requires = "folder")]
        split: Option<f64>,
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
    /// Hand out a few-shot draw with its test lists, for programs in other languages.
    Draw(DrawArgs),
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

/// `data draw`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("form").required(true).multiple(true).args(["json", "csv", "jsonl", "dassl"]))]
pub struct DrawArgs {
    /// Dataset id, of the embedded pocket pictures without --data.
    pub dataset: String,
    /// A CoOp DATA root, or folder:DIR.
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// Seed, of any size.
    #[arg(long)]
    pub seed: String,
    /// Images a class.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub shots: u32,
    /// Whose images are listed: base, new or all. The draw comes before the halving.
    #[arg(long, default_value = "all", value_parser = classes)]
    pub classes: Classes,
    /// Take the training images of this draw instead: a row an image with path, label and class name (.jsonl, as of
    /// 2SFS). Every row is held against the lists.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// One JSON document: train, val and test lists, class halves, template, digests. To stdout without FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub json: Option<PathBuf>,
    /// A row an image: list, path, label, class_name.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub csv: Option<PathBuf>,
    /// The training draw, a JSON object a row: impath, label, classname.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub jsonl: Option<PathBuf>,
    /// The pickle of Dassl's few-shot folder (DATASET/split_fewshot/shot_K-seed_S.pkl), training and validation.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub dassl: Option<PathBuf>,
    /// What the paths of --dassl start with; the --data folder when absent.
    #[arg(long, value_name = "DIR")]
    pub root: Option<String>,
}
