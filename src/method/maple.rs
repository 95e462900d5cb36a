//! MaPLe (CVPR 2023, arXiv 2210.03117): deep text prompts, and image prompts that are linear images of them.
//!
//! p₀ = W₀c₀ + b₀, pᵢ = Wᵢcᵢ + bᵢ: image prompts move with the text prompts, never the other way round.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::classifier::Classifier;
use super::contract::{Head, Method};
use super::coop::initial_context;
use super::entry::{Entry, Family};
use super::error::MethodError;
use super::images::{ImageBatch, Needs};
use super::ivlp::{Deep, Sizes};
use super::parameters::{Named, Parameters};
use super::parts::deep::{Prompts, text_features, token_rows};
use super::parts::draws::{PROMPT_STD, linear, normal};
use super::published::Publication;
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::token_rows::{TokenRows, Untouched};
use super::work::{Shape, Work};
use super::zero_shot::CosineHead;
use crate::backbone::Clip;
use crate::backbone::nn::matmul;
use crate::util::rng::Stream;

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "maple",
    aliases: &[],
    name: "MaPLe",
    summary: "deep text prompts, and image prompts that are linear images of them",
    family: Family::Prompts,
    color: (0, 68, 136),
    switches: &[],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/maple.toml"),
    build,
};

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MaPle {
    /// Prompts of each tower: they take the place of the first words.
    ctx: usize,
    /// Blocks that get them, the input counted as the first.
    depth: usize,
}

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: MaPle = parse(ENTRY.id, table)?;
    if method.ctx == 0 || method.depth == 0 {
        return Err(setting(ENTRY.id, format!("{method:?}: expected at least 1 of both")));
    }
    Ok(Box::new(method))
}

fn deeper(block: usize) -> String {
    format!("compound_prompts_text.{}", block - 1)
}

fn projection(block: usize) -> String {
    if block == 0 { "proj".to_owned() } else { format!("compound_prompt_projections.{}", block - 1) }
}

impl MaPle {
    fn fits(&self, clip: &Clip) -> Result<(), MethodError> {
        let blocks = clip.config.vision.layers.min(clip.config.text.layers);
        if self.depth > blocks {
            return Err(setting(
                ENTRY.id,
                format!("depth is {}: the towers have {blocks} blocks", self.depth),
            ));
        }
        Ok(())
    }

    fn text(&self, clip: &Clip, parameters: &Named) -> Result<Prompts, MethodError> {
        Prompts::named(parameters, [self.ctx, clip.config.text.width, self.depth], "ctx", deeper)
    }

    /// The linear images of the text prompts.
    fn vision(&self, clip: &Clip, parameters: &Named, text: &Prompts) -> Result<Prompts, MethodError> {
        let (from, to) = (clip.config.text.width, clip.config.vision.width);
        let image = |block: usize, prompts: &Tensor| -> Result<Tensor, MethodError> {
            let name = projection(block);
            let weight = parameters.get(&format!("{name}.weight"), &[to, from])?;
            let bias = parameters.get(&format!("{name}.bias"), &[to])?;
            Ok(matmul(prompts, &weight.t()?)?.broadcast_add(bias)?)
        };
        let deeper = text.deeper.iter().enumerate().map(|(index, prompts)| image(index + 1, prompts));
        Ok(Prompts { first: image(0, &text.first)?, deeper: deeper.collect::<Result<_, _>>()? })
    }
}

impl Method for MaPle {
    fn id(&self) -> &'static str {
        ENTRY.id
    }

    fn needs(&self) -> Needs {
        Needs::PIXELS
    }

    /// The deep projections are copies of one draw, as published.
    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        _: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        self.fits(clip)?;
        let (from, to) = (clip.config.text.width, clip.config.vision.width);
        let typed = |tensor: Tensor| tensor.to_dtype(clip.dtype());
        let mut all = vec![("ctx".to_owned(), initial_context(clip, &texts.prompts, self.ctx)?)];
        let first = linear(to, from, stream, clip.device())?;
        let deep = linear(to, from, stream, clip.device())?;
        for block in 1..self.depth {
            let drawn = normal(&[self.ctx, from], PROMPT_STD, stream, clip.device())?;
            all.push((deeper(block), typed(drawn)?));
        }
        for block in 0..self.depth {
            let [weight, bias] = if block == 0 { &first } else { &deep };
            let name = projection(block);
            all.push((format!("{name}.weight"), typed(weight.clone())?));
            all.push((format!("{name}.bias"), typed(bias.clone())?));
        }
        Parameters::new(all.iter().map(|(name, value)| (name.as_str(), value.clone())).collect())
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        let (ctx, depth) = (self.ctx, self.depth);
        Sizes { vision_ctx: ctx, vision_depth: depth, text_ctx: ctx, text_depth: depth }.work(shape)
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
        let (text, vision) = match parameters {
            Some(each) => {
                let text = self.text(clip, each)?;
                let vision = self.vision(clip, each, &text)?;
                (text, Some(vision))
            }
            None => {
                let first = initial_context(clip, &texts.prompts, self.ctx)?;
                (Prompts { first, deeper: Vec::new() }, None)
            }
        };
        token_rows(clip, &texts.prompts, images, Some(&text), vision.as_ref())
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        self.fits(clip)?;
        Ok(Box::new(MaPleHead { clip: clip.clone(), prompts: texts.prompts.clone(), method: *self }))
    }
}

struct MaPleHead {
    clip: Arc<Clip>,
    prompts: Vec<Vec<u32>>,
    method: MaPle,
}

impl Head for MaPleHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |each| -> Result<Box<dyn Classifier>, MethodError> {
            let text = self.method.text(&self.clip, each)?;
            let vision = Some(self.method.vision(&self.clip, each, &text)?);
            let text = text_features(&self.clip, &self.prompts, &text)?;
            let cosine = CosineHead { text, scale: self.clip.logit_scale().clone() };
            Ok(Box::new(Deep { clip: self.clip.clone(), cosine, vision }))
        })
    }
}
