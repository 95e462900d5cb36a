//! ProGrad (ICCV 2023, arXiv 2205.14865): CoOp whose steps never go against the frozen model's.
//!
//! g = ∇CE, h = ∇(cross-entropy with the teacher's probabilities). Where g·h < 0, g loses λ times its part along h.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::classifier::{Classifier, Guide, Objective};
use super::contract::{Head, Method};
use super::coop::{Context, TEXT_ONLY, context_rows, context_work, initial_context};
use super::entry::{Entry, Family, Switch};
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
use crate::backbone::nn::{log_softmax, softmax};
use crate::util::rng::Stream;

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProGrad {
    /// Context vectors, as CoOp's.
    ctx: usize,
    /// λ: 1 takes away all of an opposing gradient's part along the guide.
    lambda: f64,
}

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "prograd",
    aliases: &[],
    name: "ProGrad",
    summary: "CoOp whose steps never go against the frozen model's",
    family: Family::Prompts,
    color: (204, 102, 119),
    switches: &[
        Switch {
            key: "template",
            published: "\"class_last_16\"",
            why: "The sentence that its context starts with: one for each dataset, with the class last. The default is the \
                  published one; `\"X X X X X X X X X X X X a photo of a {}.\"` starts every dataset from CoOp's.",
            test: "the_class_stands_last",
        },
        Switch {
            key: "wordings",
            published: "[\"class_last\"]",
            why: "The teacher's sentences. The default is the published one; `[\"dataset\"]` gives zero-shot CLIP's.",
            test: "the_class_stands_last",
        },
    ],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/prograd.toml"),
    build,
};

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: ProGrad = parse(ENTRY.id, table)?;
    if method.ctx == 0 || !(0.0..=1.0).contains(&method.lambda) {
        let reason = format!(
            "ctx is {} and lambda {}: expected at least 1 vector and a number from 0 to 1",
            method.ctx, method.lambda
        );
        return Err(setting(ENTRY.id, reason));
    }
    Ok(Box::new(method))
}

impl ProGrad {
    /// The template's words; placeholders in front of them (a first word that repeats) start at zero.
    fn initial(&self, clip: &Clip, prompts: &[Vec<u32>]) -> Result<Tensor, MethodError> {
        let words = initial_context(clip, prompts, self.ctx)?;
        let ids = prompts.first().map_or(&[] as &[u32], |prompt| &prompt[1..=self.ctx]);
        let repeated = ids.iter().take_while(|id| ids.first() == Some(*id)).count();
        if repeated < 2 {
            return Ok(words);
        }
        let blank = words.narrow(0, 0, repeated)?.zeros_like()?;
        let rest = words.narrow(0, repeated, self.ctx - repeated)?;
        Ok(if repeated == self.ctx { blank } else { Tensor::cat(&[blank, rest], 0)? })
    }
}

impl Method for ProGrad {
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
        Parameters::new(vec![("ctx", self.initial(clip, &texts.prompts)?)])
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        let context = context_work(shape, self.ctx);
        // The second backward pass.
        let step = context.step + shape.text_unshared(1 + self.ctx as u64);
        Work { bind: shape.text_tokens(), step, ..context }
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
            None => self.initial(clip, &texts.prompts)?,
        };
        context_rows(clip, &texts.prompts, &[context], images)
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        let teacher = CosineHead { text: first_wording(clip, texts)?, scale: clip.logit_scale().clone() };
        let context = Context::new(clip, &texts.prompts, self.ctx)?;
        Ok(Box::new(GuidedHead { context, teacher, strength: self.lambda }))
    }
}

struct GuidedHead {
    context: Context,
    teacher: CosineHead,
    strength: f64,
}

impl Head for GuidedHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let one = |student| -> Box<dyn Classifier> {
            Box::new(Guided { student, teacher: self.teacher.clone(), strength: self.strength })
        };
        Ok(Box::new(OneByOne(self.context.cosines(parameters)?.into_iter().map(one).collect())))
    }
}

struct Guided {
    student: CosineHead,
    teacher: CosineHead,
    strength: f64,
}

impl Classifier for Guided {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        self.student.logits(images)
    }

    fn objective(&self, images: &ImageBatch, labels: &Tensor) -> Result<Objective, MethodError> {
        let logits = self.logits(images)?;
        let expected = softmax(&self.teacher.logits(images)?)?;
        let loss = (expected * log_softmax(&logits)?)?.sum(1)?.mean_all()?.neg()?;
        let guide = Some(Guide { loss, strength: self.strength });
        Ok(Objective { guide, ..Objective::cross_entropy(logits, labels)? })
    }
}
