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
use super::registry::{Entry, Family, Switch};
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, ParameterShape, Selection, Shots, required};
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
    switches: &[Switch {
        key: "selection",
        published: "\"whole_split\"",
        why: "What alpha and beta are chosen by. Published: the whole validation split (on ImageNet the test images), far more \
              than the shots; its numbers carry a mark. Ours: fixed values; `few` takes at most min(shots, 4) images a class.",
        test: "the_memory_is_weighed_as_told",
    }],
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
    /// By what the two weights are chosen.
    #[serde(default)]
    selection: By,
}

/// What decides the memory's weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    /// The settings.
    #[default]
    Fixed,
    /// Few validation images.
    Few,
    /// All of them.
    WholeSplit,
}

struct Tip {
    id: &'static str,
    settings: Settings,
}

fn build(id: &'static str, table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let settings: Settings = parse(id, table)?;
    let good = |value: f64| value.is_finite() && value >= 0.0;
    if !(good(settings.alpha) && good(settings.beta)) || settings.views == 0 {
        let Settings { alpha, beta, views, .. } = settings;
        let reason = format!(
            "alpha is {alpha}, beta {beta}, views {views}: expected numbers ≥ 0 and at least one view"
        );
        return Err(setting(id, reason));
    }
    Ok(Box::new(Tip { id, settings }))
}

/// The fixed labels of the keys, and the chosen alpha and beta where they are chosen.
const LABELS: &str = "labels";
const WEIGHTS: &str = "alpha_beta";

/// The published grid on ImageNet: values of alpha and of beta, each from 0.1.
const ALPHAS: (usize, f64) = (20, 3.0);
const BETAS: (usize, f64) = (200, 7.0);

fn grid((steps, end): (usize, f64)) -> impl Iterator<Item = f64> + Clone {
    (0..steps).map(move |step| 0.1 + step as f64 * (end - 0.1) / steps as f64)
}

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

    fn selection(&self) -> Option<Selection> {
        let whole_split = self.settings.selection == By::WholeSplit;
        let chosen = self.settings.selection != By::Fixed;
        chosen.then_some(Selection { chooses: "alpha and beta", whole_split })
    }

    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
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
        let mut fixed = vec![(self.keys(), keys.clone()), labels.clone()];
        if self.settings.selection != By::Fixed {
            let cosine =
                CosineHead { text: mean_of_directions(clip, texts)?, scale: clip.logit_scale().clone() };
            let labels = labels.1.to_dtype(DType::U32)?;
            let memory = Memory { cosine, keys: keys.t()?, labels, settings: self.settings };
            let weights = chosen(&memory, shots)?;
            fixed.push((WEIGHTS, Tensor::new(&weights, clip.device())?));
        }
        Ok(Parameters::default().with_fixed(fixed))
    }

    fn shapes(&self, clip: &Clip, _: &ClassTexts) -> Result<Vec<ParameterShape>, MethodError> {
        let shape = [0, clip.config.projection_dim];
        let keys = match self.trains() {
            true => ParameterShape::trained(self.keys(), &shape),
            false => ParameterShape::fixed(self.keys(), &shape),
        };
        let mut shapes = vec![keys, ParameterShape::fixed(LABELS, &[0])];
        if self.settings.selection != By::Fixed {
            shapes.push(ParameterShape::fixed(WEIGHTS, &[2]));
        }
        Ok(shapes)
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
            let mut settings = self.settings;
            if settings.selection != By::Fixed {
                let weights = each.get(WEIGHTS, &[2])?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
                (settings.alpha, settings.beta) = (weights[0], weights[1]);
            }
            Ok(Box::new(Memory { cosine: self.cosine.clone(), keys: keys.t()?, labels, settings }))
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

impl Memory {
    /// What the memory says at this sharpness, `[batch, classes]`, of affinities `[batch, keys]`.
    fn answers(&self, affinity: &Tensor, beta: f64, like: &Tensor) -> Result<Tensor, MethodError> {
        let answers = ((affinity - 1.0)? * beta)?.exp()?;
        // One-hot labels as a sum of columns: the memory needs no matrix of keys and classes.
        Ok(like.zeros_like()?.detach().index_add(&self.labels, &answers, 1)?)
    }

    fn affinity(&self, features: &Tensor) -> Result<Tensor, MethodError> {
        Ok(l2_normalise(features)?.matmul(&self.keys)?)
    }
}

/// Alpha and beta with the most correct validation images; of equal ones the first, beta counted slowest.
fn chosen(memory: &Memory, shots: &dyn Shots) -> Result<[f32; 2], MethodError> {
    let (features, labels) = shots.validation()?;
    let features = features.to_dtype(memory.keys.dtype())?;
    let (logits, affinity) = (memory.cosine.of_features(&features)?, memory.affinity(&features)?);
    let labels = Tensor::new(labels, features.device())?;
    let mut best: Option<(f32, [f32; 2])> = None;
    for beta in grid(BETAS) {
        let answers = memory.answers(&affinity, beta, &logits)?;
        for alpha in grid(ALPHAS) {
            let predicted = (&logits + (&answers * alpha)?)?.argmax(1)?;
            let correct = predicted.eq(&labels)?.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()?;
            if best.is_none_or(|(most, _)| correct > most) {
                best = Some((correct, [alpha as f32, beta as f32]));
            }
        }
    }
    best.map(|(_, weights)| weights).ok_or_else(|| MethodError::Shots("an empty grid".to_owned()))
}

impl Classifier for Memory {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        let logits = self.cosine.logits(images)?;
        let memory = self.answers(&self.affinity(images.pooled()?)?, self.settings.beta, &logits)?;
        Ok((logits + (memory * self.settings.alpha)?)?)
    }
}
