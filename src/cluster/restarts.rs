//! How often in a row a task was started without getting anywhere: a task that never gets to its first checkpoint must
//! not be put back in the queue for ever.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::record::SlurmTask;
use crate::util::atomic_file;

/// The count cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("keep the number of restarts in {path}: {source}")]
pub struct RestartsError {
    path: PathBuf,
    source: std::io::Error,
}

/// The count of one task, in the folder `slurm` of a run directory.
pub struct Restarts {
    path: PathBuf,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    starts_without_progress: u64,
}

impl Restarts {
    /// The count of a task.
    pub fn new(run: &Path, task: &SlurmTask) -> Self {
        Self { path: run.join("slurm").join(format!("{task}.json")) }
    }

    /// Counts a start that ended early, and gives how many in a row have now brought nothing.
    ///
    /// # Errors
    /// [`RestartsError`].
    pub fn count(&self, progress: bool) -> Result<u64, RestartsError> {
        let before: Count =
            std::fs::read(&self.path).ok().and_then(|b| serde_json::from_slice(&b).ok()).unwrap_or_default();
        let starts_without_progress = if progress { 0 } else { before.starts_without_progress + 1 };
        let fail = |source| RestartsError { path: self.path.clone(), source };
        let text = serde_json::to_vec(&Count { starts_without_progress }).map_err(|e| fail(e.into()))?;
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(fail)?;
        }
        atomic_file::write(&self.path, &text).map_err(fail)?;
        Ok(starts_without_progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_starts_in_a_row_without_progress_count() {
        let run = tempfile::tempdir().unwrap();
        let restarts = Restarts::new(run.path(), &SlurmTask { job: 9, task: Some(2), restarts: 0 });
        assert_eq!(restarts.count(false).unwrap(), 1);
        assert_eq!(restarts.count(false).unwrap(), 2);
        assert_eq!(restarts.count(true).unwrap(), 0);
        assert_eq!(restarts.count(false).unwrap(), 1);
        let other = Restarts::new(run.path(), &SlurmTask { job: 9, task: Some(3), restarts: 0 });
        assert_eq!(other.count(false).unwrap(), 1);
    }
}
