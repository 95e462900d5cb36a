//! Prompts that a suite reads from files: where they lie, and how a file's name says what it holds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::suite::error::SuiteError;

/// Where the prompts of a suite come from. The folder itself is `--prompts DIR`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptFiles {
    /// Paths below the folder, tried in order; `{dataset}`, `{seed}` and `{shots}` are filled in.
    pub names: Vec<String>,
    /// Without a folder: the suite trains the prompts itself, writes them to files, and reads those, which
    /// shows that a file is all that is needed to make a number again.
    #[serde(default)]
    pub train_without_folder: bool,
}

/// Key of the swept setting that marks a cell whose prompts came from a file.
pub(in crate::suite) const VARIANT: &str = "prompts";
/// Its value.
pub(in crate::suite) const FROM_FILE: &str = "from_file";

impl PromptFiles {
    /// The file of one training run in the folder `dir`.
    ///
    /// # Errors
    /// [`SuiteError::Prompts`] listing the names that were tried.
    pub(in crate::suite) fn find(
        &self,
        dir: &Path,
        dataset: &str,
        seed: u64,
        shots: u32,
    ) -> Result<PathBuf, SuiteError> {
        let fill = |name: &String| {
            name.replace("{dataset}", dataset)
                .replace("{seed}", &seed.to_string())
                .replace("{shots}", &shots.to_string())
        };
        let names: Vec<String> = self.names.iter().map(fill).collect();
        let found = names.iter().map(|name| dir.join(name)).find(|path| path.is_file());
        found.ok_or_else(|| SuiteError::Prompts {
            what: format!("{dataset}, seed {seed}, {shots} shots"),
            reason: format!("none of these is in the folder: {}", names.join(", ")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_filled_in_and_a_missing_file_lists_what_was_tried() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("dtd_2"), "").unwrap();
        let names = vec!["{dataset}/{shots}/{seed}".to_owned(), "{dataset}_{seed}".to_owned()];
        let files = PromptFiles { names, train_without_folder: false };
        assert!(files.find(dir.path(), "dtd", 2, 16).unwrap().ends_with("dtd_2"));
        let error = files.find(dir.path(), "dtd", 3, 16).unwrap_err().to_string();
        assert!(error.contains("dtd/16/3, dtd_3"), "{error}");
    }
}
