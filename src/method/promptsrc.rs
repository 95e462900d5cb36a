//! PromptSRC (ICCV 2023, arXiv 2307.06948): IVLP held to the frozen model by three losses, and averaged over epochs.
//!
//! L = CE + 25·mean|t − t̂| + 10·mean|f − f̂| + (1/(B·C))·Σ q̂(log q̂ − log q): the means run over all elements, the
//! divergence is divided by images times classes. t̂ is the normalised mean of the wordings' RAW features.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::classifier::{Classifier, Objective};
use super::contract::{Head, Method};
use super::entry::{Entry, Family};
use super::error::MethodError;
use super::images::{ImageBatch, Needs};
use super::ivlp::{Deep, DeepHead, Sizes};
use super::parameters::{Named, Parameters};
use super::parts::deep::{Prompts, token_rows};
use super::parts::texts::raw_mean;
use super::published::Publication;
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::token_rows::{TokenRows, Untouched};
use super::work::{Shape, Work};
use super::zero_shot::CosineHead;
use crate::backbone::Clip;
use crate::backbone::nn::{l2_normalise, log_softmax};
use crate::util::rng::Stream;

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "promptsrc",
    aliases: &[],
    name: "PromptSRC",
    summary: "IVLP held to the frozen model, averaged over epochs",
    family: Family::Prompts,
    color: (170, 68, 153),
    switches: &[],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/promptsrc.toml"),
    build,
};

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PromptSrc {
    vision_ctx: usize,
    vision_depth: usize,
    text_ctx: usize,
    text_depth: usize,
    /// Weight of the text features' distance.
    text_weight: f64,
    /// Weight of the image features' distance.
    image_weight: f64,
    /// Weight of the divergence of the probabilities; 1 as published.
    logits_weight: f64,
}

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: PromptSrc = parse(ENTRY.id, table)?;
    method.sizes().checked(ENTRY.id)?;
    let weights = [method.text_weight, method.image_weight, method.logits_weight];
    if weights.iter().any(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        return Err(setting(ENTRY.id, format!("weights are {weights:?}: expected numbers ≥ 0")));
    }
    if method.vision_depth == 0 || method.text_depth == 0 {
        return Err(setting(ENTRY.id, format!("{method:?}: both towers need prompts")));
    }
    Ok(Box::new(method))
}

impl PromptSrc {
    fn sizes(&self) -> Sizes {
        let Self { vision_ctx, vision_depth, text_ctx, text_depth, .. } = *self;
        Sizes { vision_ctx, vision_depth, text_ctx, text_depth }
    }
}

impl Method for PromptSrc {
    fn id(&self) -> &'static str {
        ENTRY.id
    }

    fn needs(&self) -> Needs {
        Needs::PIXELS.or(Needs::POOLED)
    }

    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        _: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        self.sizes().init(clip, &texts.prompts, stream)
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        let work = self.sizes().work(shape);
        Work { bind: work.bind + shape.text_tokens(), image: shape.image_tokens(), ..work }
    }

    fn untouched(&self) -> Untouched {
        Untouched { text: false, vision: false }
    }

    fn token_rows(
        &self,
        clip: &Arc<Clip>,
        texts: &ClassTexts,
        parameters: Option<&Named>,
        images: &ImageBatch,
    ) -> Result<TokenRows, MethodError> {
        let sizes = self.sizes();
        let (text, vision) = match parameters {
            Some(each) => (sizes.text(clip, each)?, sizes.vision(clip, each)?),
            None => {
                let first = super::coop::initial_context(clip, &texts.prompts, self.text_ctx)?;
                (Some(Prompts { first, deeper: Vec::new() }), None)
            }
        };
        token_rows(clip, &texts.prompts, images, text.as_ref(), vision.as_ref())
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        let text = l2_normalise(&raw_mean(clip, texts)?)?;
        let teacher = CosineHead { text, scale: clip.logit_scale().clone() };
        let prompts = texts.prompts.clone();
        let deep = DeepHead { clip: clip.clone(), prompts, frozen: None, sizes: self.sizes() };
        Ok(Box::new(RegulatedHead { deep, teacher, weights: *self }))
    }
}

struct RegulatedHead {
    deep: DeepHead,
    teacher: CosineHead,
    weights: PromptSrc,
}

impl Head for RegulatedHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |each| {
            let (student, teacher) = (self.deep.one(each)?, self.teacher.clone());
            Ok(Box::new(Regulated { student, teacher, weights: self.weights }))
        })
    }
}

struct Regulated {
    student: Deep,
    teacher: CosineHead,
    weights: PromptSrc,
}

impl Classifier for Regulated {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        self.student.logits(images)
    }

    fn objective(&self, images: &ImageBatch, labels: &Tensor) -> Result<Objective, MethodError> {
        let features = self.student.features(images)?;
        let logits = self.student.of_directions(&features)?;
        let PromptSrc { text_weight, image_weight, logits_weight, .. } = self.weights;
        let mut terms = Vec::new();
        // What weighs nothing is not computed: with three zeros this is IVLP to the bit.
        if text_weight > 0.0 {
            let distance = (&self.student.cosine.text - &self.teacher.text)?.abs()?.mean_all()?;
            terms.push(("text", (distance * text_weight)?));
        }
        if image_weight > 0.0 {
            let frozen = l2_normalise(images.pooled()?)?;
            terms.push(("image", ((&features - frozen)?.abs()?.mean_all()? * image_weight)?));
        }
        if logits_weight > 0.0 {
            let expected = log_softmax(&self.teacher.logits(images)?)?;
            let gap = (&expected - log_softmax(&logits)?)?;
            let divergence = (expected.exp()? * gap)?.sum_all()?;
            terms.push(("logits", (divergence * (logits_weight / logits.elem_count() as f64))?));
        }
        Objective::with_terms(logits, labels, terms)
    }
}
