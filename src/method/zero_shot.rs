//! Zero-shot CLIP: cosine between the image feature and a hand-written prompt's feature.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::classifier::Classifier;
use super::contract::{Head, Method};
use super::entry::{Entry, Family};
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::{Named, Parameters};
use super::published::Publication;
use super::sets::{ClassifierSet, one_by_one};
use super::settings::parse;
use super::setup::{ClassTexts, Shots};
use super::work::{Shape, Work};
use crate::backbone::nn::{l2_normalise, matmul};
use crate::backbone::{Clip, TextLayout};
use crate::util::rng::Stream;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZeroShot {}

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "zero_shot",
    aliases: &["zs"],
    name: "CLIP",
    summary: "CLIP with hand-written prompts, nothing trained",
    family: Family::TrainingFree,
    color: (90, 90, 90),
    switches: &[],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/zero_shot.toml"),
    build,
};

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    Ok(Box::new(parse::<ZeroShot>("zero_shot", table)?))
}

/// Frozen class features, l2-normalised: `[classes, joint]`.
pub(super) fn text_features(clip: &Clip, prompts: &[Vec<u32>]) -> Result<Tensor, MethodError> {
    let layout = TextLayout::shared(prompts, clip.config.context_length)?;
    Ok(l2_normalise(&clip.text.encode(&layout)?.features)?)
}

impl Method for ZeroShot {
    fn id(&self) -> &'static str {
        "zero_shot"
    }

    fn draws(&self) -> bool {
        false
    }

    fn init(
        &self,
        _: &Clip,
        _: &ClassTexts,
        _: Option<&dyn Shots>,
        _: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        Ok(Parameters::default())
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        Work {
            bind: shape.text_tokens(),
            image: shape.image_tokens(),
            evaluate: shape.classes() * shape.joint(),
            ..Work::default()
        }
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        let text = text_features(clip, &texts.prompts)?;
        Ok(Box::new(CosineHead { text, scale: clip.logit_scale().clone() }))
    }
}

/// logits = exp(τ)·cos(image, text) with fixed text features.
#[derive(Clone)]
pub(super) struct CosineHead {
    /// l2-normalised `[classes, joint]`.
    pub text: Tensor,
    /// exp(τ), a scalar.
    pub scale: Tensor,
}

impl Head for CosineHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |_| Ok(Box::new(self.clone())))
    }
}

impl CosineHead {
    /// Logits of image features `[batch, joint]` of any length.
    pub fn of_features(&self, features: &Tensor) -> Result<Tensor, MethodError> {
        Ok(matmul(&l2_normalise(features)?, &self.text.t()?)?.broadcast_mul(&self.scale)?)
    }
}

impl Classifier for CosineHead {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        self.of_features(images.pooled()?)
    }
}
