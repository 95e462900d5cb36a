//! The engine's inner pieces at ViT-B/16's shapes, a block or two: what the whole step's figures are made of.
//!
//! Random weights; single numbers in `benches/README.md`. Compare ratios, not times.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use rpo_bench::backbone::nn::{Attend, AttentionPlan, Linear, attend};
use rpo_bench::backbone::{Activation, Clip, ClipConfig, TextLayout, TowerConfig, Weights, expected_tensors};
use rpo_bench::util::rng::Stream;

const CLASSES: usize = 50;
const PROMPTS: usize = 24;
const TOKENS: usize = 197;

fn normals(shape: &[usize], scale: f64, name: &str) -> Tensor {
    let mut stream = Stream::new(&["bench", name]);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| (scale * stream.normal()) as f32).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// ViT-B/16 cut to two blocks a tower, with a small vocabulary.
fn two_blocks() -> Clip {
    let tower = |width: usize, heads| TowerConfig {
        width,
        layers: 2,
        heads,
        mlp_width: 4 * width,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
    };
    let config = ClipConfig {
        vision: tower(768, 12),
        text: tower(512, 8),
        image_size: 224,
        patch_size: 16,
        vocab_size: 100,
        context_length: 77,
        projection_dim: 512,
        resnet: None,
    };
    let mut tensors = BTreeMap::new();
    for (name, shape) in expected_tensors(&config) {
        let tensor = match name.as_str() {
            n if n.contains("norm") && n.ends_with("weight") => Tensor::ones(shape, DType::F32, &Device::Cpu),
            n if n.ends_with("bias") => Tensor::zeros(shape, DType::F32, &Device::Cpu),
            n => Ok(normals(&shape, 0.02, n)),
        };
        tensors.insert(name, tensor.unwrap());
    }
    Clip::new(config, &Weights::new("random weights", tensors)).unwrap()
}

/// SOS, four words, a name of one to four tokens, full stop, EOS.
fn prompts() -> Vec<Vec<u32>> {
    let name = |class: u32| (0..=class % 4).map(move |i| 10 + class + i);
    (0..CLASSES as u32)
        .map(|class| [1, 2, 3, 4, 5].into_iter().chain(name(class)).chain([6, 99]).collect())
        .collect()
}

fn frozen_linear(c: &mut Criterion) {
    let layer = Linear::new(normals(&[3072, 768], 0.02, "weight"), Some(normals(&[3072], 0.02, "bias")));
    for rows in [96, 1200, 3152] {
        let x = normals(&[rows, 768], 1.0, "rows");
        c.bench_function(&format!("frozen linear 768 to 3072, {rows} rows"), |b| {
            b.iter(|| black_box(layer.forward(&x).unwrap()));
        });
    }
}

/// 24 readers of each of 4 images over their 197 tokens; forward, then forward and backward.
fn reader_attention(c: &mut Criterion) {
    let plan = Arc::new(AttentionPlan::image_readers(PROMPTS, 1, 4, TOKENS).unwrap());
    let cached = normals(&[4 * TOKENS, 2 * 768], 1.0, "keys and values");
    let call = || Attend { plan: plan.clone(), heads: 12, cached: Some(cached.clone()) };
    let q = normals(&[4 * PROMPTS, 768], 1.0, "queries");
    c.bench_function("reader attention, 96 over 197, forward", |b| {
        b.iter(|| black_box(attend(&q, None, call()).unwrap()));
    });
    let var = Var::from_tensor(&q).unwrap();
    c.bench_function("reader attention, 96 over 197, forward and backward", |b| {
        b.iter(|| attend(var.as_tensor(), None, call()).unwrap().sum_all().unwrap().backward().unwrap());
    });
}

/// Two text blocks over 50 prompts: all positions of every class, up to EOS, and with the beginning shared.
fn prefix_pass(c: &mut Criterion) {
    let clip = two_blocks();
    let padded: Vec<Vec<u32>> = prompts()
        .into_iter()
        .map(|prompt| prompt.into_iter().chain(std::iter::repeat(0)).take(77).collect())
        .collect();
    let cases =
        [("all 77 positions", padded, 0), ("up to EOS", prompts(), 0), ("shared prefix", prompts(), 5)];
    for (name, prompts, prefix) in cases {
        let layout = TextLayout::new(&prompts, prefix, 77).unwrap();
        let start = clip.text.embed_prefix(&layout).unwrap().unsqueeze(0).unwrap();
        c.bench_function(&format!("two text blocks, 50 classes, {name}"), |b| {
            b.iter(|| black_box(clip.text.encode_prefixed(&start, &layout).unwrap()));
        });
    }
}

/// Two text blocks of 50 x 24 readers, forward and backward, in one piece and in two passes of four chunks.
fn two_pass(c: &mut Criterion) {
    let clip = two_blocks();
    let layout = TextLayout::shared(&prompts(), 77).unwrap();
    let texts = clip.text.encode(&layout).unwrap();
    let var = Var::from_tensor(&normals(&[PROMPTS, 512], 0.5, "prompts")).unwrap();
    for (name, max_rows) in [("in one piece", usize::MAX), ("in 4 chunks of two passes", 300)] {
        let clip = clip.clone().with_max_rows(max_rows);
        c.bench_function(&format!("two blocks of text readers, 1 200 rows, {name}"), |b| {
            b.iter(|| {
                let rows = clip.text.read(var.as_tensor(), 1, &texts.cache, &texts.keys).unwrap();
                rows.sum_all().unwrap().backward().unwrap()
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = frozen_linear, reader_attention, prefix_pass, two_pass
}
criterion_main!(benches);
