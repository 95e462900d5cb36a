//! Shapes of released models, random weights of such a shape, and class prompts of a typical length.
//!
//! The weights are noise: loss and accuracy mean nothing, time and memory are those of the real model.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::error::BenchError;
use crate::backbone::{Activation, Clip, ClipConfig, TowerConfig, Weights, expected_tensors};
use crate::util::rng::Stream;

/// A model shape by name.
#[derive(Clone, Copy, Debug)]
pub struct ModelShape {
    /// The name on the command line.
    pub name: &'static str,
    /// Image side and patch side in pixels.
    image: (usize, usize),
    /// Width, layers and heads of the vision tower.
    vision: (usize, usize, usize),
    /// Width, layers and heads of the text tower.
    text: (usize, usize, usize),
    joint: usize,
}

/// The shapes of OpenAI's transformers, and a small one that runs in a blink.
pub const SHAPES: &[ModelShape] = &[
    ModelShape { name: "vit-b-16", image: (224, 16), vision: (768, 12, 12), text: (512, 12, 8), joint: 512 },
    ModelShape { name: "vit-b-32", image: (224, 32), vision: (768, 12, 12), text: (512, 12, 8), joint: 512 },
    ModelShape {
        name: "vit-l-14",
        image: (224, 14),
        vision: (1024, 24, 16),
        text: (768, 12, 12),
        joint: 768,
    },
    ModelShape { name: "tiny", image: (32, 8), vision: (64, 2, 2), text: (48, 2, 2), joint: 32 },
];

const VOCABULARY: usize = 49_408;
const CONTEXT: usize = 77;
/// Words all prompts share behind SOS, as in "a photo of a".
const SHARED_WORDS: u32 = 4;
/// Distinct random numbers of a tensor: a prime, so that the repeats do not fall into columns.
const DISTINCT: usize = 65_537;

impl ModelShape {
    /// The shape `name`.
    ///
    /// # Errors
    /// [`BenchError::Shape`] with all names.
    pub fn find(name: &str) -> Result<Self, BenchError> {
        SHAPES.iter().find(|shape| shape.name == name).copied().ok_or_else(|| BenchError::Shape {
            name: name.to_owned(),
            known: SHAPES.iter().map(|shape| shape.name).collect::<Vec<_>>().join(", "),
        })
    }

    /// The whole configuration.
    pub fn config(&self) -> ClipConfig {
        let tower = |(width, layers, heads)| TowerConfig {
            width,
            layers,
            heads,
            mlp_width: 4 * width,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        };
        ClipConfig {
            vision: tower(self.vision),
            text: tower(self.text),
            image_size: self.image.0,
            patch_size: self.image.1,
            vocab_size: VOCABULARY,
            context_length: CONTEXT,
            projection_dim: self.joint,
            resnet: None,
        }
    }
}

/// Normal numbers of this mean and spread, from the stream `name`.
pub(super) fn normals(
    shape: &[usize],
    mean: f64,
    std: f64,
    name: &str,
    device: &Device,
) -> candle_core::Result<Tensor> {
    let count: usize = shape.iter().product();
    let mut stream = Stream::new(&["bench", name]);
    let table: Vec<f32> = (0..count.min(DISTINCT)).map(|_| (mean + std * stream.normal()) as f32).collect();
    let values: Vec<f32> = table.into_iter().cycle().take(count).collect();
    Tensor::from_vec(values, shape, device)
}

/// A model of this configuration with random weights, scaled so that activations stay near one.
///
/// # Errors
/// Whatever candle reports.
pub fn random_clip(config: &ClipConfig, device: &Device) -> Result<Arc<Clip>, BenchError> {
    let mut tensors = BTreeMap::new();
    for (name, shape) in expected_tensors(config) {
        let inputs: usize = shape.iter().skip(1).product();
        let (mean, std) = match name.as_str() {
            "logit_scale" => (100f64.ln(), 0.0),
            n if n.contains("norm") && n.ends_with("weight") => (1.0, 0.1),
            n if n.ends_with("bias") => (0.0, 0.02),
            n if n.contains("embedding") => (0.0, 0.2),
            _ => (0.0, (inputs as f64).powf(-0.5)),
        };
        let tensor = normals(&shape, mean, std, &name, device)?;
        tensors.insert(name, tensor);
    }
    Ok(Arc::new(Clip::new(config.clone(), &Weights::new("random weights", tensors))?))
}

/// Prompts [SOS, 4 shared words, 1 to 5 words of the class's own, ".", EOS]. The length behind the shared
/// words is 5 on average, as for the class names of the eleven datasets.
pub fn class_prompts(classes: usize) -> Vec<Vec<u32>> {
    prompts_behind(SHARED_WORDS, classes)
}

/// The same behind as many shared words as a sentence has in front of the class name `{}`, which contexts take the places
/// of; behind four at the least.
pub(super) fn class_prompts_for(sentence: &str, classes: usize) -> Vec<Vec<u32>> {
    let words = sentence.split("{}").next().unwrap_or_default().split_whitespace().count() as u32;
    prompts_behind(words.max(SHARED_WORDS), classes)
}

fn prompts_behind(words: u32, classes: usize) -> Vec<Vec<u32>> {
    let (sos, eos) = (VOCABULARY as u32 - 2, VOCABULARY as u32 - 1);
    let stop = words + 1;
    let mut stream = Stream::new(&["bench", "class names"]);
    (0..classes)
        .map(|class| {
            let mut prompt = vec![sos];
            prompt.extend(1..=words);
            let first = u64::from(stop) + 1;
            prompt.extend((0..=class % 5).map(|_| (first + stream.below(u64::from(sos) - first)) as u32));
            prompt.extend([stop, eos]);
            prompt
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_classes_have_the_rows_the_limit_is_stated_for() {
        let prompts = class_prompts(50);
        let own: usize = prompts.iter().map(|prompt| prompt.len() - 1 - SHARED_WORDS as usize).sum();
        assert_eq!(own, 250);
        assert!(prompts.iter().all(|prompt| prompt[..5] == prompts[0][..5]));
    }

    #[test]
    fn contexts_find_as_many_words_as_their_sentence_has() {
        assert_eq!(class_prompts_for("a {}.", 3), class_prompts(3));
        let long = class_prompts_for("X X X X X X {}", 3);
        assert!(long.iter().all(|prompt| prompt[..7] == long[0][..7] && prompt.len() > 8));
    }

    #[test]
    fn an_unknown_shape_is_named_with_the_known_ones() {
        let error = ModelShape::find("vit-z-9").unwrap_err().to_string();
        assert!(error.contains("vit-z-9") && error.contains("vit-b-16"), "{error}");
    }
}
