//! Steps cut into chunks of rows are the step in one piece: logits, and the gradients of every parameter.
//!
//! Chunks run other matrix products, so they agree to rounding: 3e-5 of the scale in f32, where a LayerNorm over
//! few numbers magnifies it once more in backward, and 1e-10 in f64, where a missing chunk could not hide.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod cases;
mod common;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;
use rpo_bench::backbone::Clip;
use rpo_bench::method::{ClassTexts, ImageBatch, Method, Parameters, SettingsTable, find};
use rpo_bench::train::loss_and_gradients;
use rpo_bench::util::rng::Stream;

use cases::cases;
use common::{assert_close, class_prompts, normals, numbers, random_weights, tiny_config};

const CLASSES: usize = 5;
const METHODS: [&str; 3] = ["rpo", "coop", "cocoop"];

struct Model {
    clip: Clip,
    prompts: Vec<Vec<u32>>,
    images: ImageBatch,
}

impl Model {
    fn new(dtype: DType, stream: &mut Stream) -> Self {
        let config = tiny_config(stream);
        let weights = random_weights(&config, dtype, stream);
        let side = config.image_size;
        let pixels = normals(&[2, 3, side, side], 1.0, dtype, stream);
        let prompts = class_prompts(&config, CLASSES, stream);
        let clip = Clip::new(config, &weights).unwrap();
        let frozen = clip.vision.encode(&pixels, true).unwrap();
        Self { clip, prompts, images: ImageBatch { frozen: Some(frozen), entering: None, pixels: None } }
    }
}

fn method(id: &str) -> Box<dyn Method> {
    let entry = find(id).unwrap();
    let mut own = SettingsTable::split(entry.default_table().unwrap()).own;
    if id == "rpo" {
        own.insert("k".to_owned(), toml::Value::Integer(3));
    }
    (entry.build)(own).unwrap()
}

/// Random values for everything `id` trains.
fn parameters(id: &str, model: &Model, dtype: DType, stream: &mut Stream) -> Parameters {
    let own = method(id).init(&model.clip, &ClassTexts::of(&model.prompts), None, stream).unwrap();
    let values = own.values().unwrap();
    let random =
        |(name, value): (&str, &Tensor)| (name.to_owned(), normals(value.dims(), 0.5, dtype, stream));
    let values: Vec<(String, Tensor)> = values.iter().map(random).collect();
    Parameters::new(values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()).unwrap()
}

/// Logits without a graph, then the gradients of every parameter.
fn outcome(id: &str, model: &Model, parameters: &Parameters, max_rows: usize) -> Vec<Tensor> {
    let clip = Arc::new(model.clip.clone().with_max_rows(max_rows));
    let head = method(id).bind(&clip, &ClassTexts::of(&model.prompts)).unwrap();
    let labels = Tensor::new(&[4u32, 1], &Device::Cpu).unwrap();
    let logits = head.classifier(&parameters.values().unwrap()).unwrap().logits(&model.images).unwrap();
    let step = loss_and_gradients(head.as_ref(), parameters, &model.images, &labels, (0, 0)).unwrap();
    [vec![logits], step.tensors].concat()
}

fn largest(tensor: &Tensor) -> f64 {
    numbers(tensor).iter().fold(0.0, |acc: f64, x| acc.max(x.abs()))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_step_in_chunks_is_the_step_in_one_piece(seed: u64, max_rows in 1usize..12) {
        for (dtype, tolerances) in [(DType::F32, [3e-5, 1e-4]), (DType::F64, [1e-10; 2])] {
            let mut stream = Stream::new(&["chunks", &seed.to_string()]);
            let model = Model::new(dtype, &mut stream);
            for id in METHODS {
                let parameters = parameters(id, &model, dtype, &mut stream);
                let whole = outcome(id, &model, &parameters, usize::MAX);
                let cut = outcome(id, &model, &parameters, max_rows);
                prop_assert_eq!(whole.len(), cut.len());
                for (index, (whole, cut)) in whole.iter().zip(cut).enumerate() {
                    let scale = largest(whole).max(1e-3);
                    let name = format!("{id} {dtype:?} tensor {index}");
                    let tolerance = tolerances[index.min(1)];
                    assert_close(&name, &(cut / scale).unwrap(), &(whole / scale).unwrap(), tolerance);
                }
            }
        }
    }
}

/// The comparison above can fail: half of the classes do not give the gradient of all.
#[test]
fn a_missing_chunk_shows() {
    let mut stream = Stream::new(&["chunks", "missing"]);
    let mut model = Model::new(DType::F64, &mut stream);
    for id in METHODS {
        let parameters = parameters(id, &model, DType::F64, &mut stream);
        let whole = outcome(id, &model, &parameters, 1);
        let all = model.prompts.clone();
        // The label of the first image is the last class: it takes another class's place.
        model.prompts[0] = all[3].clone();
        let other = outcome(id, &model, &parameters, 1);
        model.prompts = all;
        let differ =
            whole.iter().zip(&other).skip(1).any(|(a, b)| largest(&(a - b).unwrap()) > 1e-6 * largest(a));
        assert!(differ, "{id}");
    }
}
