//! `runs`: what lies under --out, and how to be rid of a part of it.

use std::path::PathBuf;

use clap::Subcommand;

/// `runs`.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List the runs under --out: cells, datasets, and the settings that are not the suite's own.
    List {
        /// Where runs/ lies.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Move cells out of a run: all of them, or those that meet every --where.
    ///
    /// Nothing is deleted: the files lie in runs/.forgotten afterwards. `report NAME` then renders the page without
    /// them.
    Forget {
        /// The run, as `report` takes it; every run under --out when only --where is given.
        #[arg(required_unless_present = "conditions")]
        name: Option<String>,
        /// A condition: a setting (rpo.k=4), dataset, method, seed, shots, limit, dtype, device, outcome (complete,
        /// failed), or the first digits of key, settings, weights or split. Repeatable; all must hold.
        #[arg(long = "where", id = "conditions", value_name = "KEY=VALUE")]
        conditions: Vec<String>,
        /// Where runs/ lies.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// Only say which cells would go.
        #[arg(long)]
        dry_run: bool,
    },
}
