//! What must hold on a GPU. Ignored everywhere else, and so never counted as passed.
//!
//!     cargo test --release --features cuda --test cuda -- --ignored

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use rpo_bench::backbone::{Clip, Precision, Weights, open_card};
use rpo_bench::check::parity::check_folder;
use rpo_bench::method::{ClassTexts, Needs, Parameters, SettingsTable, find};
use rpo_bench::train::{frozen_pass, loss_and_gradients};
use rpo_bench::util::rng::Stream;

use common::{assert_close, class_prompts, normals, numbers, random_weights, tiny_config};

const METHODS: [&str; 4] = ["rpo", "coop", "cocoop", "linear_probe"];

fn gpu() -> Device {
    open_card(0).unwrap()
}

/// Gradients and logits of one step of a method on a random model, one after another.
fn step(id: &str, device: &Device, precision: Precision, max_rows: usize) -> Tensor {
    let mut stream = Stream::new(&["cuda", id]);
    let config = tiny_config(&mut stream);
    let weights: Weights = random_weights(&config, DType::F32, &mut stream);
    let side = config.image_size;
    let pixels = normals(&[2, 3, side, side], 1.0, DType::F32, &mut stream).to_device(device).unwrap();
    let prompts = class_prompts(&config, 5, &mut stream);
    let clip = Clip::new(config, &weights.to(device, DType::F32).unwrap()).unwrap();
    let clip = Arc::new(clip.rounded(precision).unwrap().with_max_rows(max_rows));
    let entry = find(id).unwrap();
    let method = (entry.build)(SettingsTable::split(entry.default_table().unwrap()).own).unwrap();
    let parameters: Parameters = method.init(&clip, &ClassTexts::of(&prompts), None, &mut stream).unwrap();
    let images = frozen_pass(&clip, pixels, Needs::TOKENS.or(Needs::POOLED)).unwrap();
    let labels = Tensor::new(&[4u32, 1], device).unwrap();
    let head = method.bind(&clip, &ClassTexts::of(&prompts)).unwrap();
    let step = loss_and_gradients(head.as_ref(), &parameters, &images, &labels, (0, 0)).unwrap();
    let logits = head.classifier(&parameters.values().unwrap()).unwrap().logits(&images).unwrap();
    let all = step.tensors.iter().chain([&logits]);
    let all: Vec<f64> = all.flat_map(|t| numbers(&t.to_device(&Device::Cpu).unwrap())).collect();
    Tensor::from_vec(all.clone(), all.len(), &Device::Cpu).unwrap()
}

fn distance(ours: &Tensor, expected: &Tensor) -> f64 {
    let length = |t: &Tensor| numbers(t).iter().map(|x| x * x).sum::<f64>().sqrt();
    length(&(ours - expected).unwrap()) / length(expected)
}

#[test]
#[ignore = "needs a GPU"]
fn the_golden_numbers_hold_on_the_gpu() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny_clip");
    let report = check_folder(&folder, &gpu()).unwrap();
    let failed: Vec<_> = report.checks.iter().filter(|check| !check.pass).map(|check| &check.name).collect();
    assert!(report.pass && failed.is_empty(), "{failed:?}");
}

#[test]
#[ignore = "needs a GPU"]
fn a_step_on_the_gpu_is_the_step_on_the_cpu_and_repeats_to_the_bit() {
    for id in METHODS {
        let ours = step(id, &gpu(), Precision::F32, usize::MAX);
        assert_close(id, &ours, &step(id, &Device::Cpu, Precision::F32, usize::MAX), 1e-4);
        let again = step(id, &gpu(), Precision::F32, usize::MAX);
        assert_eq!(numbers(&ours), numbers(&again), "{id}");
    }
}

#[test]
#[ignore = "needs a GPU"]
fn rounded_products_and_chunks_agree_with_the_cpu() {
    for id in METHODS {
        for precision in [Precision::Bf16, Precision::F16] {
            let exact = step(id, &Device::Cpu, Precision::F32, usize::MAX);
            let far = distance(&step(id, &gpu(), precision, usize::MAX), &exact);
            assert!(far > 1e-6 && far < 0.2, "{id} {precision}: {far}");
        }
        let whole = step(id, &gpu(), Precision::F32, usize::MAX);
        let far = distance(&step(id, &gpu(), Precision::F32, 7), &whole);
        assert!(far < 1e-4, "{id} in chunks: {far}");
    }
}
