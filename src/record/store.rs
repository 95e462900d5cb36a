//! Records on disk: one JSON a cell under `runs/SUITE-PROFILE/records`, predictions beside them.
//!
//! A cell exists when its record does. Everything is written under a temporary name, synced and renamed.
//!
//! Long because it is everything that touches a run directory.

use crate::util::hex;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::claim::lock_file;
use super::schema::{Outcome, RunRecord, SCHEMA_VERSION};
use super::seal;
use super::settings::SeenSettings;
use crate::util::atomic_file;

/// Largest record read: a real one has some kilobytes.
const MAX_RECORD_BYTES: u64 = 16 << 20;
/// Folders of a run directory that hold files written under temporary names.
const FOLDERS: [&str; 4] = ["records", "predictions", "trained", "checkpoints"];

/// Name of the file that proves that records can be written.
const PROBE: &str = ".writable";
/// Folders whose files are work that need not be done again.
const KEPT: [&str; 3] = ["records/", "trained/", "checkpoints/"];
/// Files this process has written there.
static PROGRESS: AtomicU64 = AtomicU64::new(0);

/// How often this process has kept something that need not be done again: records, trainings, checkpoints.
pub fn kept_so_far() -> u64 {
    PROGRESS.load(Ordering::Relaxed)
}

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder that cannot be written or read.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A record that is not one.
    #[error("read record {path}: {reason}; delete it to run the cell again")]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// The run directory of one suite and profile.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// The directory `OUT/runs/SUITE-PROFILE`; nothing is created yet.
    pub fn new(out: &Path, suite: &str, profile: &str) -> Self {
        Self { dir: out.join("runs").join(format!("{suite}-{profile}")) }
    }

    /// The run directory `dir` itself, wherever it lies.
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// The run directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes a file of the run (path relative to the run directory) and returns its SHA-256.
    ///
    /// # Errors
    /// [`StoreError::Io`]; nothing half-written stays under the final name.
    pub fn write(&self, relative: &str, bytes: &[u8]) -> Result<String, StoreError> {
        let path = self.dir.join(relative);
        let io = |action| {
            let path = path.clone();
            move |source| StoreError::Io { action, path, source }
        };
        let parent = path.parent().unwrap_or(&self.dir);
        std::fs::create_dir_all(parent).map_err(io("create the folder of"))?;
        atomic_file::write(&path, bytes).map_err(io("write"))?;
        if KEPT.iter().any(|folder| relative.starts_with(folder)) && !relative.ends_with(PROBE) {
            PROGRESS.fetch_add(1, Ordering::Relaxed);
        }
        Ok(hex(&Sha256::digest(bytes)))
    }

    /// Makes sure that records can be written, before hours go into them, and removes what a killed process
    /// left half-written.
    ///
    /// # Errors
    /// [`StoreError::Io`] where the target is read-only, full, or not ours to write.
    pub fn prepare(&self) -> Result<(), StoreError> {
        let probe = format!("records/{PROBE}");
        self.write(&probe, b"This file proves that records can be written here.\n")?;
        self.remove(&probe)?;
        for folder in FOLDERS {
            atomic_file::sweep(&self.dir.join(folder));
        }
        Ok(())
    }

    /// Keeps other processes from rendering this run's report until the answer is dropped.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn lock_report(&self) -> Result<Option<std::fs::File>, StoreError> {
        if !self.dir.is_dir() {
            return Ok(None);
        }
        let path = self.dir.join(".report_lock");
        match lock_file(&path) {
            Ok(lock) => Ok(Some(lock)),
            // Nobody can add a record to a folder that cannot be written, so there is nobody to wait for.
            Err(error) if is_read_only(&error) => Ok(None),
            Err(source) => Err(StoreError::Io { action: "lock", path, source }),
        }
    }

    /// Removes a file of the run; one that is not there is removed already.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn remove(&self, relative: &str) -> Result<(), StoreError> {
        let path = self.dir.join(relative);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::Io { action: "remove", path, source })
            }
            _ => Ok(()),
        }
    }

    /// Reads a file of the run.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn read(&self, relative: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.dir.join(relative);
        std::fs::read(&path).map_err(|source| StoreError::Io { action: "read", path, source })
    }

    /// Seals and saves a record.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn save(&self, record: &RunRecord) -> Result<(), StoreError> {
        let relative = record_path(&record.key);
        let fail = |error: serde_json::Error| StoreError::Record {
            path: self.dir.join(&relative),
            reason: error.to_string(),
        };
        let unsealed = RunRecord { record_sha256: String::new(), ..record.clone() };
        let text = serde_json::to_string_pretty(&unsealed).map_err(fail)?;
        self.write(&relative, seal::sealed(&format!("{text}\n")).as_bytes()).map(|_| ())
    }

    /// The complete record of a key, if there is one. A failed cell's record does not count.
    ///
    /// # Errors
    /// [`StoreError`] for a file that cannot be read or is no record.
    pub fn find(&self, key: &str) -> Result<Option<RunRecord>, StoreError> {
        let path = self.dir.join(record_path(key));
        if !path.is_file() {
            return Ok(None);
        }
        let record = read_record(&path)?;
        if record.key != key {
            let reason = format!("it is the record of key {}", record.key);
            return Err(StoreError::Record { path, reason });
        }
        Ok(Some(record).filter(|record| record.outcome == Outcome::Complete))
    }

    /// Keys with a record, complete or failed, as of some seconds ago on a network file system.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn keys(&self) -> Result<BTreeSet<String>, StoreError> {
        let files = self.list("records", "json")?;
        Ok(files.iter().filter_map(|file| file.strip_suffix(".json")).map(str::to_owned).collect())
    }

    /// The complete record of a key, if every file it names is there and is what was recorded.
    ///
    /// # Errors
    /// As [`Store::find`].
    pub fn find_whole(&self, key: &str) -> Result<Option<RunRecord>, StoreError> {
        Ok(self.find(key)?.filter(|record| self.damage(record).is_empty()))
    }

    /// The files that a record names and that are missing or changed, each with what is wrong.
    pub fn damage(&self, record: &RunRecord) -> Vec<(String, String)> {
        let parameters = record.training.iter().map(|t| (&t.parameters_path, &t.parameters_sha256));
        let evaluations = record.evaluations.iter().filter(|e| e.has_predictions());
        let predictions = evaluations.map(|e| (&e.predictions_path, &e.predictions_sha256));
        let files = predictions.chain(parameters);
        files.filter_map(|(path, sha256)| Some((path.clone(), self.fault(path, sha256)?))).collect()
    }

    /// What is wrong with a file of the run, if anything is.
    pub fn fault(&self, relative: &str, sha256: &str) -> Option<String> {
        match std::fs::read(self.dir.join(relative)) {
            Ok(bytes) if hex(&Sha256::digest(&bytes)) == sha256 => None,
            Ok(_) => Some("it is not what was recorded: its SHA-256 is another".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some("it is missing".to_owned()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Names of the files of a folder of the run with this ending, sorted; hidden ones, such as macOS leaves
    /// beside copied files (`._NAME`), are nobody's.
    ///
    /// # Errors
    /// [`StoreError::Io`] for a folder that cannot be listed; one that is not there is empty.
    pub fn list(&self, folder: &str, ending: &str) -> Result<Vec<String>, StoreError> {
        let dir = self.dir.join(folder);
        if !dir.is_dir() {
            return Ok(Vec::new());
        }
        list_files(&dir, ending).map_err(|source| StoreError::Io { action: "list", path: dir, source })
    }

    /// Every record of the run, in key order; equal settings are held once.
    ///
    /// # Errors
    /// [`StoreError`] for a file that cannot be read or is no record.
    pub fn all(&self) -> Result<Vec<RunRecord>, StoreError> {
        let files = self.list("records", "json")?;
        let mut seen = SeenSettings::default();
        let read = |file: &String| {
            let mut record = read_record(&self.dir.join("records").join(file))?;
            seen.share(&mut record.config);
            seen.share(&mut record.switches);
            // Reading leaves room for twice as many of both.
            record.evaluations.shrink_to_fit();
            record.training.iter_mut().for_each(|training| training.epochs.shrink_to_fit());
            Ok(record)
        };
        files.iter().map(read).collect()
    }
}

fn is_read_only(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}

/// Names of the files of a folder with this ending, sorted, without hidden ones.
///
/// # Errors
/// What the system says.
pub fn list_files(dir: &Path, ending: &str) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let fits = Path::new(&name).extension().is_some_and(|found| found == ending);
        let name = name.to_string_lossy().into_owned();
        if fits && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn record_path(key: &str) -> String {
    format!("records/{key}.json")
}

/// Reads one record file of any schema version, and refuses one that was changed since it was saved.
///
/// # Errors
/// [`StoreError`] naming the file.
pub fn read_record(path: &Path) -> Result<RunRecord, StoreError> {
    match parse_record(path)? {
        (record, Seal::Whole | Seal::None) => Ok(record),
        (_, Seal::Broken) => Err(StoreError::Record {
            path: path.to_owned(),
            reason: "it was changed after it was saved: its record_sha256 is another".to_owned(),
        }),
    }
}

/// What a record's seal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// The file is as it was saved.
    Whole,
    /// The file was changed.
    Broken,
    /// Schema version 1 has no seal.
    None,
}

/// Reads one record file of any schema version, changed or not.
///
/// # Errors
/// [`StoreError`] naming the file.
pub fn parse_record(path: &Path) -> Result<(RunRecord, Seal), StoreError> {
    let fail = |reason: String| StoreError::Record { path: path.to_owned(), reason };
    let io = |source| StoreError::Io { action: "read", path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(io)?.len();
    if size > MAX_RECORD_BYTES {
        return Err(fail(format!("it has {size} bytes, no record has more than {MAX_RECORD_BYTES}")));
    }
    let text = std::fs::read_to_string(path).map_err(io)?;
    let Version { schema_version } = serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
    let seal = match schema_version {
        // A later record that calls itself version 1 keeps fields that version 1 did not have.
        1 if LATER_FIELDS.iter().any(|field| text.contains(field)) => Seal::Broken,
        1 => Seal::None,
        2..=SCHEMA_VERSION if seal::holds(&text) => Seal::Whole,
        2..=SCHEMA_VERSION => Seal::Broken,
        other => {
            let known = format!("this program reads 1 to {SCHEMA_VERSION}");
            return Err(fail(format!("its schema_version is {other}, {known}")));
        }
    };
    let record = serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
    Ok((record, seal))
}

/// Fields of every record since version 2, as they stand in its text.
const LATER_FIELDS: [&str; 3] = ["\"record_sha256\":", "\"cpu_model\":", "\"images_sha256\":"];

/// The one field every version has, read before the others are insisted on.
#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}
