//! What must hold of the methods beyond their golden numbers: where one becomes another, where prompts are gone, that prompts
//! inside a tower are what the naive path with a hook computes, and that a step multiplies what its method says.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod becoming;
#[path = "../common/mod.rs"]
mod common;
mod inserted;
mod multiplied;
mod weights;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use rpo_bench::backbone::{Clip, ClipConfig};
use rpo_bench::method::{
    ClassTexts, FixedShots, ImageBatch, Method, Named, Needs, Parameters, SettingsTable, find,
};
use rpo_bench::train::{Gradients, frozen_pass, loss_and_gradients};
use rpo_bench::util::rng::Stream;

use common::{class_prompts, normals, numbers, random_weights, tiny_config};

const CLASSES: usize = 4;
const EVERYTHING: Needs = Needs { pooled: true, tokens: true, entering: true, pixels: true };

struct Task {
    clip: Arc<Clip>,
    texts: ClassTexts,
    images: ImageBatch,
    labels: Tensor,
    shots: FixedShots,
}

fn config(stream: &mut Stream) -> ClipConfig {
    let mut config = tiny_config(stream);
    (config.vision.layers, config.text.layers) = (3, 3);
    config
}

impl Task {
    fn new(seed: &str) -> Self {
        let mut stream = Stream::new(&["zoo", seed]);
        let config = config(&mut stream);
        Self::of(config, stream)
    }

    fn of(config: ClipConfig, mut stream: Stream) -> Self {
        let weights = random_weights(&config, DType::F32, &mut stream);
        let texts = ClassTexts::of(&class_prompts(&config, CLASSES, &mut stream));
        let pixels = normals(&[3, 3, config.image_size, config.image_size], 1.0, DType::F32, &mut stream);
        let shots = FixedShots::random(CLASSES, config.projection_dim, &Device::Cpu).unwrap();
        let clip = Arc::new(Clip::new(config, &weights).unwrap());
        let images = frozen_pass(&clip, pixels, EVERYTHING).unwrap();
        Self { clip, texts, images, labels: Tensor::new(&[0u32, 3, 1], &Device::Cpu).unwrap(), shots }
    }

    fn init(&self, method: &dyn Method) -> Parameters {
        method.init(&self.clip, &self.texts, Some(&self.shots), &mut Stream::new(&["init"])).unwrap()
    }

    fn logits(&self, method: &dyn Method, values: &Named) -> Vec<f64> {
        let head = method.bind(&self.clip, &self.texts).unwrap();
        numbers(&head.classifier(values).unwrap().logits(&self.images).unwrap())
    }

    /// Initial parameters, moved by noise of this spread.
    fn moved(&self, method: &dyn Method, spread: f64) -> Parameters {
        let parameters = self.init(method);
        let mut stream = Stream::new(&["moved"]);
        for (_, var) in parameters.iter() {
            let moved = var.as_tensor() + normals(var.dims(), spread, DType::F32, &mut stream);
            var.set(&moved.unwrap()).unwrap();
        }
        parameters
    }

    /// Loss and gradients at the initial parameters, moved a little.
    fn step(&self, method: &dyn Method) -> Gradients {
        let parameters = self.moved(method, 0.1);
        let head = method.bind(&self.clip, &self.texts).unwrap();
        loss_and_gradients(head.as_ref(), &parameters, &self.images, &self.labels, (0, 0)).unwrap()
    }
}

fn method(id: &str, changes: &[(&str, f64)]) -> Box<dyn Method> {
    let entry = find(id).unwrap();
    let mut own = SettingsTable::split(entry.default_table().unwrap()).own;
    for (key, value) in changes {
        let slot = own.get_mut(*key).unwrap();
        *slot = match slot {
            toml::Value::Integer(_) => toml::Value::Integer(*value as i64),
            _ => toml::Value::Float(*value),
        };
    }
    (entry.build)(own).unwrap()
}

fn bits(gradients: &Gradients) -> Vec<u64> {
    let tensors = gradients.tensors.iter().flat_map(numbers).map(f64::to_bits);
    std::iter::once(gradients.loss.to_bits()).chain(tensors).collect()
}
