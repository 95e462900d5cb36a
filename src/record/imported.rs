//! The mark of results that somebody else's program made: what they were read from, and what they leave unsaid.
//!
//! A record with this mark was never run here. It stands in tables, tests and pictures under a variant of its own
//! ([`VARIANT`]), so no table shows it without its mark, and nothing ever calls it verified.

use serde::{Deserialize, Serialize};

use crate::data::Classes;

/// The variant that every imported cell has; its value is [`ImportKind::mark`].
pub const VARIANT: &str = "imported";
/// What an imported record says in place of a kind of pictures, and the column `data` of tables.
pub const DATA_KIND: &str = "imported";

/// What a result was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// A prediction for every test image, held against the lists.
    Predictions,
    /// The counts that a training program printed into its log.
    Log,
    /// A percentage in a table of results, as reported.
    Table,
}

impl ImportKind {
    /// The word that marks it in every table and picture.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Predictions => "predictions",
            Self::Log => "log",
            Self::Table => "as_reported",
        }
    }
}

/// Where an imported result comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// What it was read from.
    pub kind: ImportKind,
    /// The file: its name, and for a log the folders below the imported one.
    pub source: String,
    /// SHA-256 of that file.
    pub source_sha256: String,
    /// Accuracies that were given without counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reported: Vec<Reported>,
}

/// An accuracy that was given without counts: its evaluation has 0 images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reported {
    /// Dataset evaluated on.
    pub dataset: String,
    /// Classes that competed.
    pub classes: Classes,
    /// Accuracy in percent, with the decimals it was given with.
    pub accuracy_pct: f64,
}
