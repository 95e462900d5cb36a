//! Records and predictions that nobody made, of the shape that suites give: three seeds of every dataset and method at
//! a number of shots, then the next number of shots, then three more seeds.
//!
//! Predictions are drawn once for a dataset, half and [`DRAWS`] seeds; records share the files, so that a large report
//! is read in full without filling a disk.

use std::collections::BTreeMap;

use super::error::BenchError;
use crate::data::{Classes, Confidence, Role, embedded};
use crate::method::{Entry, Family, REGISTRY};
use crate::record::{
    Cell, Epoch, Evaluation, Outcome, Prediction, Provenance, RunRecord, SCHEMA_VERSION, SettingValues,
    Store, StoreError, Timing, Training, ValidationUse, packed, predictions_csv,
};
use crate::suite::SuiteError;
use crate::util::rng::Stream;

/// Suite of the records.
pub const SUITE: &str = "base2new";
/// Profile of the records.
pub const PROFILE: &str = "bench";
const CLASSES: u32 = 20;
/// Different predictions of a dataset and half.
const DRAWS: u64 = 12;
/// Numbers of shots in the order in which they are filled.
const SHOTS: [u32; 5] = [16, 8, 4, 2, 1];
/// Seeds that stand together.
const SEEDS: u64 = 3;
const EPOCHS: usize = 50;

/// The datasets and methods of the records.
pub struct MadeUp {
    datasets: Vec<String>,
    methods: Vec<(&'static Entry, SettingValues)>,
    images: u64,
    /// By dataset, half and draw.
    files: BTreeMap<(usize, Classes, u64), Evaluation>,
}

impl MadeUp {
    /// The embedded datasets that have training lists, and the methods that train and meet new classes; `images` in each
    /// half.
    ///
    /// # Errors
    /// [`BenchError::Manifest`] or [`BenchError::Method`] for a damaged file of this program.
    pub fn new(images: u64) -> Result<Self, BenchError> {
        let manifests = embedded::manifests()?;
        let trained = manifests.into_iter().filter(|manifest| manifest.role == Role::TrainAndTest);
        let methods = REGISTRY.iter().filter(|e| e.family != Family::TrainingFree && e.transfers());
        let methods = methods.map(|entry| {
            let own = entry.default_table()?;
            let name = |(key, value): (String, toml::Value)| {
                (
                    format!("{}.{key}", entry.id),
                    value.as_str().map_or_else(|| value.to_string(), str::to_owned),
                )
            };
            Ok::<_, BenchError>((entry, own.into_iter().map(name).collect()))
        });
        Ok(Self {
            datasets: trained.map(|manifest| manifest.id.to_string()).collect(),
            methods: methods.collect::<Result<_, _>>()?,
            images,
            files: BTreeMap::new(),
        })
    }

    /// Writes the first `cells` records.
    ///
    /// # Errors
    /// [`BenchError::Report`] where the folder cannot be written.
    pub fn write(&mut self, store: &Store, cells: u64) -> Result<(), BenchError> {
        let written = (0..cells).try_for_each(|number| self.cell(store, number));
        written.map_err(|error| Box::new(SuiteError::from(error)).into())
    }

    fn cell(&mut self, store: &Store, number: u64) -> Result<(), StoreError> {
        let mut rest = number;
        let mut next = |of: u64| {
            let digit = rest % of;
            rest /= of;
            digit
        };
        let (dataset, method) =
            (next(self.datasets.len() as u64) as usize, next(self.methods.len() as u64) as usize);
        let (seed, shots) = (next(SEEDS), SHOTS[next(SHOTS.len() as u64) as usize]);
        let seed = 1 + seed + SEEDS * rest;
        let halves = [Classes::Base, Classes::New].map(|half| {
            let draw = Stream::new(&["bench draw", &format!("{method} {seed} {shots}")]).below(DRAWS);
            self.evaluation(store, (dataset, half, draw))
        });
        let evaluations = halves.into_iter().collect::<Result<_, _>>()?;
        let (entry, settings) = &self.methods[method];
        let cell = Cell {
            suite: SUITE.to_owned(),
            profile: PROFILE.to_owned(),
            dataset: self.datasets[dataset].clone(),
            method: entry.id.to_owned(),
            variant: BTreeMap::new(),
            seed: Some(seed),
            shots: Some(shots),
            train_classes: Classes::Base,
            limit: None,
        };
        store.save(&record(format!("{number:064x}"), cell, settings, evaluations))
    }

    /// Predictions of a draw, written when they are first asked for.
    fn evaluation(&mut self, store: &Store, place: (usize, Classes, u64)) -> Result<Evaluation, StoreError> {
        if let Some(known) = self.files.get(&place) {
            return Ok(known.clone());
        }
        let (dataset, classes, draw) = place;
        let id = &self.datasets[dataset];
        let rows = predictions(self.images, &mut Stream::new(&["bench report", id, classes.as_str()]), draw);
        let (is_packed, bytes) = packed(predictions_csv(&rows));
        let ending = if is_packed { ".csv.gz" } else { ".csv" };
        let path = format!("predictions/{draw:064x}-{id}-{classes}{ending}");
        let evaluation = Evaluation {
            dataset: id.clone(),
            classes,
            class_count: u64::from(CLASSES),
            correct: rows.iter().filter(|row| row.label == row.predicted).count() as u64,
            total: self.images,
            skipped: 0,
            predictions_sha256: store.write(&path, &bytes)?,
            predictions_path: path,
            images_sha256: Some(digest(id)),
            classes_sha256: None,
        };
        self.files.insert(place, evaluation.clone());
        Ok(evaluation)
    }
}

/// Something of the length of a SHA-256.
fn digest(of: &str) -> String {
    let mut stream = Stream::new(&["bench digest", of]);
    (0..4).map(|_| format!("{:016x}", stream.bits())).collect()
}

fn predictions(images: u64, stream: &mut Stream, draw: u64) -> Vec<Prediction> {
    let mut own = Stream::new(&["bench report draw", &draw.to_string()]);
    let row = |image: u64| {
        let label = (image * u64::from(CLASSES) / images) as u32;
        let is_hard = stream.chance(0.25);
        let is_right = !is_hard || own.chance(0.3);
        let predicted = if is_right { label } else { (label + 1) % CLASSES };
        let p = 0.5 + 0.5 * own.uniform() as f32;
        let p_true = if is_right { p } else { 0.5 * (1.0 - p) };
        let confidence = Some(Confidence { p_predicted: p, margin: p - 0.5 * (1.0 - p) });
        Prediction { path: format!("class_{label}/{image:06}.jpg"), label, predicted, p_true, confidence }
    };
    (0..images).map(row).collect()
}

fn record(key: String, cell: Cell, settings: &SettingValues, evaluations: Vec<Evaluation>) -> RunRecord {
    let epoch = |at: usize| Epoch { learning_rate: 0.002, steps: 80, mean_loss: 1.0 / (1.0 + at as f64) };
    let training = Training {
        trainable_parameters: 1000,
        images: u64::from(cell.shots.unwrap_or(1) * CLASSES),
        skipped: 0,
        epochs: (0..EPOCHS).map(epoch).collect(),
        parameters_path: format!("trained/{key}.safetensors"),
        parameters_sha256: digest(&key),
        images_sha256: Some(digest(&cell.dataset)),
        validation: ValidationUse::default(),
    };
    let provenance = Provenance {
        data_kind: "made up".to_owned(),
        device: "cpu".to_owned(),
        dtype: "f32".to_owned(),
        model_sha256: digest("model"),
        weights_sha256: digest("weights"),
        config_sha256: digest("config"),
        tokenizer_sha256: digest("tokenizer"),
        lockfile_sha256: digest("lockfile"),
        split_sha256: digest(&cell.dataset),
        draw_sha256: Some(digest(&format!("{} {:?} {:?}", cell.dataset, cell.seed, cell.shots))),
        ..Provenance::default()
    };
    RunRecord {
        schema_version: SCHEMA_VERSION,
        key,
        cell,
        outcome: Outcome::Complete,
        config: settings.clone(),
        set_for_dataset: BTreeMap::new(),
        switches: SettingValues::default(),
        training: Some(training),
        evaluations,
        measurements: Vec::new(),
        provenance,
        timing: Timing::default(),
        record_sha256: String::new(),
    }
}
