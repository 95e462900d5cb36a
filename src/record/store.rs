//! Records on disk: one JSON a cell under `runs/SUITE-PROFILE/records`, predictions beside them.
//!
//! A cell exists when its record does. Everything is written under a temporary name, synced and renamed.

use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::schema::{Evaluation, Outcome, Prediction, RunRecord};

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
        let temporary = path.with_extension(format!("tmp{}", std::process::id()));
        let mut file = std::fs::File::create(&temporary).map_err(io("create"))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io("write"))?;
        std::fs::rename(&temporary, &path).map_err(io("rename"))?;
        Ok(hex(&Sha256::digest(bytes)))
    }

    /// Reads a file of the run.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn read(&self, relative: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.dir.join(relative);
        std::fs::read(&path).map_err(|source| StoreError::Io { action: "read", path, source })
    }

    /// Saves a record.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn save(&self, record: &RunRecord) -> Result<(), StoreError> {
        let relative = record_path(&record.key);
        let text = serde_json::to_string_pretty(record).map_err(|error| StoreError::Record {
            path: self.dir.join(&relative),
            reason: error.to_string(),
        })?;
        self.write(&relative, format!("{text}\n").as_bytes()).map(|_| ())
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
        Ok(Some(read_record(&path)?).filter(|record| record.outcome == Outcome::Complete))
    }

    /// Every record of the run, in key order.
    ///
    /// # Errors
    /// [`StoreError`] for a file that cannot be read or is no record.
    pub fn all(&self) -> Result<Vec<RunRecord>, StoreError> {
        let dir = self.dir.join("records");
        if !dir.is_dir() {
            return Ok(Vec::new());
        }
        let entries = std::fs::read_dir(&dir)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|source| StoreError::Io { action: "list", path: dir.clone(), source })?;
        let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
        paths.sort();
        paths.iter().map(|path| read_record(path)).collect()
    }

    /// The predictions of an evaluation; `None` when the file is absent or is not what was recorded.
    pub fn predictions(&self, evaluation: &Evaluation) -> Option<Vec<Prediction>> {
        let bytes = self.read(&evaluation.predictions_path).ok()?;
        (hex(&Sha256::digest(&bytes)) == evaluation.predictions_sha256).then_some(())?;
        parse_predictions(std::str::from_utf8(&bytes).ok()?)
    }
}

fn record_path(key: &str) -> String {
    format!("records/{key}.json")
}

/// Reads one record file.
///
/// # Errors
/// [`StoreError`] naming the file.
pub fn read_record(path: &Path) -> Result<RunRecord, StoreError> {
    let fail = |reason: String| StoreError::Record { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|source| StoreError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let record: RunRecord = serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
    if record.schema_version != super::schema::SCHEMA_VERSION {
        return Err(fail(format!("schema_version is {}, this program reads 1", record.schema_version)));
    }
    Ok(record)
}

/// Predictions as CSV with a header: path, label, predicted, p_true.
pub fn predictions_csv(predictions: &[Prediction]) -> String {
    let mut text = "path,label,predicted,p_true\n".to_owned();
    for row in predictions {
        let path = match row.path.contains([',', '"', '\n']) {
            true => format!("\"{}\"", row.path.replace('"', "\"\"")),
            false => row.path.clone(),
        };
        text.push_str(&format!("{path},{},{},{}\n", row.label, row.predicted, row.p_true));
    }
    text
}

/// Reads [`predictions_csv`] back; `None` for anything else. Fields are taken from the right, since only a
/// path can hold a comma.
fn parse_predictions(text: &str) -> Option<Vec<Prediction>> {
    let mut lines = text.lines();
    (lines.next()? == "path,label,predicted,p_true").then_some(())?;
    lines
        .map(|line| {
            let mut fields = line.rsplitn(4, ',');
            let p_true = fields.next()?.parse().ok()?;
            let predicted = fields.next()?.parse().ok()?;
            let label = fields.next()?.parse().ok()?;
            let path = fields.next()?;
            let path = path.strip_prefix('"').and_then(|p| p.strip_suffix('"')).unwrap_or(path);
            Some(Prediction { path: path.replace("\"\"", "\""), label, predicted, p_true })
        })
        .collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_survive_a_round_trip() {
        let rows = vec![
            Prediction { path: "a/b.jpg".into(), label: 1, predicted: 2, p_true: 0.125 },
            Prediction { path: "x, \"y\".jpg".into(), label: 0, predicted: 0, p_true: 1.0e-9 },
        ];
        assert_eq!(parse_predictions(&predictions_csv(&rows)), Some(rows));
        assert_eq!(parse_predictions("nonsense"), None);
    }
}
