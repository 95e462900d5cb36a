//! The run record: one JSON document per cell. Everything a report prints comes from here.
//! `schema.json` beside this file says the same as a JSON Schema; a test holds real records against it.
//!
//! Paths inside a record are relative to the suite's run directory; no host name, user name or
//! absolute path ever enters one. Accuracies are kept as integers, percentages are made when printed.
//!
//! Long because the whole record, field by field.

pub use crate::data::Prediction;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::imported::Imported;
use super::settings::SettingValues;
use super::validation::ValidationUse;
use crate::data::Classes;

/// Version of the JSON layout. Raised whenever a field is added, removed or changes meaning.
///
/// 1: the first. 2: `measurements`, `record_sha256`, `images_sha256` of training and evaluations, and the provenance's
/// `target`, `cpu_model` and `driver`. 3: `skipped` of training. 4: `model_sha256`,
/// `config_sha256`, `tokenizer_sha256` and (where known) `model_revision` of the provenance, `set_for_dataset`, and
/// durations that add up (see [`Timing`]). 5: `validation` of training, `classes_sha256` of evaluations and, in results of
/// other programs alone, `imported` of the provenance.
/// Every version since 1 is read; what it lacks is empty, 0 or `None`.
pub const SCHEMA_VERSION: u32 = 5;

/// One cell: a method trained once on one dataset with one seed, and evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Content key (hex SHA-256): the same key means the same numbers.
    pub key: String,
    /// What was run.
    pub cell: Cell,
    /// Whether it finished, and why not.
    pub outcome: Outcome,
    /// Resolved hyper-parameters, dotted names (`"rpo.k"` → `"24"`), sorted.
    pub config: SettingValues,
    /// Settings that the suite gives this dataset alone: dotted name → the value its other datasets have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set_for_dataset: BTreeMap<String, String>,
    /// Protocol switches in force (`"rpo.raw_class_names"` → `"false"`), sorted.
    pub switches: SettingValues,
    /// The training, absent for zero-shot and for failed cells.
    pub training: Option<Training>,
    /// One entry per evaluated dataset and class half, in evaluation order.
    pub evaluations: Vec<Evaluation>,
    /// What was measured besides accuracy, in the order it was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measurements: Vec<Measurement>,
    /// Where the numbers come from.
    pub provenance: Provenance,
    /// Durations, in seconds.
    pub timing: Timing,
    /// SHA-256 of this file's bytes with this field empty; set when the record is saved. The last field.
    #[serde(default)]
    pub record_sha256: String,
}

/// The coordinates of a cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Suite name, as in `suites/NAME.toml`.
    pub suite: String,
    /// `pocket`, or the model folder's name.
    pub profile: String,
    /// Dataset trained on.
    pub dataset: String,
    /// Method id: `zero_shot`, `linear_probe`, `coop`, `cocoop`, `rpo`.
    pub method: String,
    /// Swept settings in which the cell departs from the suite's own (`"rpo.mask"` → `"false"`); empty for
    /// the suite's own settings.
    pub variant: BTreeMap<String, String>,
    /// Seed of draw, initialisation and views; absent for zero-shot, which draws nothing.
    pub seed: Option<u64>,
    /// Images per class in the training draw; absent for zero-shot.
    pub shots: Option<u32>,
    /// Which classes the training saw.
    pub train_classes: Classes,
    /// `--limit`, where one was given: such a record is never comparable with a full one.
    pub limit: Option<u32>,
}

/// Whether the cell finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status", deny_unknown_fields)]
pub enum Outcome {
    /// Every field is final.
    Complete,
    /// The cell stopped with an error; `evaluations` is empty.
    Failed {
        /// The error, without paths of the machine.
        error: String,
    },
}

/// What the training did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Number of trained scalars.
    pub trainable_parameters: u64,
    /// Training images (after the base/new halving).
    pub images: u64,
    /// Drawn images left out because they could not be read (policy `skip` only).
    #[serde(default)]
    pub skipped: u64,
    /// One entry per epoch, in order.
    pub epochs: Vec<Epoch>,
    /// File of the trained parameters (safetensors), relative to the run directory.
    pub parameters_path: String,
    /// SHA-256 of that file.
    pub parameters_sha256: String,
    /// SHA-256 over path and decoded pixels of every training image, in drawing order.
    #[serde(default)]
    pub images_sha256: Option<String>,
    /// What validation images were used for; records of versions before 5 used none.
    #[serde(default)]
    pub validation: ValidationUse,
}

/// One training epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// Learning rate of the whole epoch.
    pub learning_rate: f64,
    /// Optimiser steps taken.
    pub steps: u64,
    /// Mean over the steps of each batch's cross-entropy (nats), before that step's update.
    pub mean_loss: f64,
}

/// Accuracy on one test set, among the classes of one half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Dataset evaluated on.
    pub dataset: String,
    /// Classes that competed.
    pub classes: Classes,
    /// Number of classes that competed.
    pub class_count: u64,
    /// Correct predictions; ties go to the lower class index.
    pub correct: u64,
    /// Test images.
    pub total: u64,
    /// Images left out because they could not be read (policy `skip` only).
    pub skipped: u64,
    /// File of predictions, relative to the run directory: CSV, compressed where it ends in `.gz`, or Parquet where it
    /// ends in `.parquet`; empty where an imported result has none.
    pub predictions_path: String,
    /// SHA-256 of that file; empty where there is none.
    pub predictions_sha256: String,
    /// SHA-256 over path and decoded pixels of every test image, in item order.
    #[serde(default)]
    pub images_sha256: Option<String>,
    /// SHA-256 of the names of the classes that competed, in label order: the file `classes/SHA256.json` of the run.
    #[serde(default)]
    pub classes_sha256: Option<String>,
}

/// One measured or derived number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// What it is, with its unit: `relative_l2_mean`, `train_step_secs`.
    pub quantity: String,
    /// Where it was taken (`"tower"` → `"text"`, `"layer"` → `"3"`), sorted.
    pub place: BTreeMap<String, String>,
    /// The number; always finite.
    pub value: f64,
}

impl Measurement {
    /// A number with its place.
    pub fn new(quantity: &str, place: &[(&str, String)], value: f64) -> Self {
        let place = place.iter().map(|(key, word)| ((*key).to_owned(), word.clone())).collect();
        Self { quantity: quantity.to_owned(), place, value }
    }
}

/// Where a number comes from, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Crate version.
    pub version: String,
    /// Git commit of the build, where known.
    pub commit: Option<String>,
    /// Whether the build's tree had uncommitted changes, where known.
    pub dirty: Option<bool>,
    /// Raised only when numbers can change.
    pub numerics_version: u32,
    /// Cargo features compiled in.
    pub features: Vec<String>,
    /// SHA-256 of the Cargo.lock the build was made with.
    pub lockfile_sha256: String,
    /// Architecture and system of the build, as `x86_64-linux`.
    #[serde(default)]
    pub target: String,
    /// Processor model; empty where the system does not say.
    #[serde(default)]
    pub cpu_model: String,
    /// Version of the graphics driver, for `cuda`.
    #[serde(default)]
    pub driver: Option<String>,
    /// `cpu` or `cuda`.
    pub device: String,
    /// Processor or graphics card model.
    pub device_model: String,
    /// `f32`, `bf16` or `f16`: the frozen weights' type in the run.
    pub dtype: String,
    /// Image decoder and version.
    pub decoder: String,
    /// Where the pictures come from: `pocket`, `pocket_files` (an export of it), `folder` or `coop`; `imported` where
    /// another program saw them.
    pub data_kind: String,
    /// SHA-256 of the model weights.
    pub weights_sha256: String,
    /// SHA-256 over configuration, tokenizer and weights: what decides the frozen model's numbers.
    #[serde(default)]
    pub model_sha256: String,
    /// SHA-256 of every field of the model's resolved configuration.
    #[serde(default)]
    pub config_sha256: String,
    /// SHA-256 of vocabulary and merges.
    #[serde(default)]
    pub tokenizer_sha256: String,
    /// The commit of a model from HuggingFace's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_revision: Option<String>,
    /// SHA-256 of the split lists in their order (paths and labels).
    pub split_sha256: String,
    /// SHA-256 of the drawn training list (paths and labels, in drawing order).
    pub draw_sha256: Option<String>,
    /// The command line, with paths replaced by `<data>`, `<clip>`, `<out>`.
    pub command: String,
    /// When the cell finished, or was imported, UTC, ISO 8601.
    pub finished_at: String,
    /// The mark of results that another program made; what that program did not say is empty in the other fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
    /// The Slurm task that finished it, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slurm: Option<SlurmTask>,
}

/// A task of the scheduler Slurm, by what stays the same when it is put back in the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlurmTask {
    /// Id of the job; that of the whole array for a task of one.
    pub job: u64,
    /// Id within the array, for a task of one.
    pub task: Option<u64>,
    /// How often it was put back in the queue before this start.
    pub restarts: u64,
}

impl std::fmt::Display for SlurmTask {
    /// As Slurm's own commands name it: `123_4`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.task {
            Some(task) => write!(f, "{}_{task}", self.job),
            None => write!(f, "{}", self.job),
        }
    }
}

impl Provenance {
    /// What tells the frozen model from others: the digest over all of it, or that of the weights in records of
    /// versions that have no other.
    pub fn model(&self) -> &str {
        if self.model_sha256.is_empty() { &self.weights_sha256 } else { &self.model_sha256 }
    }
}

/// Durations in seconds. What several cells had in common is divided evenly among them, so the sums over cells are the
/// time that was worked: on one lane they add up to the wall clock but for planning, reading and writing. Records of
/// versions before 4 counted shared passes in full in every cell, and evaluation as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// Training of this cell; trainings in the same products have equal shares.
    pub train_secs: f64,
    /// Evaluation of this cell: its class prompts and its logits; seeds in the same products have equal shares.
    pub evaluate_secs: f64,
    /// This cell's equal share of passes that several cells have in common: reading, views, frozen features.
    pub shared_secs: f64,
}
