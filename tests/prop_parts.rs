//! Towers by parts are the towers in one piece: frozen features, logits, and gradients over frozen keys and values; and
//! their bits depend on the size of a part alone, not on how many threads there are.
//!
//! Parts run other matrix products, so they agree to rounding: about 1e-5 of the scale in f32, which a LayerNorm over the
//! few numbers of these models can magnify several times, and again in backward; and 1e-10 in f64, where a missing part
//! could not hide.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod cases;
mod common;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;
use rpo_bench::backbone::{Clip, Weights};
use rpo_bench::method::{ClassTexts, Method, Needs, Parameters, SettingsTable, find};
use rpo_bench::train::{frozen_pass, loss_and_gradients};
use rpo_bench::util::rng::Stream;

use cases::cases;
use common::{assert_close, class_prompts, normals, numbers, random_weights, tiny_config};

const CLASSES: usize = 5;
const IMAGES: usize = 3;
/// RPO's readers of both towers with and without a mask, CoOp's one beginning, CoCoOp's of every image.
const METHODS: [(&str, bool); 4] = [("rpo", true), ("rpo", false), ("coop", true), ("cocoop", true)];

struct Model {
    clip: Clip,
    prompts: Vec<Vec<u32>>,
    pixels: Tensor,
}

impl Model {
    fn new(dtype: DType, stream: &mut Stream) -> Self {
        let config = tiny_config(stream);
        let weights: Weights = random_weights(&config, dtype, stream);
        let side = config.image_size;
        let pixels = normals(&[IMAGES, 3, side, side], 1.0, dtype, stream);
        let prompts = class_prompts(&config, CLASSES, stream);
        Self { clip: Clip::new(config, &weights).unwrap(), prompts, pixels }
    }
}

fn method(id: &str, mask: bool) -> Box<dyn Method> {
    let entry = find(id).unwrap();
    let mut own = SettingsTable::split(entry.default_table().unwrap()).own;
    if id == "rpo" {
        own.insert("k".to_owned(), toml::Value::Integer(3));
        own.insert("mask".to_owned(), toml::Value::Boolean(mask));
    }
    (entry.build)(own).unwrap()
}

/// Random values for everything the method trains.
fn parameters(method: &dyn Method, model: &Model, dtype: DType, stream: &mut Stream) -> Parameters {
    let own = method.init(&model.clip, &ClassTexts::of(&model.prompts), None, stream).unwrap();
    let values = own.values().unwrap();
    let random =
        |(name, value): (&str, &Tensor)| (name.to_owned(), normals(value.dims(), 0.5, dtype, stream));
    let values: Vec<(String, Tensor)> = values.iter().map(random).collect();
    Parameters::new(values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()).unwrap()
}

/// Pooled features, logits without a graph, then the gradients of every parameter.
fn outcome(method: &dyn Method, model: &Model, parameters: &Parameters, part_rows: usize) -> Vec<Tensor> {
    let clip = Arc::new(model.clip.clone().with_part_rows(part_rows));
    let needs = Needs { pooled: true, ..method.needs() };
    let images = frozen_pass(&clip, model.pixels.clone(), needs).unwrap();
    let head = method.bind(&clip, &ClassTexts::of(&model.prompts)).unwrap();
    let labels = Tensor::new(&[4u32, 1, 0], &Device::Cpu).unwrap();
    let logits = head.classifier(&parameters.values().unwrap()).unwrap().logits(&images).unwrap();
    let step = loss_and_gradients(head.as_ref(), parameters, &images, &labels, (0, 0)).unwrap();
    [vec![images.pooled().unwrap().clone(), logits], step.tensors].concat()
}

fn largest(tensor: &Tensor) -> f64 {
    numbers(tensor).iter().fold(0.0, |acc: f64, x| acc.max(x.abs()))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn towers_by_parts_are_the_towers_in_one_piece(seed: u64, part_rows in 1usize..40) {
        for (dtype, tolerances) in [(DType::F32, [5e-5, 5e-4]), (DType::F64, [1e-10; 2])] {
            let mut stream = Stream::new(&["parts", &seed.to_string()]);
            let model = Model::new(dtype, &mut stream);
            for (id, mask) in METHODS {
                let method = method(id, mask);
                let parameters = parameters(method.as_ref(), &model, dtype, &mut stream);
                let whole = outcome(method.as_ref(), &model, &parameters, usize::MAX);
                let cut = outcome(method.as_ref(), &model, &parameters, part_rows);
                prop_assert_eq!(whole.len(), cut.len());
                for (index, (whole, cut)) in whole.iter().zip(cut).enumerate() {
                    let scale = largest(whole).max(1e-3);
                    let name = format!("{id} {dtype:?} tensor {index}");
                    let tolerance = tolerances[usize::from(index > 1)];
                    assert_close(&name, &(cut / scale).unwrap(), &(whole / scale).unwrap(), tolerance);
                }
            }
        }
    }
}

/// The comparison above can fail: an image or a class that is another's shows in every outcome it should show in.
#[test]
fn a_part_in_anothers_place_shows() {
    let mut stream = Stream::new(&["parts", "missing"]);
    let mut model = Model::new(DType::F64, &mut stream);
    for (id, mask) in METHODS {
        let method = method(id, mask);
        let parameters = parameters(method.as_ref(), &model, DType::F64, &mut stream);
        let whole = outcome(method.as_ref(), &model, &parameters, 1);
        let differ = |other: &[Tensor]| -> Vec<bool> {
            let pairs = whole.iter().zip(other);
            pairs.map(|(a, b)| largest(&(a - b).unwrap()) > 1e-6 * largest(a)).collect()
        };
        let (prompts, pixels) = (model.prompts.clone(), model.pixels.clone());
        model.prompts[0] = prompts[3].clone();
        let by_class = differ(&outcome(method.as_ref(), &model, &parameters, 1));
        model.prompts = prompts;
        model.pixels = Tensor::cat(&[1, 0, 2].map(|i| pixels.narrow(0, i, 1).unwrap()), 0).unwrap();
        let by_image = differ(&outcome(method.as_ref(), &model, &parameters, 1));
        model.pixels = pixels;
        // Not in every gradient: CoCoOp's rectifier shuts some off.
        let shows = |found: &[bool]| found[1] && found[2..].contains(&true);
        assert!(!by_class[0] && shows(&by_class), "{id} {mask}: {by_class:?}");
        assert!(by_image[0] && shows(&by_image), "{id} {mask}: {by_image:?}");
    }
}

/// Threads take parts as they come; what comes out does not tell. Another size of a part does, or nothing could.
#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let mut stream = Stream::new(&["parts", "threads"]);
    let model = Model::new(DType::F32, &mut stream);
    let mut sizes_differ = false;
    for (id, mask) in METHODS {
        let method = method(id, mask);
        let parameters = parameters(method.as_ref(), &model, DType::F32, &mut stream);
        let bits = |threads: usize, part_rows: usize| -> Vec<Vec<u64>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let tensors = pool.install(|| outcome(method.as_ref(), &model, &parameters, part_rows));
            tensors.iter().map(|t| numbers(t).into_iter().map(f64::to_bits).collect()).collect()
        };
        let one = bits(1, 7);
        for threads in [2, 3] {
            assert_eq!(bits(threads, 7), one, "{id} {mask} on {threads} threads");
        }
        sizes_differ |= bits(1, usize::MAX) != one;
    }
    assert!(sizes_differ, "no last bit depends on the size of a part");
}
