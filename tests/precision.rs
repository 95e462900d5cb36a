//! `--dtype`: products with frozen weights are rounded, in every path and in both directions, and nothing else is.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod common;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use rpo_bench::backbone::{Clip, Precision, Weights};
use rpo_bench::method::rpo_full::{FullSequences, Visibility};
use rpo_bench::method::{ClassTexts, Head, ImageBatch, Parameters, find};
use rpo_bench::record::{RunRecord, Store};
use rpo_bench::suite::{Plan, RunOptions, SuiteFile, World, run};
use rpo_bench::train::{TrainError, frozen_pass, loss_and_gradients};
use rpo_bench::util::rng::Stream;

use common::{assert_close, class_prompts, normals, numbers, random_weights, tiny_config};
use rpo_bench::method::Needs;

struct Model {
    clip: Clip,
    prompts: Vec<Vec<u32>>,
    pixels: Tensor,
    prompt_rows: [Tensor; 2],
}

fn model(scale: f64) -> Model {
    let mut stream = Stream::new(&["precision"]);
    let config = tiny_config(&mut stream);
    let weights = random_weights(&config, DType::F32, &mut stream);
    let scaled = weights.iter().map(|(name, tensor)| {
        let large = name.ends_with("fc1.weight");
        (name.to_owned(), if large { (tensor * scale).unwrap() } else { tensor.clone() })
    });
    let weights = Weights::new("scaled", scaled.collect());
    let side = config.image_size;
    let pixels = normals(&[2, 3, side, side], 1.0, DType::F32, &mut stream);
    let prompts = class_prompts(&config, 3, &mut stream);
    let prompt_rows = [config.text.width, config.vision.width]
        .map(|width| normals(&[2, width], 1.0, DType::F32, &mut stream));
    Model { clip: Clip::new(config, &weights).unwrap(), prompts, pixels, prompt_rows }
}

impl Model {
    fn parameters(&self) -> Parameters {
        let [text, image] = self.prompt_rows.clone();
        Parameters::new(vec![("text_prompt", text), ("visual_prompt", image)]).unwrap()
    }

    fn images(&self, clip: &Clip) -> ImageBatch {
        frozen_pass(
            clip,
            self.pixels.clone(),
            Needs { pooled: true, tokens: true, entering: true, pixels: true },
        )
        .unwrap()
    }

    /// Logits, then the gradients of both prompts.
    fn outcome(&self, clip: &Arc<Clip>, head: &dyn Head) -> Result<Vec<Tensor>, TrainError> {
        let (parameters, images) = (self.parameters(), self.images(clip));
        let labels = Tensor::new(&[2u32, 0], &Device::Cpu).unwrap();
        let step = loss_and_gradients(head, &parameters, &images, &labels, (0, 0))?;
        let logits = head.classifier(&parameters.values().unwrap()).unwrap().logits(&images).unwrap();
        Ok([vec![logits], step.tensors].concat())
    }

    fn cached(&self, precision: Precision) -> Result<Vec<Tensor>, TrainError> {
        let clip = Arc::new(self.clip.rounded(precision).unwrap());
        let entry = find("rpo").unwrap();
        let own = rpo_bench::method::SettingsTable::split(entry.default_table().unwrap()).own;
        let head = (entry.build)(own).unwrap().bind(&clip, &ClassTexts::of(&self.prompts)).unwrap();
        self.outcome(&clip, head.as_ref())
    }

    fn naive(&self, precision: Precision) -> Vec<Tensor> {
        let clip = Arc::new(self.clip.rounded(precision).unwrap());
        let head = FullSequences::new(&clip, &self.prompts, Visibility::ReadOnly).unwrap();
        self.outcome(&clip, &head).unwrap()
    }
}

/// Euclidean length of the difference over that of `expected`.
fn distance(ours: &Tensor, expected: &Tensor) -> f64 {
    let length = |values: Vec<f64>| values.iter().map(|x| x * x).sum::<f64>().sqrt();
    let difference = numbers(ours).iter().zip(numbers(expected)).map(|(a, b)| a - b).collect();
    length(difference) / length(numbers(expected))
}

#[test]
fn rounding_is_small_seen_in_gradients_and_absent_in_f32() {
    let model = model(1.0);
    let exact = model.cached(Precision::F32).unwrap();
    // Unit roundoffs 2⁻⁹ and 2⁻¹², magnified by a few layers and the logit scale.
    for (precision, most) in [(Precision::Bf16, 0.1), (Precision::F16, 0.02)] {
        for (index, (rounded, exact)) in model.cached(precision).unwrap().iter().zip(&exact).enumerate() {
            let distance = distance(rounded, exact);
            assert!(distance > 1e-6 && distance < most, "{precision}, tensor {index}: {distance}");
            assert_eq!(rounded.dtype(), DType::F32);
        }
    }
    let plain = model.clip.rounded(Precision::F32).unwrap();
    let features = |clip: &Clip| model.images(clip).pooled().unwrap().clone();
    assert_close("f32", &features(&plain), &features(&model.clip), 0.0);
}

/// The fused passes and the graph of single operations round alike: their distance is far below rounding's own.
#[test]
fn cached_and_naive_paths_round_alike() {
    let model = model(1.0);
    for precision in [Precision::Bf16, Precision::F16] {
        let exact = model.cached(Precision::F32).unwrap();
        let pairs = model.cached(precision).unwrap().into_iter().zip(model.naive(precision));
        for ((cached, naive), exact) in pairs.zip(&exact) {
            let (apart, rounding) = (distance(&cached, &naive), distance(&naive, exact));
            assert!(apart < 0.5 * rounding, "{precision}: {apart} apart, rounding {rounding}");
        }
    }
}

/// Beyond f16's 65 504 a product is infinite: an error that names what is not finite, in f16 alone.
#[test]
fn an_overflow_is_an_error() {
    let model = model(1e6);
    assert!(model.cached(Precision::Bf16).is_ok());
    let error = model.cached(Precision::F16).unwrap_err();
    assert!(matches!(error, TrainError::NotFinite { .. }), "{error}");
}

fn suite_records(precision: Precision) -> Vec<RunRecord> {
    let world = World::open(None, None, &Device::Cpu).unwrap().rounded(precision).unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut suite = SuiteFile::find("smoke").unwrap().for_profile("pocket");
    suite.datasets.truncate(1);
    suite.methods = vec!["zero_shot".to_owned(), "coop".to_owned()];
    let options = RunOptions::quiet(out.path());
    let name = suite.name.clone();
    run(&world, &Plan::new(suite, &[], Some(2)).unwrap(), &options).unwrap();
    let mut records = Store::new(out.path(), &name, "pocket").all().unwrap();
    records.sort_by_key(|record| (record.cell.method.clone(), record.cell.seed));
    records
}

#[test]
fn records_say_the_format_and_never_share_a_key() {
    let [exact, rounded] = [Precision::F32, Precision::Bf16].map(suite_records);
    assert!(!exact.is_empty() && exact.len() == rounded.len());
    for (exact, rounded) in exact.iter().zip(&rounded) {
        assert_eq!((exact.provenance.dtype.as_str(), rounded.provenance.dtype.as_str()), ("f32", "bf16"));
        assert_ne!(exact.key, rounded.key);
        let hashes = |record: &RunRecord| record.evaluations[0].predictions_sha256.clone();
        assert_ne!(hashes(exact), hashes(rounded), "nothing was rounded");
    }
}
