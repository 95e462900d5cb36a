//! The cached readers are the naive masked path, and every reader is independent of the others.
//!
//! Cached and naive run other matrix products, so they agree to rounding: 1e-5 of the scale in f32, 1e-9 in
//! f64, where a missing term could not hide. Bits are compared only at one shape.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod cases;
mod common;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;
use rpo_bench::backbone::{Clip, TextLayout};
use rpo_bench::method::rpo_full::{FullSequences, Visibility};
use rpo_bench::method::{ClassTexts, Head, ImageBatch, Method, Parameters, SettingsTable, find};
use rpo_bench::train::loss_and_gradients;
use rpo_bench::util::rng::Stream;

use cases::cases;
use common::{assert_close, class_prompts, normals, numbers, random_weights, tiny_config};

/// A random model, two images and three classes.
struct Model {
    clip: Arc<Clip>,
    prompts: Vec<Vec<u32>>,
    images: ImageBatch,
    labels: Tensor,
}

impl Model {
    fn new(dtype: DType, stream: &mut Stream) -> Self {
        let config = tiny_config(stream);
        let weights = random_weights(&config, dtype, stream);
        let side = config.image_size;
        let pixels = normals(&[2, 3, side, side], 1.0, dtype, stream);
        let prompts = class_prompts(&config, 3, stream);
        let clip = Arc::new(Clip::new(config, &weights).unwrap());
        let frozen = clip.vision.encode(&pixels, true).unwrap();
        let entering = clip.vision.transformer().unwrap().entering(&pixels).unwrap();
        let labels = Tensor::new(&[2u32, 0], &Device::Cpu).unwrap();
        Self {
            clip,
            prompts,
            images: ImageBatch { frozen: Some(frozen), entering: Some(entering), pixels: Some(pixels) },
            labels,
        }
    }

    fn widths(&self) -> [usize; 2] {
        [self.clip.config.text.width, self.clip.config.vision.width]
    }

    /// Features of the readers `[classes, k, joint]`.
    fn read_text(&self, prompts: &Tensor) -> Tensor {
        let layout = TextLayout::shared(&self.prompts, self.clip.config.context_length).unwrap();
        let texts = self.clip.text.encode(&layout).unwrap();
        self.clip.text.read(prompts, 1, &texts.cache, &texts.keys).unwrap()
    }

    /// Features of the readers `[images, k, joint]`.
    fn read_images(&self, prompts: &Tensor) -> Tensor {
        let frozen = self.images.frozen.as_ref().unwrap();
        self.clip
            .vision
            .transformer()
            .unwrap()
            .read(&prompts.unsqueeze(0).unwrap(), 1, (frozen.cache.as_ref().unwrap(), frozen.tokens))
            .unwrap()
    }

    fn readers(&self, prompts: [&Tensor; 2]) -> [Tensor; 2] {
        [self.read_text(prompts[0]), self.read_images(prompts[1])]
    }
}

fn cached_rpo(k: usize) -> Box<dyn Method> {
    let entry = find("rpo").unwrap();
    let mut own = SettingsTable::split(entry.default_table().unwrap()).own;
    own.insert("k".to_owned(), toml::Value::Integer(k as i64));
    (entry.build)(own).unwrap()
}

/// Logits, then the gradients of the text and the image prompts.
fn outcome(head: &dyn Head, parameters: &Parameters, model: &Model) -> Vec<Tensor> {
    let logits = head.classifier(&parameters.values().unwrap()).unwrap().logits(&model.images).unwrap();
    let step = loss_and_gradients(head, parameters, &model.images, &model.labels, (0, 0)).unwrap();
    [vec![logits], step.tensors].concat()
}

fn cached_and_naive(dtype: DType, k: usize, stream: &mut Stream) -> Vec<(&'static str, Tensor, Tensor)> {
    let model = Model::new(dtype, stream);
    let [text, image] = model.widths().map(|width| normals(&[k, width], 1.0, dtype, stream));
    let parameters = Parameters::new(vec![("text_prompt", text), ("visual_prompt", image)]).unwrap();
    let cached = cached_rpo(k).bind(&model.clip, &ClassTexts::of(&model.prompts)).unwrap();
    let naive = FullSequences::new(&model.clip, &model.prompts, Visibility::ReadOnly).unwrap();
    let names = ["logits", "gradient of text_prompt", "gradient of visual_prompt"];
    let outcomes =
        outcome(cached.as_ref(), &parameters, &model).into_iter().zip(outcome(&naive, &parameters, &model));
    names.into_iter().zip(outcomes).map(|(name, (cached, naive))| (name, cached, naive)).collect()
}

fn largest(tensor: &Tensor) -> f64 {
    numbers(tensor).iter().fold(0.0, |acc: f64, x| acc.max(x.abs()))
}

fn bits(tensor: &Tensor) -> Vec<u64> {
    numbers(tensor).into_iter().map(f64::to_bits).collect()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn cached_readers_are_the_naive_path(seed: u64, k in 1usize..5) {
        let mut stream = Stream::new(&["cached", &seed.to_string()]);
        for (name, cached, naive) in cached_and_naive(DType::F32, k, &mut stream) {
            assert_close(name, &cached, &naive, 1e-5);
        }
        for (name, cached, naive) in cached_and_naive(DType::F64, k, &mut stream) {
            let scale = largest(&naive);
            prop_assert!(scale > 0.0, "{} is 0 throughout", name);
            assert_close(name, &(cached / scale).unwrap(), &(naive / scale).unwrap(), 1e-9);
        }
    }

    #[test]
    fn a_reader_depends_on_no_other(seed: u64, k in 2usize..5, kept in 0usize..4) {
        let mut stream = Stream::new(&["independent", &seed.to_string()]);
        let (model, kept) = (Model::new(DType::F32, &mut stream), kept % k);
        let mut readers = |row: &[Tensor; 2]| {
            let prompts = [0, 1].map(|tower| {
                let width = model.widths()[tower];
                let other = |count, stream: &mut Stream| normals(&[count, width], 10.0, DType::F32, stream);
                let (before, after) = (other(kept, &mut stream), other(k - kept - 1, &mut stream));
                Tensor::cat(&[&before, &row[tower], &after], 0).unwrap()
            });
            model.readers([&prompts[0], &prompts[1]])
        };
        let mut fixed = Stream::new(&["kept", &seed.to_string()]);
        let row = model.widths().map(|width| normals(&[1, width], 1.0, DType::F32, &mut fixed));
        for (a, b) in readers(&row).iter().zip(readers(&row)) {
            let at = |t: &Tensor, j| bits(&t.narrow(1, j, 1).unwrap());
            prop_assert_eq!(at(a, kept), at(&b, kept));
            let other = (kept + 1) % k;
            prop_assert_ne!(at(a, other), at(&b, other), "the other prompts did not differ");
        }
    }

    #[test]
    fn permuted_prompts_give_permuted_readers(seed: u64, k in 2usize..5) {
        let mut stream = Stream::new(&["permuted", &seed.to_string()]);
        let model = Model::new(DType::F32, &mut stream);
        let prompts = model.widths().map(|width| normals(&[k, width], 1.0, DType::F32, &mut stream));
        let mut order: Vec<u32> = (0..k as u32).collect();
        stream.shuffle(&mut order);
        let order = Tensor::new(order, &Device::Cpu).unwrap();
        let permuted = [0, 1].map(|i: usize| prompts[i].index_select(&order, 0).unwrap());
        let plain = model.readers([&prompts[0], &prompts[1]]);
        for (ours, plain) in model.readers([&permuted[0], &permuted[1]]).iter().zip(plain) {
            assert_close("permuted readers", ours, &plain.index_select(&order, 1).unwrap(), 1e-5);
        }
    }
}
