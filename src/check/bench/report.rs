//! What a report costs: made-up records and predictions of two sizes, written to a temporary folder and rendered as
//! `report` does it. Twice the cells should take twice the time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::Device;
use serde::Serialize;

use super::error::BenchError;
use super::meter::{measured, peak_rss_mib};
use crate::data::{Classes, Confidence};
use crate::record::{
    Cell, Evaluation, Outcome, Prediction, Provenance, RunRecord, SCHEMA_VERSION, Store, Timing, Training,
    ValidationUse, packed, predictions_csv,
};
use crate::suite::{SuiteError, render_run};
use crate::util::rng::Stream;

const DATASETS: [&str; 11] = [
    "imagenet",
    "caltech101",
    "oxford_pets",
    "stanford_cars",
    "oxford_flowers",
    "food101",
    "fgvc_aircraft",
    "sun397",
    "dtd",
    "eurosat",
    "ucf101",
];
const METHODS: [&str; 4] = ["linear_probe", "coop", "cocoop", "rpo"];
const SUITE: &str = "base2new";
const PROFILE: &str = "bench";
const CLASSES: u32 = 20;

/// What to time.
#[derive(Clone, Copy, Debug)]
pub struct ReportBench {
    /// Cells of the larger report; the smaller one has half of them.
    pub cells: u64,
    /// Test images of each half.
    pub images: u64,
}

/// One report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReportCost {
    /// Cells, each with two evaluations.
    pub cells: u64,
    /// Rows of predictions.
    pub predictions: u64,
    /// CPU-seconds of reading, measuring and rendering.
    pub cpu_secs: f64,
    /// The same on the clock.
    pub wall_secs: f64,
    /// Largest memory of the process so far, in MiB; the larger report comes last.
    pub peak_rss_mib: f64,
    /// Bytes of `index.html`.
    pub index_html_bytes: u64,
}

/// The smaller and the larger report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReportCosts {
    /// With half the cells.
    pub half: ReportCost,
    /// With all of them.
    pub whole: ReportCost,
    /// CPU-seconds of the whole over those of the half; 2 where time grows with the number of cells.
    pub growth: f64,
}

/// Times both reports.
///
/// # Errors
/// [`BenchError::Setting`] for fewer than two cells or images; [`BenchError::Report`] where the temporary folder cannot
/// be written or a report not be made.
pub fn bench_report(bench: ReportBench) -> Result<ReportCosts, BenchError> {
    for (what, value) in [("cells", bench.cells), ("images", bench.images)] {
        if value < 2 {
            return Err(BenchError::Setting { what, reason: format!("{value} is less than 2") });
        }
    }
    let half = cost(ReportBench { cells: bench.cells / 2, ..bench })?;
    let whole = cost(bench)?;
    Ok(ReportCosts { half, whole, growth: whole.cpu_secs / half.cpu_secs.max(0.01) })
}

/// A folder that goes when it is dropped.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed lies where the system cleans up.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn cost(bench: ReportBench) -> Result<ReportCost, BenchError> {
    let name = format!("rpo-bench-report-{}-{}", std::process::id(), bench.cells);
    let out = Temporary(std::env::temp_dir().join(name));
    let store = Store::new(&out.0, SUITE, PROFILE);
    for cell in 0..bench.cells {
        write(&store, cell, bench.images).map_err(|error| Box::new(SuiteError::from(error)))?;
    }
    let target = out.0.join("reports").join(SUITE);
    let work = || render_run(&store, (SUITE, PROFILE), &target, None).map_err(Box::new);
    let (_, used) = measured(&Device::Cpu, work)?;
    Ok(ReportCost {
        cells: bench.cells,
        predictions: 2 * bench.cells * bench.images,
        cpu_secs: used.cpu,
        wall_secs: used.wall,
        peak_rss_mib: peak_rss_mib()?,
        index_html_bytes: size(&target.join("index.html")),
    })
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |about| about.len())
}

/// One record with its predictions: datasets, then methods, then seeds.
fn write(store: &Store, number: u64, images: u64) -> Result<(), crate::record::StoreError> {
    let (dataset, rest) = (number % DATASETS.len() as u64, number / DATASETS.len() as u64);
    let (method, seed) = (rest % METHODS.len() as u64, rest / METHODS.len() as u64 + 1);
    let (dataset, method) = (DATASETS[dataset as usize], METHODS[method as usize]);
    let key = format!("{number:064x}");
    let mut evaluations = Vec::new();
    for classes in [Classes::Base, Classes::New] {
        let rows =
            predictions(images, &mut Stream::new(&["bench report", method, dataset, classes.as_str()]), seed);
        let (ending, bytes) = packed(predictions_csv(&rows));
        let path = format!("predictions/{key}-{dataset}-{classes}.csv{ending}");
        evaluations.push(Evaluation {
            dataset: dataset.to_owned(),
            classes,
            class_count: u64::from(CLASSES),
            correct: rows.iter().filter(|row| row.label == row.predicted).count() as u64,
            total: images,
            skipped: 0,
            predictions_sha256: store.write(&path, &bytes)?,
            predictions_path: path,
            images_sha256: None,
            classes_sha256: None,
        });
    }
    store.save(&record(key, (dataset, method, seed), evaluations))
}

fn predictions(images: u64, stream: &mut Stream, seed: u64) -> Vec<Prediction> {
    let mut own = Stream::new(&["bench report seed", &seed.to_string()]);
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

fn record(
    key: String,
    (dataset, method, seed): (&str, &str, u64),
    evaluations: Vec<Evaluation>,
) -> RunRecord {
    let training = Training {
        trainable_parameters: 1000,
        images: 16 * u64::from(CLASSES),
        skipped: 0,
        epochs: Vec::new(),
        parameters_path: format!("trained/{key}.safetensors"),
        parameters_sha256: String::new(),
        images_sha256: None,
        validation: ValidationUse::default(),
    };
    let cell = Cell {
        suite: SUITE.to_owned(),
        profile: PROFILE.to_owned(),
        dataset: dataset.to_owned(),
        method: method.to_owned(),
        variant: BTreeMap::new(),
        seed: Some(seed),
        shots: Some(16),
        train_classes: Classes::Base,
        limit: None,
    };
    RunRecord {
        schema_version: SCHEMA_VERSION,
        key,
        cell,
        outcome: Outcome::Complete,
        config: BTreeMap::new(),
        set_for_dataset: BTreeMap::new(),
        switches: BTreeMap::new(),
        training: Some(training),
        evaluations,
        measurements: Vec::new(),
        provenance: Provenance { data_kind: "made up".to_owned(), ..Provenance::default() },
        timing: Timing::default(),
        record_sha256: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_is_refused() {
        let refused = |cells, images| bench_report(ReportBench { cells, images }).unwrap_err().to_string();
        assert!(refused(1, 100).contains("time cells: 1 is less than 2"));
        assert!(refused(10, 0).contains("time images: 0"));
    }
}
