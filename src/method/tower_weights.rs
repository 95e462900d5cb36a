//! Methods that train weights of the towers themselves: CLIP-LoRA (CVPRW 2024, arXiv 2405.18541) and LayerNorm tuning (as in
//! the repository of 2SFS, CVPR 2025).

use std::sync::Arc;

use super::contract::{Head, Method};
use super::entry::{Entry, Family, Switch};
use super::error::MethodError;
use super::images::{ImageBatch, Needs};
use super::parameters::{Named, Parameters};
use super::parts::low_rank::Lora;
use super::parts::trained_weights::TrainedWeights;
use super::published::Publication;
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::token_rows::{TokenRows, Untouched, frozen_rows};
use super::tuned_towers::WeightsHead;
use super::work::{Shape, Work};
use crate::backbone::Clip;
use crate::util::rng::Stream;

/// How CLIP-LoRA presents itself.
pub(super) const CLIP_LORA: Entry = Entry {
    id: "clip_lora",
    aliases: &[],
    name: "CLIP-LoRA",
    summary: "low-rank additions to queries, keys and values of both towers",
    family: Family::Weights,
    color: (102, 17, 0),
    switches: &[Switch {
        key: "draw",
        published: "\"validation_first\"",
        why: "Published: validation images are drawn before training images from the same generator, and small classes are drawn \
              from with replacement, so its shots are others than CoOp's. Ours: CoOp's draw, which all methods of a seed share.",
        test: "draws_are_coop_s_unless_told",
    }],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/clip_lora.toml"),
    build: build_lora,
};

/// How LN-only presents itself.
pub(super) const LN_ONLY: Entry = Entry {
    id: "ln_only",
    aliases: &[],
    name: "LN-only",
    summary: "scale and shift of the towers' LayerNorms",
    family: Family::Weights,
    color: (153, 79, 0),
    switches: &[Switch {
        key: "outer",
        published: "false",
        why: "Whether the LayerNorms before and behind the blocks train too: the published code switches them on and, by a \
              second visit of the same loop, off again.",
        test: "outer_layer_norms_train_when_told",
    }],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/ln_only.toml"),
    build: build_norms,
};

fn build_lora(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let lora: Lora = parse(CLIP_LORA.id, table)?;
    if lora.rank == 0 || !lora.alpha.is_finite() || !(0.0..1.0).contains(&lora.dropout) {
        let reason =
            format!("{lora:?}: expected a rank of at least 1, a number, and a dropout from 0 to below 1");
        return Err(setting(CLIP_LORA.id, reason));
    }
    Ok(Box::new(TrainedWeights::Lora(lora)))
}

fn build_norms(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    Ok(Box::new(TrainedWeights::Norms(parse(LN_ONLY.id, table)?)))
}

impl Method for TrainedWeights {
    fn id(&self) -> &'static str {
        match self {
            Self::Lora(_) => CLIP_LORA.id,
            Self::Norms(_) => LN_ONLY.id,
        }
    }

    fn needs(&self) -> Needs {
        if self.towers()[0] { Needs::PIXELS } else { Needs::POOLED }
    }

    fn init(
        &self,
        clip: &Clip,
        _: &ClassTexts,
        _: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        let all = self.initial(clip, stream)?;
        if all.is_empty() {
            return Err(setting(self.id(), format!("{self:?}: no LayerNorm is left to train")));
        }
        Parameters::new(all.iter().map(|(name, value)| (name.as_str(), value.clone())).collect())
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        let [vision, text] = self.towers();
        let if_trained = |trained: bool, number: u64| if trained { number } else { 0 };
        let trained_text = if_trained(text, shape.text_tokens());
        let evaluate = if_trained(vision, shape.image_prompted(0)) + shape.classes() * shape.joint();
        Work {
            bind: shape.text_tokens() - trained_text,
            step: 2 * (trained_text + shape.batch * evaluate),
            classifier: trained_text,
            image: if_trained(!vision, shape.image_tokens()),
            evaluate,
            step_bytes: shape.step_bytes(0, shape.classes() + shape.batch, shape.classes() * shape.batch),
            ..Work::default()
        }
    }

    fn untouched(&self) -> Untouched {
        let [vision, text] = self.towers();
        Untouched { text: !text, vision: !vision }
    }

    fn token_rows(
        &self,
        clip: &Arc<Clip>,
        texts: &ClassTexts,
        parameters: Option<&Named>,
        images: &ImageBatch,
    ) -> Result<TokenRows, MethodError> {
        let Some(parameters) = parameters else { return frozen_rows(clip, &texts.prompts, images) };
        let (vision, text) = self.changes(clip, parameters)?;
        let merged = clip.merged(vision.as_ref(), text.as_ref())?;
        frozen_rows(&merged, &texts.prompts, images)
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        Ok(Box::new(WeightsHead::new(*self, clip, texts)?))
    }
}
