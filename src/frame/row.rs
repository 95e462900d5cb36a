//! One accuracy of one cell, with every coordinate that tells it from the others.
//!
//! `dataset` is the one evaluated on; `train_dataset` differs from it only under domain shift.

use crate::data::Classes;
use crate::record::imported::DATA_KIND;
use crate::record::{Evaluation, Identity, RunRecord};

/// Units of a reported accuracy in one percent.
const MILLION: f64 = 1e6;

/// One evaluation of one record. The field order is the sorting order of the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Suite name.
    pub suite: String,
    /// `pocket`, or the model folder's name.
    pub profile: String,
    /// Kind of pictures: `pocket`, `folder` or `coop`; `imported` for results of another program.
    pub data: String,
    /// Dataset evaluated on.
    pub dataset: String,
    /// Method id.
    pub method: String,
    /// Swept settings as `key=value`, joined by spaces, and those that tell runs of one folder apart; empty
    /// for the suite's own.
    pub variant: String,
    /// Dataset trained on.
    pub train_dataset: String,
    /// Classes trained on.
    pub train_classes: Classes,
    /// `f32`, `bf16` or `f16`: the frozen weights' type.
    pub dtype: String,
    /// `--limit`, where one was given.
    pub limit: Option<u32>,
    /// Digest of everything the seeds of one mean must agree in ([`Identity`]).
    pub settings: String,
    /// Version of the numerics the record was made with.
    pub numerics_version: u32,
    /// Training images per class; `None` for zero-shot.
    pub shots: Option<u32>,
    /// Seed; `None` for zero-shot.
    pub seed: Option<u64>,
    /// Classes that competed.
    pub classes: Classes,
    /// Correct predictions.
    pub correct: u64,
    /// Test images.
    pub total: u64,
    /// Trained scalars; 0 for zero-shot.
    pub trainable_parameters: u64,
    /// Accuracy in millionths of a percent where it was reported without counts.
    pub reported: Option<u64>,
}

impl Row {
    /// The row of one evaluation of `record`, under the given variant name.
    pub fn new(record: &RunRecord, evaluation: &Evaluation, variant: &str) -> Self {
        let cell = &record.cell;
        Self {
            suite: cell.suite.clone(),
            profile: cell.profile.clone(),
            data: record.provenance.data_kind.clone(),
            dataset: evaluation.dataset.clone(),
            method: cell.method.clone(),
            variant: variant.to_owned(),
            train_dataset: cell.dataset.clone(),
            train_classes: cell.train_classes,
            dtype: record.provenance.dtype.clone(),
            limit: cell.limit,
            settings: Identity::of(record).digest(),
            numerics_version: record.provenance.numerics_version,
            shots: cell.shots,
            seed: cell.seed,
            classes: evaluation.classes,
            correct: evaluation.correct,
            total: evaluation.total,
            trainable_parameters: record.training.as_ref().map_or(0, |t| t.trainable_parameters),
            reported: record.reported_pct(evaluation).map(|pct| (pct * MILLION).round() as u64),
        }
    }

    /// Whether another program made the result.
    pub fn is_imported(&self) -> bool {
        self.data == DATA_KIND
    }

    /// Accuracy in percent; 0 for an empty test set.
    pub fn accuracy_pct(&self) -> f64 {
        if let Some(reported) = self.reported {
            return reported as f64 / MILLION;
        }
        if self.total == 0 { 0.0 } else { 100.0 * self.correct as f64 / self.total as f64 }
    }

    /// Whether both rows claim the same place in the table, whatever they counted.
    pub fn same_place(&self, other: &Self) -> bool {
        let place = |row: &Self| {
            let mut row = row.clone();
            (row.correct, row.total, row.trainable_parameters, row.reported) = (0, 0, 0, None);
            row
        };
        place(self) == place(other)
    }

    /// Whether both rows are of one cell: everything but seed, classes and counts is the same.
    pub fn same_cell(&self, other: &Self) -> bool {
        (&self.dataset, &self.method, &self.variant, &self.train_dataset)
            == (&other.dataset, &other.method, &other.variant, &other.train_dataset)
            && (self.train_classes, self.limit, self.shots) == (other.train_classes, other.limit, other.shots)
            && (&self.suite, &self.profile, &self.data, &self.dtype)
                == (&other.suite, &other.profile, &other.data, &other.dtype)
            && (&self.settings, self.numerics_version) == (&other.settings, other.numerics_version)
    }

    /// The place in words, for messages.
    pub fn place(&self) -> String {
        let seed = self.seed.map_or_else(|| "no seed".to_owned(), |s| format!("seed {s}"));
        let variant = if self.variant.is_empty() { String::new() } else { format!(" ({})", self.variant) };
        format!("{}{variant} on {} {} classes, {seed}", self.method, self.dataset, self.classes)
    }
}
