//! CLIP-Adapter (arXiv 2110.04544): a small network on the image feature, mixed with the feature itself.
//!
//! f' = r·A(f) + (1 − r)·f on the feature as the tower gives it, A(f) = ReLU(W₂·ReLU(W₁·f)) without biases; then
//! normalised. Texts stay frozen.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::classifier::Classifier;
use super::contract::{Head, Method};
use super::entry::{Entry, Family};
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::{Named, Parameters};
use super::parts::draws::{linear_bound, uniform};
use super::published::Publication;
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::work::{Shape, Work};
use super::zero_shot::{CosineHead, text_features};
use crate::backbone::Clip;
use crate::backbone::nn::matmul;
use crate::util::rng::Stream;

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClipAdapter {
    /// Share of the network's output, from 0 to 1.
    ratio: f64,
    /// The network's hidden width is max(1, joint / reduction).
    reduction: usize,
}

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "clip_adapter",
    aliases: &[],
    name: "CLIP-Adapter",
    summary: "a small network on the image feature, mixed with the feature",
    family: Family::FeatureAdapter,
    color: (240, 228, 66),
    switches: &[],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/clip_adapter.toml"),
    build,
};

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: ClipAdapter = parse(ENTRY.id, table)?;
    if !(0.0..=1.0).contains(&method.ratio) {
        return Err(setting(ENTRY.id, format!("ratio is {}: expected a number from 0 to 1", method.ratio)));
    }
    if method.reduction == 0 {
        return Err(setting(ENTRY.id, "reduction is 0: expected at least 1".to_owned()));
    }
    Ok(Box::new(method))
}

impl ClipAdapter {
    fn hidden(&self, joint: usize) -> usize {
        (joint / self.reduction).max(1)
    }
}

impl Method for ClipAdapter {
    fn id(&self) -> &'static str {
        ENTRY.id
    }

    fn init(
        &self,
        clip: &Clip,
        _: &ClassTexts,
        _: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        let joint = clip.config.projection_dim;
        let hidden = self.hidden(joint);
        let mut weight = |outputs: usize, inputs: usize| {
            uniform(&[outputs, inputs], linear_bound(inputs), stream, clip.device())?.to_dtype(clip.dtype())
        };
        let (down, up) = (weight(hidden, joint)?, weight(joint, hidden)?);
        Parameters::new(vec![("fc.0.weight", down), ("fc.2.weight", up)])
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        let hidden = self.hidden(shape.joint() as usize) as u64;
        let evaluate = shape.joint() * (2 * hidden + shape.classes());
        Work {
            bind: shape.text_tokens(),
            step: 2 * shape.batch * evaluate,
            image: shape.image_tokens(),
            evaluate,
            step_bytes: shape.step_bytes(
                2 * hidden * shape.joint(),
                shape.classes() + 2 * shape.batch,
                shape.classes() * shape.batch,
            ),
            ..Work::default()
        }
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        let cosine =
            CosineHead { text: text_features(clip, &texts.prompts)?, scale: clip.logit_scale().clone() };
        Ok(Box::new(AdapterHead {
            cosine,
            ratio: self.ratio,
            hidden: self.hidden(clip.config.projection_dim),
        }))
    }
}

struct AdapterHead {
    cosine: CosineHead,
    ratio: f64,
    hidden: usize,
}

impl Head for AdapterHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let joint = self.cosine.text.dim(1)?;
        one_by_one(parameters, |each| {
            Ok(Box::new(Adapter {
                cosine: self.cosine.clone(),
                ratio: self.ratio,
                down: each.get("fc.0.weight", &[self.hidden, joint])?.t()?,
                up: each.get("fc.2.weight", &[joint, self.hidden])?.t()?,
            }))
        })
    }
}

struct Adapter {
    cosine: CosineHead,
    ratio: f64,
    down: Tensor,
    up: Tensor,
}

impl Classifier for Adapter {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        let features = images.pooled()?;
        let adapted = matmul(&matmul(features, &self.down)?.relu()?, &self.up)?.relu()?;
        let mixed = ((adapted * self.ratio)? + (features * (1.0 - self.ratio))?)?;
        self.cosine.of_features(&mixed)
    }
}
