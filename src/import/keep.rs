//! Results as marked records of a run, beside those that were made here.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::ImportError;
use crate::data::{Classes, Prediction};
use crate::record::imported::{DATA_KIND, VARIANT};
use crate::record::{
    Cell, Evaluation, ImportKind, Imported, Measurement, Outcome, Provenance, Reported, RunRecord,
    SCHEMA_VERSION, SettingValues, Store, Timing, predictions_csv,
};
use crate::util::hex;

/// Digits of hashes in messages.
const DIGITS: usize = 12;

/// What stands behind an accuracy.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// Every prediction, in test order.
    Predictions(Vec<Prediction>),
    /// Correct ones and all.
    Counted {
        /// Correct predictions.
        correct: u64,
        /// Test images.
        total: u64,
    },
    /// A percentage.
    Percent(f64),
}

/// One result of another program.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedResult {
    /// Method id, known to this program or not.
    pub method: String,
    /// Dataset trained on.
    pub train_dataset: String,
    /// Dataset evaluated on.
    pub dataset: String,
    /// Seed; absent for a method that draws nothing, and for averages.
    pub seed: Option<u64>,
    /// Images a class.
    pub shots: Option<u32>,
    /// Classes that competed.
    pub classes: Classes,
    /// Classes trained on.
    pub train_classes: Classes,
    /// How many competed; 0 where nobody says.
    pub class_count: u64,
    /// Names of the classes that competed, by label, where it was held against lists.
    pub class_names: Option<Vec<String>>,
    /// SHA-256 of the lists they were held against; empty where there were none.
    pub split_sha256: String,
    /// What stands behind the accuracy.
    pub evidence: Evidence,
    /// What else the program said.
    pub measurements: Vec<Measurement>,
    /// The file, without folders of this machine.
    pub source: String,
    /// SHA-256 of that file.
    pub source_sha256: String,
}

/// Whether a result was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is new.
    New,
    /// The same result lay there.
    Before,
}

/// Puts results into one run.
pub struct Importer<'a> {
    /// The run directory.
    pub store: &'a Store,
    /// Its name, for messages.
    pub run: &'a str,
    /// Suite of its cells.
    pub suite: &'a str,
    /// Profile of its cells.
    pub profile: &'a str,
    /// The command line, without paths of this machine.
    pub command: &'a str,
    /// UTC now, ISO 8601.
    pub now: &'a str,
}

/// What makes an imported result what it is: the same key means the same result.
#[derive(Serialize)]
struct Parts<'a> {
    cell: &'a Cell,
    dataset: &'a str,
    classes: Classes,
    correct: u64,
    total: u64,
    reported: &'a [Reported],
    predictions_sha256: &'a str,
}

impl ImportedResult {
    /// The cell in words.
    pub fn words(&self) -> String {
        let seed = self.seed.map_or_else(String::new, |seed| format!(" seed {seed}"));
        let shots = self.shots.map_or_else(String::new, |shots| format!(" {shots} shots"));
        format!("{} on {} {}{shots}{seed}", self.method, self.dataset, self.classes)
    }

    fn kind(&self) -> ImportKind {
        match self.evidence {
            Evidence::Predictions(_) => ImportKind::Predictions,
            Evidence::Counted { .. } => ImportKind::Log,
            Evidence::Percent(_) => ImportKind::Table,
        }
    }
}

impl Importer<'_> {
    /// Writes the record of a result.
    ///
    /// # Errors
    /// [`ImportError::Conflict`] where other numbers of this cell were imported, [`ImportError::OtherLists`] where the
    /// run's own records were made on other lists, [`ImportError::Store`].
    pub fn keep(&self, found: &ImportedResult) -> Result<Kept, ImportError> {
        let cell = Cell {
            suite: self.suite.to_owned(),
            profile: self.profile.to_owned(),
            dataset: found.train_dataset.clone(),
            method: found.method.clone(),
            variant: BTreeMap::from([(VARIANT.to_owned(), found.kind().mark().to_owned())]),
            seed: found.seed,
            shots: found.shots,
            train_classes: found.train_classes,
            limit: None,
        };
        let (correct, total) = counted(&found.evidence);
        let reported = match found.evidence {
            Evidence::Percent(accuracy_pct) => {
                vec![Reported { dataset: found.dataset.clone(), classes: found.classes, accuracy_pct }]
            }
            _ => Vec::new(),
        };
        let text = match &found.evidence {
            Evidence::Predictions(rows) => Some(predictions_csv(rows)),
            _ => None,
        };
        let predictions_sha256 = text.as_ref().map_or_else(String::new, |text| hex(&Sha256::digest(text)));
        let key = key(&Parts {
            cell: &cell,
            dataset: &found.dataset,
            classes: found.classes,
            correct,
            total,
            reported: &reported,
            predictions_sha256: &predictions_sha256,
        });
        let key = key.map_err(|error| ImportError::file(&found.source, error.to_string()))?;
        if self.check(found, &cell, &key)? == Kept::Before {
            return Ok(Kept::Before);
        }
        let mut predictions_path = String::new();
        if let Some(text) = text {
            predictions_path = format!("predictions/{key}-{}-{}.csv", found.dataset, found.classes);
            self.store.write(&predictions_path, text.as_bytes())?;
        }
        let class_names =
            found.class_names.as_ref().map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
        let classes_sha256 = class_names.map(|names| self.store.write_class_names(&names)).transpose()?;
        let evaluation = Evaluation {
            dataset: found.dataset.clone(),
            classes: found.classes,
            class_count: found.class_count,
            correct,
            total,
            skipped: 0,
            predictions_path,
            predictions_sha256,
            images_sha256: None,
            classes_sha256,
        };
        self.store.save(&self.record(found, (key, cell), evaluation, reported))?;
        Ok(Kept::New)
    }

    fn record(
        &self,
        found: &ImportedResult,
        (key, cell): (String, Cell),
        evaluation: Evaluation,
        reported: Vec<Reported>,
    ) -> RunRecord {
        RunRecord {
            schema_version: SCHEMA_VERSION,
            key,
            cell,
            outcome: Outcome::Complete,
            config: SettingValues::default(),
            set_for_dataset: BTreeMap::new(),
            switches: SettingValues::default(),
            training: None,
            evaluations: vec![evaluation],
            measurements: found.measurements.clone(),
            provenance: Provenance {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                data_kind: DATA_KIND.to_owned(),
                // A record's lists are those trained on.
                split_sha256: if found.train_dataset == found.dataset {
                    found.split_sha256.clone()
                } else {
                    String::new()
                },
                command: self.command.to_owned(),
                finished_at: self.now.to_owned(),
                imported: Some(Imported {
                    kind: found.kind(),
                    source: found.source.clone(),
                    source_sha256: found.source_sha256.clone(),
                    reported,
                }),
                ..Provenance::default()
            },
            timing: Timing::default(),
            record_sha256: String::new(),
        }
    }

    /// Holds a result against the records that lie in the run.
    fn check(&self, found: &ImportedResult, cell: &Cell, key: &str) -> Result<Kept, ImportError> {
        let place = |evaluation: &Evaluation| {
            (evaluation.dataset.as_str(), evaluation.classes) == (found.dataset.as_str(), found.classes)
        };
        let first = |hash: &str| hash.chars().take(DIGITS).collect::<String>();
        for record in self.store.all()? {
            if let Some(earlier) = record.imported().filter(|_| record.cell == *cell) {
                if !record.evaluations.iter().any(place) {
                    continue;
                }
                if record.key == key {
                    return Ok(Kept::Before);
                }
                return Err(ImportError::Conflict {
                    what: found.words(),
                    source_file: earlier.source.clone(),
                    run: self.run.to_owned(),
                    key: first(&record.key),
                });
            }
            let own = record.imported().is_none() && record.cell.dataset == found.dataset;
            let theirs = &record.provenance.split_sha256;
            if own && !found.split_sha256.is_empty() && *theirs != found.split_sha256 {
                return Err(ImportError::OtherLists {
                    what: found.words(),
                    run: self.run.to_owned(),
                    theirs: first(theirs),
                    ours: first(&found.split_sha256),
                });
            }
        }
        Ok(Kept::New)
    }
}

fn key(parts: &Parts<'_>) -> serde_json::Result<String> {
    Ok(hex(&Sha256::digest(serde_json::to_string(parts)?)))
}

/// Correct ones and all; 0 of 0 for a percentage.
fn counted(evidence: &Evidence) -> (u64, u64) {
    match evidence {
        Evidence::Predictions(rows) => {
            (rows.iter().filter(|row| row.label == row.predicted).count() as u64, rows.len() as u64)
        }
        Evidence::Counted { correct, total } => (*correct, *total),
        Evidence::Percent(_) => (0, 0),
    }
}
