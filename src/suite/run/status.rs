//! How far the runs of an output folder are, read from any machine while others write: records say what is done and
//! what failed, claims who works on what, the stored suite what was planned.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::record::{Cell, Gone, Holder, Outcome, SlurmTask, Store, StoreError, living, read_record};
use crate::suite::disk::checkpoint;
use crate::suite::error::SuiteError;
use crate::suite::plan::resolve::Plan;
use crate::suite::spec::file::SuiteFile;
use crate::util::utc;

/// The finish is estimated from at most so many of the last finished cells.
const RECENT: usize = 50;
/// A longer pause between two finished cells is a time when nobody worked.
const PAUSE_SECS: u64 = 3600;

/// All runs of a folder, and their sums.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// Planned cells.
    pub cells: usize,
    /// Cells with a complete record.
    pub done: usize,
    /// Cells a living process works on.
    pub running: usize,
    /// Cells nobody works on.
    pub waiting: usize,
    /// Cells whose record says that they failed, and that nobody runs again.
    pub failed: usize,
    /// The runs, by name.
    pub runs: Vec<RunStatus>,
}

/// One run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunStatus {
    /// `SUITE-PROFILE`.
    pub run: String,
    /// Planned cells.
    pub cells: usize,
    /// Cells with a complete record.
    pub done: usize,
    /// Who works on what.
    pub running: Vec<RunningCell>,
    /// Cells nobody works on.
    pub waiting: usize,
    /// What failed.
    pub failed: Vec<FailedCell>,
    /// Seconds until the end at the pace of the last finished cells; absent where nobody works or too little is known.
    pub seconds_left: Option<u64>,
}

/// A cell somebody works on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunningCell {
    /// The cell, as one reads it.
    pub cell: String,
    /// The machine.
    pub host: String,
    /// The Slurm task, as `JOB_TASK`.
    pub task: Option<String>,
    /// How often that task was put back in the queue.
    pub restarts: Option<u64>,
    /// When it was claimed, UTC.
    pub since: String,
    /// Finished epochs of its last checkpoint.
    pub epoch: Option<usize>,
}

/// A cell that failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailedCell {
    /// The cell, as one reads it.
    pub cell: String,
    /// Why.
    pub reason: String,
}

/// What is kept of a record.
struct Finished {
    cell: Cell,
    error: Option<String>,
    at: u64,
}

/// Looks at an output folder, again and again: a record of a finished cell is read once.
pub struct Watcher {
    out: PathBuf,
    gone: Gone,
    records: BTreeMap<PathBuf, BTreeMap<String, Finished>>,
}

impl Watcher {
    /// Of the output folder `out`; `gone` knows of holders of claims that are.
    pub fn new(out: &Path, gone: Gone) -> Self {
        Self { out: out.to_owned(), gone, records: BTreeMap::new() }
    }

    /// How things stand now (`now`: seconds since 1970).
    ///
    /// # Errors
    /// [`SuiteError::Store`] for a folder that cannot be read, [`SuiteError::File`] for a stored suite of another
    /// version of this program.
    pub fn look(&mut self, now: u64) -> Result<Status, SuiteError> {
        let mut status = Status::default();
        let runs = self.out.join("runs");
        let mut dirs: Vec<PathBuf> = match std::fs::read_dir(&runs) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            entries => entries
                .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
                .map_err(|source| StoreError::Io { action: "list", path: runs, source })?,
        };
        dirs.retain(|dir| dir.is_dir());
        dirs.sort();
        for dir in dirs {
            let run = self.run(&dir, now)?;
            status.cells += run.cells;
            status.done += run.done;
            status.running += run.running.len();
            status.waiting += run.waiting;
            status.failed += run.failed.len();
            status.runs.push(run);
        }
        Ok(status)
    }

    fn run(&mut self, dir: &Path, now: u64) -> Result<RunStatus, SuiteError> {
        let name = dir.file_name().unwrap_or_default().display().to_string();
        let store = Store::at(dir);
        let holders = living(dir, self.gone.clone()).map_err(|source| StoreError::Io {
            action: "read claims in",
            path: dir.join("claims"),
            source,
        })?;
        let records = self.records.entry(dir.to_owned()).or_default();
        read_new(&store, records)?;
        // A claim is given back after its record is written.
        let holders: Vec<_> = holders
            .into_iter()
            .filter(|(key, _)| records.get(key).is_none_or(|found| found.error.is_some()))
            .collect();
        let held: BTreeSet<&String> = holders.iter().map(|(key, _)| key).collect();
        let mut open = planned(&store, &name)?;
        let done = records.values().filter(|found| found.error.is_none());
        let mut status = RunStatus { run: name, ..RunStatus::default() };
        for found in done.clone() {
            status.done += 1;
            open.remove(&plain(&found.cell));
        }
        for (_, found) in records.iter().filter(|(key, _)| !held.contains(key)) {
            if let Some(reason) = &found.error {
                open.remove(&plain(&found.cell));
                status.failed.push(FailedCell { cell: words(&found.cell), reason: reason.clone() });
            }
        }
        for (_, holder) in &holders {
            if let Some(work) = &holder.work {
                open.remove(&plain(&work.cell));
            }
            status.running.push(running(&store, holder));
        }
        status.waiting = open.len();
        status.cells = status.done + status.failed.len() + status.running.len() + status.waiting;
        let left = (status.waiting + status.running.len()) as u64;
        status.seconds_left = (!status.running.is_empty())
            .then(|| seconds_left(done.map(|found| found.at).collect(), left, now))
            .flatten();
        Ok(status)
    }
}

/// Reads the records that are new, and those of failed cells, which may have been run again.
fn read_new(store: &Store, records: &mut BTreeMap<String, Finished>) -> Result<(), SuiteError> {
    for key in store.keys()? {
        if records.get(&key).is_some_and(|found| found.error.is_none()) {
            continue;
        }
        let record = read_record(&store.dir().join(format!("records/{key}.json")))?;
        let error = match record.outcome {
            Outcome::Complete => None,
            Outcome::Failed { error } => Some(error),
        };
        let at = utc::seconds_of(&record.provenance.finished_at).unwrap_or(0);
        records.insert(key, Finished { cell: record.cell, error, at });
    }
    Ok(())
}

/// What the last command planned; nothing where it left no suite.
fn planned(store: &Store, name: &str) -> Result<BTreeSet<Cell>, SuiteError> {
    let Some(suite) = SuiteFile::stored(store, name)? else { return Ok(BTreeSet::new()) };
    let cells = Plan::new(suite, &[], None)?.coordinates("");
    Ok(cells.iter().map(plain).collect())
}

/// A cell without the names of its run.
fn plain(cell: &Cell) -> Cell {
    Cell { suite: String::new(), profile: String::new(), ..cell.clone() }
}

/// A cell as one reads it.
fn words(cell: &Cell) -> String {
    let mut text = format!("{} {}", cell.dataset, cell.method);
    if let Some(seed) = cell.seed {
        text.push_str(&format!(" seed {seed}"));
    }
    if let Some(shots) = cell.shots {
        text.push_str(&format!(" shots {shots}"));
    }
    for (key, value) in &cell.variant {
        text.push_str(&format!(" {key}={value}"));
    }
    text
}

fn running(store: &Store, holder: &Holder) -> RunningCell {
    let work = holder.work.as_ref();
    RunningCell {
        cell: work.map_or_else(|| "unknown".to_owned(), |work| words(&work.cell)),
        host: holder.host.clone(),
        task: holder.slurm.as_ref().map(SlurmTask::to_string),
        restarts: holder.slurm.as_ref().map(|task| task.restarts),
        since: utc::at(holder.heartbeat),
        epoch: work.and_then(|work| checkpoint::epoch(store, &work.training_key)),
    }
}

/// Seconds for `left` cells at the pace at which the last ones were finished, `times` being when.
fn seconds_left(mut times: Vec<u64>, left: u64, now: u64) -> Option<u64> {
    times.sort_unstable_by(|a, b| b.cmp(a));
    times.truncate(RECENT);
    let steady = times.windows(2).take_while(|pair| pair[0] - pair[1] <= PAUSE_SECS).count();
    let (first, count) = (*times.get(steady)?, steady as u64);
    (count > 0).then(|| (now.saturating_sub(first) as f64 / count as f64 * left as f64).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_of_the_last_cells_gives_the_finish() {
        assert_eq!(seconds_left(vec![100, 110, 120, 130], 5, 140), Some(67));
        assert_eq!(seconds_left(vec![100], 5, 140), None);
        assert_eq!(seconds_left(vec![], 5, 140), None);
        // What was done before a night without work says nothing about the pace.
        assert_eq!(seconds_left(vec![100, 110, 50_000, 50_010], 10, 50_020), Some(200));
        assert_eq!(seconds_left(vec![100, 50_000], 10, 50_020), None);
    }
}
