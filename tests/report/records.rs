//! Made-up run records for report and table tests: plausible accuracies, no real measurement.

use std::collections::BTreeMap;

use rpo_bench::data::Classes;
use rpo_bench::record::{
    Cell, Epoch, Evaluation, Outcome, Provenance, RunRecord, SCHEMA_VERSION, Timing, Training,
};
use rpo_bench::util::rng::Stream;

/// The eleven dataset ids, in the published order.
pub const DATASETS: [&str; 11] = [
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

/// The five method ids with made-up mean accuracies among base and new classes and a spread.
pub const METHODS: [(&str, f64, f64, f64); 5] = [
    ("zero_shot", 69.0, 74.0, 0.0),
    ("linear_probe", 76.0, 69.0, 1.0),
    ("coop", 82.5, 63.0, 2.5),
    ("cocoop", 80.5, 71.5, 1.5),
    ("rpo", 81.0, 75.0, 0.8),
];

/// A complete record of one cell, evaluated on (dataset, classes, correct, total).
pub fn record(
    method: &str,
    dataset: &str,
    seed: Option<u64>,
    shots: u32,
    evaluations: &[(&str, Classes, u64, u64)],
) -> RunRecord {
    let trained = seed.is_some();
    RunRecord {
        schema_version: SCHEMA_VERSION,
        key: String::new(),
        cell: Cell {
            suite: "base2new".to_owned(),
            profile: "vit_b16".to_owned(),
            dataset: dataset.to_owned(),
            method: method.to_owned(),
            variant: BTreeMap::new(),
            seed,
            shots: trained.then_some(shots),
            train_classes: Classes::Base,
            limit: None,
        },
        outcome: Outcome::Complete,
        config: BTreeMap::from([("epochs".to_owned(), "15".to_owned())]).into(),
        set_for_dataset: Default::default(),
        switches: BTreeMap::from([
            ("rpo.raw_class_names".to_owned(), "false".to_owned()),
            ("views".to_owned(), "shared".to_owned()),
        ])
        .into(),
        training: trained.then(|| training(method)),
        evaluations: evaluations.iter().map(|e| evaluation(method, e)).collect(),
        measurements: Vec::new(),
        provenance: provenance(dataset, trained),
        timing: Timing { train_secs: 12.0, evaluate_secs: 3.0, shared_secs: 1.5 },
        record_sha256: String::new(),
    }
    .keyed()
}

/// Gives a record the key that its content stands for in these tests.
pub trait Keyed {
    /// The record with a key made of its coordinates, variant and settings.
    fn keyed(self) -> Self;
}

impl Keyed for RunRecord {
    fn keyed(mut self) -> Self {
        let words = format!("{:?} {:?} {:?}", self.cell, self.config, self.switches);
        self.key = format!("{:016x}", Stream::new(&["key", &words]).bits());
        self
    }
}

fn training(method: &str) -> Training {
    let trainable_parameters = match method {
        "coop" => 2_048,
        "cocoop" => 35_360,
        "linear_probe" => 262_656,
        _ => 30_720,
    };
    let epoch = |e: u32| Epoch {
        learning_rate: if e == 0 { 1e-5 } else { 0.01 },
        steps: 4,
        mean_loss: 0.4 + 2.0 / f64::from(e + 1),
    };
    Training {
        skipped: 0,
        trainable_parameters,
        images: 160,
        epochs: (0..15).map(epoch).collect(),
        parameters_path: "prompts.safetensors".to_owned(),
        parameters_sha256: "c".repeat(64),
        images_sha256: None,
        validation: Default::default(),
    }
}

fn evaluation(method: &str, (dataset, classes, correct, total): &(&str, Classes, u64, u64)) -> Evaluation {
    Evaluation {
        dataset: (*dataset).to_owned(),
        classes: *classes,
        class_count: 10,
        correct: *correct,
        total: *total,
        skipped: 0,
        predictions_path: format!("{method}-{dataset}-{classes}.csv"),
        predictions_sha256: "d".repeat(64),
        images_sha256: None,
        classes_sha256: None,
    }
}

fn provenance(dataset: &str, trained: bool) -> Provenance {
    Provenance {
        version: "0.1.0".to_owned(),
        commit: Some("0123456789abcdef".to_owned()),
        dirty: Some(false),
        numerics_version: 1,
        features: vec!["default".to_owned()],
        lockfile_sha256: "1".repeat(64),
        device: "cpu".to_owned(),
        device_model: "Example CPU".to_owned(),
        dtype: "f32".to_owned(),
        decoder: "zune-jpeg 0.5".to_owned(),
        data_kind: "coop".to_owned(),
        weights_sha256: "a".repeat(64),
        split_sha256: format!("{:016x}", Stream::new(&["split", dataset]).bits()).repeat(4),
        draw_sha256: trained.then(|| "e".repeat(64)),
        command: "rpo-bench suite base2new --data <data> --clip <clip> --out <out>".to_owned(),
        finished_at: "2026-01-01T00:00:00Z".to_owned(),
        ..Provenance::default()
    }
}

/// A base-to-new suite over `datasets` and `seeds`, all five methods.
pub fn base2new(datasets: &[&str], seeds: &[u64]) -> Vec<RunRecord> {
    let mut records = Vec::new();
    for dataset in datasets {
        for (method, base, new, spread) in METHODS {
            let each: Vec<Option<u64>> =
                if method == "zero_shot" { vec![None] } else { seeds.iter().map(|s| Some(*s)).collect() };
            for seed in each {
                let draw = |half: &str, center: f64| {
                    let hard = Stream::new(&["dataset", dataset, half]).normal() * 12.0;
                    let own = Stream::new(&[method, dataset, half]).normal() * 2.0;
                    let noise = Stream::new(&[method, dataset, half, &format!("{seed:?}")]).normal();
                    let pct = (center + hard + own + spread * noise).clamp(5.0, 99.0);
                    (pct * 20.0).round() as u64
                };
                let halves = [
                    (*dataset, Classes::Base, draw("base", base), 2_000),
                    (*dataset, Classes::New, draw("new", new), 2_000),
                ];
                records.push(record(method, dataset, seed, 16, &halves));
            }
        }
    }
    records
}

/// Trained on ImageNet with all classes, evaluated there and on three shifted sets.
pub fn domain_shift() -> Vec<RunRecord> {
    let mut records = Vec::new();
    for (method, gain) in [("zero_shot", 0), ("coop", 30), ("rpo", 60)] {
        let seeds: &[Option<u64>] =
            if method == "zero_shot" { &[None] } else { &[Some(1), Some(2), Some(3)] };
        for &seed in seeds {
            let correct = |base: u64| base + gain + 7 * seed.unwrap_or(0);
            let all = |dataset, base| (dataset, Classes::All, correct(base), 2_000);
            let evaluations = [
                all("imagenet", 1_400),
                all("imagenetv2", 1_200),
                all("imagenet_a", 900),
                all("imagenet_r", 1_500),
            ];
            let mut record = record(method, "imagenet", seed, 16, &evaluations);
            record.cell.train_classes = Classes::All;
            records.push(record.keyed());
        }
    }
    records
}
