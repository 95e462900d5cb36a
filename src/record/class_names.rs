//! The names of the classes that competed, as a file of the run: `classes/SHA256.json`, a JSON list in label order.
//!
//! Predictions hold labels, which count within a half; without the names of that half nobody can say what a label of
//! theirs was. Evaluations among the same classes share a file, so the digest in a record tells halves apart as well.

use sha2::{Digest, Sha256};

use super::schema::Evaluation;
use super::store::{Store, StoreError};
use crate::util::hex;

/// Folder of these files in a run directory.
pub const FOLDER: &str = "classes";

impl Store {
    /// Stores the names of the classes that competed, unless they are there, and returns the file's SHA-256.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn write_class_names(&self, names: &[&str]) -> Result<String, StoreError> {
        let text = format!("{}\n", serde_json::json!(names));
        let sha256 = hex(&Sha256::digest(text.as_bytes()));
        if self.fault(&path(&sha256), &sha256).is_some() {
            self.write(&path(&sha256), text.as_bytes())?;
        }
        Ok(sha256)
    }

    /// The names of the classes of an evaluation by label; `None` where its record has no digest of them (schema
    /// versions before 5), or the file is missing or another.
    pub fn class_names(&self, evaluation: &Evaluation) -> Option<Vec<String>> {
        let sha256 = evaluation.classes_sha256.as_ref()?;
        let bytes = self.read(&path(sha256)).ok()?;
        (hex(&Sha256::digest(&bytes)) == *sha256).then_some(())?;
        let names: Vec<String> = serde_json::from_slice(&bytes).ok()?;
        (names.len() as u64 == evaluation.class_count).then_some(names)
    }

    /// What is wrong with the file of an evaluation's class names, if anything is; nothing where its record has no digest of
    /// them.
    pub fn class_names_fault(&self, evaluation: &Evaluation) -> Option<String> {
        let path = path(evaluation.classes_sha256.as_ref()?);
        let Ok(bytes) = self.read(&path) else { return Some(format!("{path} cannot be read")) };
        if Some(hex(&Sha256::digest(&bytes))) != evaluation.classes_sha256 {
            return Some(format!("{path} has another SHA-256 than recorded: a class name was changed"));
        }
        let names: Result<Vec<String>, _> = serde_json::from_slice(&bytes);
        match (names, evaluation.class_count) {
            (Err(_), _) => Some(format!("{path} is no list of class names")),
            (Ok(names), count) if names.len() as u64 != count => {
                Some(format!("class_count is {count}, {path} has {} names", names.len()))
            }
            _ => None,
        }
    }

    /// Copies the names of an evaluation's classes from another run; nothing to copy is no error, since names decide no
    /// number.
    ///
    /// # Errors
    /// [`StoreError::Io`] for a target that cannot be written.
    pub fn copy_class_names(&self, from: &Self, evaluation: &Evaluation) -> Result<(), StoreError> {
        if let Some(names) = from.class_names(evaluation) {
            self.write_class_names(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

fn path(sha256: &str) -> String {
    format!("{FOLDER}/{sha256}.json")
}
