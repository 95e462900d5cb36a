//! Tip-Adapter and Tip-Adapter-F (ECCV 2022, arXiv 2207.09519): the training images' features as a memory.
//!
//! logits = exp(τ)·cos(f, t) + α·exp(−β(1 − f·Fᵀ))·V with f normalised, F the keys, V their labels, one-hot. The keys
//! are raw features averaged over augmented views, then normalised; F trains them. No transfer to new classes: the
//! memory names the trained ones.

use std::sync::Arc;

use candle_core::{DType, Tensor};
use serde::Deserialize;

use super::contract::{Classifier, Head, Method};
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::{Named, Parameters};
use super::parts::texts::mean_of_directions;
use super::published::Published;
use super::registry::{Entry, Family};
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, ParameterShape, Shots, required};
use super::work::{Shape, Work};
use super::zero_shot::CosineHead;
use crate::backbone::Clip;
use crate::backbone::nn::l2_normalise;
use crate::util::rng::Stream;

/// How the training-free one presents itself.
pub(super) const FREE: Entry = Entry {
    id: "tip_adapter",
    aliases: &[],
    name: "Tip-Adapter",
    summary: "the training images' features as a memory, nothing trained",
    family: Family::TrainingFree,
    color: (51, 34, 136),
    switches: &[],
    published: Published::NONE,
    defaults: include_str!("../../suites/methods/tip_adapter.toml"),
    build: |table| build(FREE.id, table),
};

/// How the trained one presents itself.
pub(super) const TRAINED: Entry = Entry {
    id: "tip_adapter_f",
    aliases: &[],
    name: "Tip-Adapter-F",
    summary: "Tip-Adapter whose memory is trained",
    family: Family::FeatureAdapter,
    color: (68, 170, 153),
    switches: &[],
    published: Published::NONE,
    defaults: include_str!("../../suites/methods/tip_adapter_f.toml"),
    build: |table| build(TRAINED.id, table),
};

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Weight of the memory.
    alpha: f64,
    /// How sharply it answers.
    beta: f64,
    /// Augmented views that a key is the mean of.
    views: usize,
}

struct Tip {
    id: &'static str,
    settings: Settings,
}

fn build(id: &'static str, table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let settings: Settings = parse(id, table)?;
    let good = |value: f64| value.is_finite() && value >= 0.0;
    if !(good(settings.alpha) && good(settings.beta)) || settings.views == 0 {
        let Settings { alpha, beta, views } = settings;
        let reason = format!(
            "alpha is {alpha}, beta {beta}, views {views}: expected numbers ≥ 0 and at least one view"
        );
        return Err(setting(id, reason));
    }
    Ok(Box::new(Tip { id, settings }))
}

/// The fixed labels of the keys.
const LABELS: &str = "labels";

impl Tip {
    fn trains(&self) -> bool {
        self.id == TRAINED.id
    }

    /// The keys' name: published files of the trained one hold a layer's weight.
    fn keys(&self) -> &'static str {
        if self.trains() { "weight" } else { "keys" }
    }
}

impl Method for Tip {
    fn id(&self) -> &'static str {
        self.id
    }

    fn transfers(&self) -> bool {
        false
    }

    fn reads_shots(&self) -> bool {
        true
    }

    fn init(
        &self,
        clip: &Clip,
        _: &ClassTexts,
        shots: Option<&dyn Shots>,
        _: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        let shots = required(shots)?;
        let views = (0..self.settings.views).map(|view| shots.pooled(view)).collect::<Result<Vec<_>, _>>()?;
        let keys = l2_normalise(&Tensor::stack(&views, 0)?.mean(0)?)?.to_dtype(clip.dtype())?;
        let labels: Vec<f32> = shots.labels().iter().map(|label| *label as f32).collect();
        let labels = (LABELS, Tensor::new(labels, clip.device())?);
        if self.trains() {
            return Ok(Parameters::new(vec![(self.keys(), keys)])?.with_fixed(vec![labels]));
        }
        Ok(Parameters::default().with_fixed(vec![(self.keys(), keys), labels]))
    }

    fn shapes(&self, clip: &Clip, _: &ClassTexts) -> Result<Vec<ParameterShape>, MethodError> {
        let shape = [0, clip.config.projection_dim];
        let keys = match self.trains() {
            true => ParameterShape::trained(self.keys(), &shape),
            false => ParameterShape::fixed(self.keys(), &shape),
        };
        Ok(vec![keys, ParameterShape::fixed(LABELS, &[0])])
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        // The memory's size is not known here: one key a class is the least.
        let evaluate = 2 * shape.classes() * shape.joint();
        Work {
            bind: shape.text_tokens(),
            step: 2 * shape.batch * evaluate,
            image: shape.image_tokens(),
            evaluate,
            step_bytes: shape.step_bytes(0, shape.classes() + shape.batch, shape.classes() * shape.batch),
            ..Work::default()
        }
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        let cosine = CosineHead { text: mean_of_directions(clip, texts)?, scale: clip.logit_scale().clone() };
        Ok(Box::new(MemoryHead { cosine, keys: self.keys(), settings: self.settings }))
    }
}

struct MemoryHead {
    cosine: CosineHead,
    keys: &'static str,
    settings: Settings,
}

impl Head for MemoryHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let joint = self.cosine.text.dim(1)?;
        one_by_one(parameters, |each| {
            let keys = each.get(self.keys, &[0, joint])?;
            let labels = each.get(LABELS, &[keys.dim(0)?])?.to_dtype(DType::U32)?;
            Ok(Box::new(Memory {
                cosine: self.cosine.clone(),
                keys: keys.t()?,
                labels,
                settings: self.settings,
            }))
        })
    }
}

struct Memory {
    cosine: CosineHead,
    /// `[joint, keys]`.
    keys: Tensor,
    labels: Tensor,
    settings: Settings,
}

impl Classifier for Memory {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        let Settings { alpha, beta, .. } = self.settings;
        let logits = self.cosine.logits(images)?;
        let affinity = l2_normalise(images.pooled()?)?.matmul(&self.keys)?;
        let answers = ((affinity - 1.0)? * beta)?.exp()?;
        // One-hot labels as a sum of columns: the memory needs no matrix of keys and classes.
        let memory = logits.zeros_like()?.detach().index_add(&self.labels, &answers, 1)?;
        Ok((logits + (memory * alpha)?)?)
    }
}
