//! `report` and `compare`: what reads records only.

use std::path::PathBuf;

use clap::Args;

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run: SUITE-PROFILE, SUITE where only one run has it, or a folder that holds records/.
    pub name: String,
    /// Profile of the suite NAME: pocket, or the model folder's name.
    #[arg(long)]
    pub profile: Option<String>,
    /// Where runs/ and reports/ lie.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Print one JSON document in place of the table.
    #[arg(long)]
    pub json: bool,
    /// No table: only where the page is.
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,
    /// Put small pictures of disputed test images into index.html, from this CoOp DATA root or folder:DIR. The embedded
    /// pictures are there without it; of others index.html has the paths.
    #[arg(long, value_name = "DATA")]
    pub thumbnails: Option<String>,
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
