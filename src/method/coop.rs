//! CoOp (arXiv 2109.01134): trained context vectors shared by all classes, class name at the end.
//!
//! [SOS, ctx, class tokens, ".", EOS]; positions are added. The context comes first, so its keys and
//! values are the same for every class: it is computed once per step, with its graph.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::classifier::Classifier;
use super::contract::{Head, Method};
use super::entry::{Entry, Family};
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::{Named, Parameters};
use super::published::{Publication, PublishedSize, PublishedTensor, TEXT_WIDTH, rows};
use super::sets::{ClassifierSet, OneByOne};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::token_rows::{Sequence, TokenRows, Untouched, text_rows, vision_rows};
use super::work::{Shape, Work};
use super::zero_shot::CosineHead;
use crate::backbone::nn::l2_normalise;
use crate::backbone::{Clip, TextLayout};
use crate::util::rng::Stream;

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct CoOp {
    /// Context vectors; they replace the first words of the template, which initialise them.
    context_tokens: usize,
}

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "coop",
    aliases: &[],
    name: "CoOp",
    summary: "trained context vectors in front of every class name",
    family: Family::Prompts,
    color: (86, 180, 233),
    switches: &[],
    published: Publication {
        tensors: &[PublishedTensor::new("ctx", 2).telling().sizing("context_tokens", rows)],
        size: Some(PublishedSize {
            settings: &["context_tokens"],
            scalars: |settings| Some(settings.first()? * TEXT_WIDTH),
        }),
    },
    defaults: include_str!("../../suites/methods/coop.toml"),
    build,
};

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: CoOp = parse("coop", table)?;
    if method.context_tokens == 0 {
        return Err(setting("coop", "context_tokens is 0: at least one vector is trained".to_owned()));
    }
    Ok(Box::new(method))
}

/// Class prompts whose first tokens behind SOS are trained context vectors.
#[derive(Clone)]
pub(super) struct Context {
    clip: Arc<Clip>,
    layout: TextLayout,
    /// SOS embedding `[1, width]`.
    start: Tensor,
}

/// Embeddings of the `count` words behind SOS, `[count, width]`: the context's initial value.
pub(super) fn initial_context(
    clip: &Clip,
    prompts: &[Vec<u32>],
    count: usize,
) -> Result<Tensor, MethodError> {
    let layout = TextLayout::new(prompts, 1 + count, clip.config.context_length)?;
    Ok(clip.text.embed(&layout.prefix()[1..])?)
}

impl Context {
    pub fn new(clip: &Arc<Clip>, prompts: &[Vec<u32>], count: usize) -> Result<Self, MethodError> {
        let layout = TextLayout::new(prompts, 1 + count, clip.config.context_length)?;
        let start = clip.text.embed(&layout.prefix()[..1])?;
        Ok(Self { clip: clip.clone(), layout, start })
    }

    /// Shape of the context parameter.
    pub fn shape(&self) -> [usize; 2] {
        [self.layout.prefix().len() - 1, self.clip.config.text.width]
    }

    /// l2-normalised class features `[copies, classes, joint]` for contexts `[copies, count, width]`.
    pub fn features(&self, contexts: &Tensor) -> Result<Tensor, MethodError> {
        let (copies, _, width) = contexts.dims3()?;
        let start = self.start.unsqueeze(0)?.broadcast_as((copies, 1, width))?.contiguous()?;
        let prefix = Tensor::cat(&[&start, contexts], 1)?;
        Ok(l2_normalise(&self.clip.text.encode_prefixed(&prefix, &self.layout)?)?)
    }

    /// The classifiers of several contexts `ctx`; their suffixes are rows of the same products.
    pub fn cosines(&self, parameters: &[Named]) -> Result<Vec<CosineHead>, MethodError> {
        let contexts: Vec<_> =
            parameters.iter().map(|each| each.get("ctx", &self.shape())).collect::<Result<_, _>>()?;
        let texts = self.features(&Tensor::stack(&contexts, 0)?)?;
        let one = |index| -> Result<CosineHead, MethodError> {
            let text = texts.narrow(0, index, 1)?.squeeze(0)?;
            Ok(CosineHead { text, scale: self.scale().clone() })
        };
        (0..contexts.len()).map(one).collect()
    }

    /// exp(τ).
    pub fn scale(&self) -> &Tensor {
        self.clip.logit_scale()
    }
}

/// Token rows of class prompts whose words behind SOS are replaced by each of `contexts` in turn; SOS and
/// whatever stands behind the context are the tokens.
pub(super) fn context_rows(
    clip: &Clip,
    prompts: &[Vec<u32>],
    contexts: &[Tensor],
    images: &ImageBatch,
) -> Result<TokenRows, MethodError> {
    let mut sequences = Vec::new();
    for context in contexts {
        let count = context.dim(0)?;
        for prompt in prompts {
            let words = Sequence::words(clip, prompt)?;
            let behind = words.rows.narrow(0, 1 + count, prompt.len() - 1 - count)?;
            let rows = Tensor::cat(&[&words.rows.narrow(0, 0, 1)?, context, &behind], 0)?;
            let tokens = std::iter::once(0).chain(1 + count as u32..prompt.len() as u32).collect();
            sequences.push(Sequence { rows, positioned: words.positioned, tokens });
        }
    }
    Ok(TokenRows {
        text: text_rows(clip, &sequences, &|_, _, _| false)?,
        vision: vision_rows(clip, images, None, None)?,
    })
}

/// Texts carry the context in front of every other token; nothing of it reaches an image.
pub(super) const TEXT_ONLY: Untouched = Untouched { text: false, vision: true };

/// The work of a context of `count` vectors in front of every class name.
pub(super) fn context_work(shape: &Shape<'_>, count: usize) -> Work {
    let (evaluate, text) = (shape.classes() * shape.joint(), shape.text_unshared(1 + count as u64));
    Work {
        step: 2 * (text + shape.batch * evaluate),
        classifier: text,
        step_bytes: shape.step_bytes(
            (count * shape.config.text.width) as u64,
            shape.classes() + shape.batch,
            shape.classes() * shape.batch,
        ),
        image: shape.image_tokens(),
        evaluate,
        ..Work::default()
    }
}

impl Method for CoOp {
    fn id(&self) -> &'static str {
        "coop"
    }

    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        _: Option<&dyn Shots>,
        _: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        Parameters::new(vec![("ctx", initial_context(clip, &texts.prompts, self.context_tokens)?)])
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        context_work(shape, self.context_tokens)
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
            Some(parameters) => {
                parameters.get("ctx", &[self.context_tokens, clip.config.text.width])?.clone()
            }
            None => initial_context(clip, &texts.prompts, self.context_tokens)?,
        };
        context_rows(clip, &texts.prompts, &[context], images)
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        Ok(Box::new(ContextHead(Context::new(clip, &texts.prompts, self.context_tokens)?)))
    }
}

struct ContextHead(Context);

impl Head for ContextHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let boxed = |one| -> Box<dyn Classifier> { Box::new(one) };
        Ok(Box::new(OneByOne(self.0.cosines(parameters)?.into_iter().map(boxed).collect())))
    }
}
