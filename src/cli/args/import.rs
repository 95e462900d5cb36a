//! `import`: results of other programs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::values::classes;
use crate::data::Classes;

/// `import`.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// A prediction for every test image of one cell and half: CSV (Parquet with the feature) with the columns path
    /// or index, label, predicted, and optionally p_true, p_predicted, margin.
    ///
    /// Labels and predictions are numbers among the half's classes in the order of `data draw`, or class names. Every
    /// test image must be there once, with its own label; what differs is named.
    Predictions {
        /// The file.
        file: PathBuf,
        /// The method: any word of letters, digits, _ . + -.
        #[arg(long)]
        method: String,
        /// Dataset evaluated on.
        #[arg(long)]
        dataset: String,
        /// Seed of the draw; leave it out for a method that draws nothing.
        #[arg(long)]
        seed: Option<u64>,
        /// Images a class; leave it out for a method that draws nothing.
        #[arg(long)]
        shots: Option<u32>,
        /// Classes that competed: base, new or all.
        #[arg(long, value_parser = classes)]
        classes: Classes,
        /// Dataset trained on, where it is another one.
        #[arg(long, value_name = "ID")]
        train_dataset: Option<String>,
        /// Classes trained on; base for base and new, all for all.
        #[arg(long, value_parser = classes)]
        train_classes: Option<Classes>,
        #[command(flatten)]
        into: Into,
    },
    /// Output folders of CoOp, CoCoOp, MaPLe, PromptSRC, RPO and other programs built on Dassl: every log.txt below.
    ///
    /// Runs that were cut off are told and left out, and so are logs that contradict themselves, their folders or the
    /// lists.
    Dassl {
        /// The folder.
        dir: PathBuf,
        /// The method, in place of the trainer's name.
        #[arg(long)]
        method: Option<String>,
        /// The dataset, where the logs do not say it.
        #[arg(long)]
        dataset: Option<String>,
        /// The seed, where the logs do not say it.
        #[arg(long)]
        seed: Option<u64>,
        /// Images a class, where the logs do not say it.
        #[arg(long)]
        shots: Option<u32>,
        #[command(flatten)]
        into: Into,
    },
    /// A table of percentages, kept as reported: CSV with the columns dataset, method, seed, shots, base, new, all.
    Table {
        /// The file.
        file: PathBuf,
        /// Images a class, for rows that do not say it.
        #[arg(long)]
        shots: Option<u32>,
        #[command(flatten)]
        into: Into,
    },
}

/// Where results go, and what they are held against.
#[derive(Debug, Args)]
pub struct Into {
    /// The run they join: SUITE-PROFILE, or SUITE where only one run has it.
    #[arg(long, value_name = "NAME", default_value = "base2new")]
    pub run: String,
    /// Where runs/ lies.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// A CoOp DATA root, or folder:DIR, whose lists they are held against; a pocket run has its own.
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
}
