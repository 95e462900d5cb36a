//! `verify`: records held against themselves and run again.

use std::path::PathBuf;

use clap::Args;

/// `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Record files, or runs for all their records: a folder, SUITE-PROFILE, or SUITE where only one run has it.
    #[arg(required = true)]
    pub records: Vec<PathBuf>,
    /// Where runs/ lies, for runs given by name.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
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
