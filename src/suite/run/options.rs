//! How a suite is to be run, and what it did in the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::event::Event;
use super::provenance::CommandLine;
use crate::record::{Gone, Redactor, SlurmTask};
use crate::suite::plan::shard::Shard;

/// How to run.
pub struct RunOptions<'a> {
    /// Output directory.
    pub out: &'a Path,
    /// Runs finished cells again.
    pub fresh: bool,
    /// Datasets worked on side by side, one thread each; 1 gives every thread to one dataset.
    pub lanes: usize,
    /// Which part of the plan to run.
    pub shard: Shard,
    /// Time between two checkpoints of a training.
    pub checkpoint_every: Duration,
    /// The command, for the records.
    pub command: CommandLine,
    /// The Slurm task this is, for records and claims.
    pub slurm: Option<SlurmTask>,
    /// Name of the cluster it runs on.
    pub cluster: Option<String>,
    /// Which of how many tasks that work through the same plan this is, from 0: each begins at another place.
    pub among: Option<(usize, usize)>,
    /// Knows of holders of claims that are certainly gone.
    pub gone: Gone,
    /// Keeps the machine's paths out of the records of failed cells.
    pub redactor: Redactor,
    /// Where pooled features are kept between runs: a folder and the bytes they may take there.
    pub cache: Option<(PathBuf, u64)>,
    /// Asked between steps: true stops the run.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Hears what happens.
    pub event: &'a (dyn Fn(Event) + Sync),
}

impl<'a> RunOptions<'a> {
    /// A whole run under `out` on one lane, that keeps neither checkpoints nor features and tells nobody.
    pub fn quiet(out: &'a Path) -> Self {
        Self {
            out,
            fresh: false,
            lanes: 1,
            shard: Shard::WHOLE,
            checkpoint_every: Duration::MAX,
            command: CommandLine::default(),
            slurm: None,
            cluster: None,
            among: None,
            gone: Arc::new(|_| false),
            redactor: Redactor::default(),
            cache: None,
            stop: &|| false,
            event: &|_| {},
        }
    }
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Cells recorded by this run.
    pub done: usize,
    /// Cells that were complete before.
    pub skipped: usize,
    /// Cells recorded as failed by this run.
    pub failed: usize,
    /// Cells left to other processes, which are working on them.
    pub elsewhere: usize,
}
