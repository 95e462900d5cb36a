//! Linear probing as RPO's authors run it: a joint × joint layer on the image feature.
//!
//! The surprising fact: with the published setting the image feature is normalised neither before nor
//! after the layer, so logits reach the hundreds.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::contract::{Classifier, Head, ImageBatch, Method};
use super::error::MethodError;
use super::parameters::{Named, Parameters};
use super::settings::parse;
use super::work::{Shape, Work};
use super::zero_shot::text_features;
use crate::backbone::Clip;
use crate::backbone::nn::l2_normalise;
use crate::util::rng::Stream;

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinearProbe {
    /// l2-normalises the image feature before and after the layer.
    normalise: bool,
}

pub(super) fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    Ok(Box::new(parse::<LinearProbe>("linear_probe", table)?))
}

impl Method for LinearProbe {
    fn id(&self) -> &'static str {
        "linear_probe"
    }

    /// Weight `[joint, joint]` = identity, bias `[joint]` = 0.
    fn init(&self, clip: &Clip, _: &[Vec<u32>], _: &mut Stream) -> Result<Parameters, MethodError> {
        let (joint, dtype) = (clip.config.projection_dim, clip.dtype());
        let weight = Tensor::eye(joint, dtype, clip.device())?;
        let bias = Tensor::zeros(joint, dtype, clip.device())?;
        Parameters::new(vec![("weight", weight), ("bias", bias)])
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        let evaluate = shape.joint() * (shape.joint() + shape.classes());
        Work {
            bind: shape.text_tokens(),
            step: 2 * shape.batch * evaluate,
            image: shape.image_tokens(),
            evaluate,
            step_bytes: shape.step_bytes(
                shape.joint() * (shape.joint() + 1),
                shape.classes() + 2 * shape.batch,
                shape.classes() * shape.batch,
            ),
            ..Work::default()
        }
    }

    fn bind(&self, clip: &Arc<Clip>, prompts: &[Vec<u32>]) -> Result<Box<dyn Head>, MethodError> {
        let text = text_features(clip, prompts)?;
        Ok(Box::new(ProbeHead { text, scale: clip.logit_scale().clone(), normalise: self.normalise }))
    }
}

struct ProbeHead {
    text: Tensor,
    scale: Tensor,
    normalise: bool,
}

impl Head for ProbeHead {
    fn classifier(&self, parameters: &Named) -> Result<Box<dyn Classifier>, MethodError> {
        let joint = self.text.dim(1)?;
        Ok(Box::new(Probe {
            text: self.text.t()?,
            scale: self.scale.clone(),
            weight: parameters.get("weight", &[joint, joint])?.t()?,
            bias: parameters.get("bias", &[joint])?.clone(),
            normalise: self.normalise,
        }))
    }
}

struct Probe {
    text: Tensor,
    scale: Tensor,
    weight: Tensor,
    bias: Tensor,
    normalise: bool,
}

impl Classifier for Probe {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        let normalise = |x: Tensor| if self.normalise { l2_normalise(&x) } else { Ok(x) };
        let features = normalise(images.frozen.features.clone())?;
        let features = normalise(features.matmul(&self.weight)?.broadcast_add(&self.bias)?)?;
        Ok(features.matmul(&self.text)?.broadcast_mul(&self.scale)?)
    }
}
