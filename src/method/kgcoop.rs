//! KgCoOp (CVPR 2023, arXiv 2303.13283): CoOp held to the text features of a hand-written sentence.
//!
//! L = CE + λ·(1 − mean_c cos(t_c, t̂_c)), t̂ the frozen features of the first further wording.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::classifier::{Classifier, Objective};
use super::contract::{Head, Method};
use super::coop::{Context, TEXT_ONLY, context_rows, context_work, initial_context};
use super::entry::{Entry, Family};
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::{Named, Parameters};
use super::parts::texts::first_wording;
use super::published::Publication;
use super::sets::{ClassifierSet, OneByOne};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::token_rows::{TokenRows, Untouched};
use super::work::{Shape, Work};
use super::zero_shot::CosineHead;
use crate::backbone::Clip;
use crate::util::rng::Stream;

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct KgCoOp {
    /// Context vectors, as CoOp's.
    ctx: usize,
    /// λ.
    weight: f64,
}

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "kgcoop",
    aliases: &[],
    name: "KgCoOp",
    summary: "CoOp held to the text features of a hand-written sentence",
    family: Family::Prompts,
    color: (136, 204, 238),
    switches: &[],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/kgcoop.toml"),
    build,
};

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: KgCoOp = parse(ENTRY.id, table)?;
    if method.ctx == 0 || !(method.weight.is_finite() && method.weight >= 0.0) {
        let reason = format!(
            "ctx is {} and weight {}: expected at least 1 vector and a number ≥ 0",
            method.ctx, method.weight
        );
        return Err(setting(ENTRY.id, reason));
    }
    Ok(Box::new(method))
}

impl Method for KgCoOp {
    fn id(&self) -> &'static str {
        ENTRY.id
    }

    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        _: Option<&dyn Shots>,
        _: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        Parameters::new(vec![("ctx", initial_context(clip, &texts.prompts, self.ctx)?)])
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        Work { bind: shape.text_tokens(), ..context_work(shape, self.ctx) }
    }

    fn untouched(&self) -> Untouched {
        TEXT_ONLY
    }

    fn token_rows(
        &self,
        clip: &Arc<Clip>,
        texts: &ClassTexts,
        parameters: Option<&Named>,
        images: &ImageBatch,
    ) -> Result<TokenRows, MethodError> {
        let context = match parameters {
            Some(parameters) => parameters.get("ctx", &[self.ctx, clip.config.text.width])?.clone(),
            None => initial_context(clip, &texts.prompts, self.ctx)?,
        };
        context_rows(clip, &texts.prompts, &[context], images)
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        let context = Context::new(clip, &texts.prompts, self.ctx)?;
        Ok(Box::new(HeldHead { context, teacher: first_wording(clip, texts)?, weight: self.weight }))
    }
}

struct HeldHead {
    context: Context,
    /// l2-normalised `[classes, joint]`.
    teacher: Tensor,
    weight: f64,
}

impl Head for HeldHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let cosines = self.context.cosines(parameters)?.into_iter();
        let each = cosines.map(|cosine| held(cosine, &self.teacher, self.weight));
        Ok(Box::new(OneByOne(each.collect::<Result<_, _>>()?)))
    }
}

/// A classifier held to teacher features `[classes, joint]`, l2-normalised: weight·(1 − mean_c cos(t_c, t̂_c)) joins its
/// loss. A weight of 0 leaves it as it is, to the bit.
pub(super) fn held(
    cosine: CosineHead,
    teacher: &Tensor,
    weight: f64,
) -> Result<Box<dyn Classifier>, MethodError> {
    if weight == 0.0 {
        return Ok(Box::new(cosine));
    }
    let agreement = (&cosine.text * teacher)?.sum(1)?.mean_all()?;
    let distance = (agreement.affine(-1.0, 1.0)? * weight)?;
    Ok(Box::new(Held { cosine, distance }))
}

struct Held {
    cosine: CosineHead,
    distance: Tensor,
}

impl Classifier for Held {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        self.cosine.logits(images)
    }

    fn objective(&self, images: &ImageBatch, labels: &Tensor) -> Result<Objective, MethodError> {
        Objective::with_terms(self.logits(images)?, labels, vec![("knowledge", self.distance.clone())])
    }
}
