//! Cells that somebody wants to be rid of: found by what their records say, and moved out of the run directory.
//!
//! Nothing is deleted. What belonged to the cells lies in `runs/.forgotten/RUN-TIME` afterwards, under the same
//! names, and can be moved back. Easy to get wrong: a trained file may serve records that stay.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::record::{Identity, Outcome, RunRecord, Store, StoreError, living_claims};
use crate::report::Planned;
use crate::suite::disk::plans;
use crate::suite::error::SuiteError;
use crate::suite::plan::keys::trained_paths;
use crate::util::utc;

/// A condition `key=value` on a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Where {
    key: String,
    value: String,
}

impl Where {
    /// Parses `key=value`.
    ///
    /// # Errors
    /// [`SuiteError::Usage`] without an equals sign.
    pub fn parse(text: &str) -> Result<Self, SuiteError> {
        let usage =
            || SuiteError::Usage(format!("--where {text}: expected key=value, such as rpo.k=4 or seed=3"));
        let (key, value) = text.split_once('=').ok_or_else(usage)?;
        Ok(Self { key: key.trim().to_owned(), value: value.trim().to_owned() })
    }

    /// Whether a record meets it. Hashes may be given by their first digits.
    pub fn holds(&self, record: &RunRecord) -> bool {
        let hash = |all: &str| !self.value.is_empty() && all.starts_with(&self.value);
        let cell = &record.cell;
        let number = |n: Option<u64>| n.map_or_else(|| "none".to_owned(), |n| n.to_string());
        match self.key.as_str() {
            "key" => hash(&record.key),
            "model" => hash(record.provenance.model()),
            "weights" => hash(&record.provenance.weights_sha256),
            "split" => hash(&record.provenance.split_sha256),
            "images" => record.evaluations.iter().any(|e| e.images_sha256.as_deref().is_some_and(hash)),
            "class_count" => record.evaluations.iter().any(|e| e.class_count.to_string() == self.value),
            "settings" => hash(&Identity::of(record).digest()),
            "dataset" => cell.dataset == self.value,
            "method" => cell.method == self.value,
            "seed" => number(cell.seed) == self.value,
            "shots" => number(cell.shots.map(u64::from)) == self.value,
            "outcome" => outcome(record) == self.value,
            key => Identity::of(record).parts().get(key).is_some_and(|value| *value == self.value),
        }
    }
}

/// `complete` or `failed`.
pub fn outcome(record: &RunRecord) -> &'static str {
    if record.outcome == Outcome::Complete { "complete" } else { "failed" }
}

/// What was, or would be, forgotten.
#[derive(Clone, Debug, PartialEq)]
pub struct Forgotten {
    /// The records.
    pub records: Vec<RunRecord>,
    /// Files of the run directory that go with them.
    pub files: Vec<String>,
    /// Where they are now; `None` where nothing was moved.
    pub moved_to: Option<PathBuf>,
}

/// Moves the cells of a run that meet every condition out of it; `dry` only says which.
///
/// # Errors
/// [`SuiteError::Usage`] while another process works on the run, [`SuiteError::Store`].
pub fn forget(store: &Store, conditions: &[Where], dry: bool) -> Result<Forgotten, SuiteError> {
    let (gone, kept): (Vec<RunRecord>, Vec<RunRecord>) =
        store.all()?.into_iter().partition(|record| conditions.iter().all(|one| one.holds(record)));
    let files = files_of(store, &gone, &kept)?;
    if dry || gone.is_empty() {
        return Ok(Forgotten { records: gone, files, moved_to: None });
    }
    let run = store.dir().file_name().unwrap_or_default().to_string_lossy().into_owned();
    if living_claims(store.dir()) > 0 {
        return Err(SuiteError::Usage(format!(
            "forget cells of {run}: a process is working on this run; wait for it, or stop it first"
        )));
    }
    let time = utc::now().replace(':', "");
    let runs = store.dir().parent().unwrap_or(store.dir());
    let target = runs.join(".forgotten").join(format!("{run}-{time}"));
    if conditions.is_empty() {
        let moved = std::fs::create_dir_all(runs.join(".forgotten"))
            .and_then(|()| std::fs::rename(store.dir(), &target));
        let path = store.dir().to_owned();
        moved.map_err(|source| StoreError::Io { action: "move", path, source })?;
        return Ok(Forgotten { records: gone, files, moved_to: Some(target) });
    }
    // Records go last: a cell whose files are half moved is found damaged, never complete.
    for file in &files {
        move_file(store, file, &target)?;
    }
    Ok(Forgotten { records: gone, files, moved_to: Some(target) })
}

fn move_file(store: &Store, file: &str, target: &std::path::Path) -> Result<(), StoreError> {
    let (from, to) = (store.dir().join(file), target.join(file));
    let moved =
        to.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::rename(&from, &to));
    match moved {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::Io { action: "move", path: from, source })
        }
        _ => Ok(()),
    }
}

/// Predictions, trained files that no record needs any more, plans that ask for forgotten cells alone, records.
fn files_of(store: &Store, gone: &[RunRecord], kept: &[RunRecord]) -> Result<Vec<String>, SuiteError> {
    let predictions = |records: &[RunRecord]| -> BTreeSet<String> {
        records.iter().flat_map(|r| &r.evaluations).map(|e| e.predictions_path.clone()).collect()
    };
    let parameters = |records: &[RunRecord]| -> BTreeSet<String> {
        records.iter().filter_map(|r| r.training.as_ref()).map(|t| t.parameters_path.clone()).collect()
    };
    let mut files: Vec<String> = predictions(gone).difference(&predictions(kept)).cloned().collect();
    for path in parameters(gone).difference(&parameters(kept)) {
        let key = path.trim_start_matches("trained/").trim_end_matches(".safetensors");
        files.extend(trained_paths(key));
    }
    let served = |cells: &[Planned], records: &[RunRecord]| {
        cells.iter().any(|cell| records.iter().any(|record| cell.is(record)))
    };
    if let Some(record) = gone.first() {
        for (path, suite) in plans::all(store, &record.cell.suite)? {
            let cells = plans::cells(&suite, &record.cell.profile)?;
            if served(&cells, gone) && !served(&cells, kept) {
                files.push(path);
            }
        }
    }
    files.extend(gone.iter().map(|record| format!("records/{}.json", record.key)));
    Ok(files)
}
