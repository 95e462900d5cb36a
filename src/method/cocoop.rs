//! CoCoOp (arXiv 2203.05557): CoOp's context plus a small network of the image feature.
//!
//! The network's output is added to every context vector, so text features are per image.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::contract::{Head, Method};
use super::coop::{Context, TEXT_ONLY, context_rows, initial_context};
use super::entry::{Entry, Family};
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::{Named, Parameters};
use super::parts::draws::linear;
use super::published::{JOINT_WIDTH, Publication, PublishedSize, PublishedTensor, TEXT_WIDTH, rows};
use super::sets::{ClassifierSet, Shares};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::token_rows::{TokenRows, Untouched};
use super::work::{Shape, Work};
use crate::backbone::Clip;
use crate::backbone::nn::{l2_normalise, matmul};
use crate::util::rng::Stream;

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct CoCoOp {
    /// Context vectors, as CoOp's.
    context_tokens: usize,
    /// The meta-net's hidden width is max(1, joint / reduction).
    reduction: usize,
}

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "cocoop",
    aliases: &[],
    name: "CoCoOp",
    summary: "CoOp's context shifted by a small network of the image feature",
    family: Family::Prompts,
    color: (0, 158, 115),
    switches: &[],
    published: Publication {
        tensors: &[
            PublishedTensor::new("ctx", 2).telling().sizing("context_tokens", rows),
            PublishedTensor::new("meta_net.linear1.weight", 2).telling().sizing("reduction", reduction),
            PublishedTensor::new("meta_net.linear1.bias", 1),
            PublishedTensor::new("meta_net.linear2.weight", 2),
            PublishedTensor::new("meta_net.linear2.bias", 1),
        ],
        size: Some(PublishedSize { settings: &["context_tokens", "reduction"], scalars }),
    },
    defaults: include_str!("../../suites/methods/cocoop.toml"),
    build,
};

/// The setting that a first layer `[hidden, joint]` was built with.
fn reduction(shape: &[usize]) -> Option<usize> {
    let [hidden, joint] = shape else { return None };
    Some(joint.checked_div(*hidden)?.max(1))
}

/// Scalars at ViT-B/16: the context, and two linear layers with biases, joint → hidden → width.
fn scalars(settings: &[u64]) -> Option<u64> {
    let [tokens, reduction] = settings else { return None };
    let hidden = JOINT_WIDTH.checked_div(*reduction)?.max(1);
    Some(tokens * TEXT_WIDTH + hidden * (JOINT_WIDTH + 1) + TEXT_WIDTH * (hidden + 1))
}

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: CoCoOp = parse("cocoop", table)?;
    if method.context_tokens == 0 || method.reduction == 0 {
        return Err(setting("cocoop", "context_tokens and reduction must be at least 1".to_owned()));
    }
    Ok(Box::new(method))
}

impl CoCoOp {
    fn hidden(&self, joint: usize) -> usize {
        (joint / self.reduction).max(1)
    }
}

impl Method for CoCoOp {
    fn id(&self) -> &'static str {
        "cocoop"
    }

    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        _: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        let (joint, width) = (clip.config.projection_dim, clip.config.text.width);
        let hidden = self.hidden(joint);
        let [w1, b1] = linear(hidden, joint, stream, clip.device())?;
        let [w2, b2] = linear(width, hidden, stream, clip.device())?;
        let typed = |t: Tensor| t.to_dtype(clip.dtype());
        Parameters::new(vec![
            ("ctx", initial_context(clip, &texts.prompts, self.context_tokens)?),
            ("meta_net.linear1.weight", typed(w1)?),
            ("meta_net.linear1.bias", typed(b1)?),
            ("meta_net.linear2.weight", typed(w2)?),
            ("meta_net.linear2.bias", typed(b2)?),
        ])
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        let net = self.hidden(shape.config.projection_dim)
            * (shape.config.projection_dim + shape.config.text.width);
        let evaluate = net as u64
            + shape.text_unshared(1 + self.context_tokens as u64)
            + shape.classes() * shape.joint();
        // Every image has a context of its own, and so a text feature of every class.
        let texts = shape.classes() * shape.batch;
        let step_bytes = shape.step_bytes(net as u64, texts + shape.batch, texts);
        Work {
            step: 2 * shape.batch * evaluate,
            step_bytes,
            image: shape.image_tokens(),
            evaluate,
            ..Work::default()
        }
    }

    fn texts_see_images(&self) -> bool {
        true
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
        let contexts = match parameters {
            Some(parameters) => {
                let (joint, width) = (clip.config.projection_dim, clip.config.text.width);
                let net = MetaNet::new(parameters, joint, self.hidden(joint), width)?;
                let ctx = parameters.get("ctx", &[self.context_tokens, width])?;
                let shift = net.shift(&l2_normalise(images.pooled()?)?)?;
                let shifted = |i: usize| ctx.broadcast_add(&shift.narrow(0, i, 1)?);
                (0..images.len()).map(shifted).collect::<candle_core::Result<Vec<_>>>()?
            }
            None => vec![initial_context(clip, &texts.prompts, self.context_tokens)?; images.len()],
        };
        context_rows(clip, &texts.prompts, &contexts, images)
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        let joint = clip.config.projection_dim;
        let context = Context::new(clip, &texts.prompts, self.context_tokens)?;
        Ok(Box::new(ConditionalHead { context, joint, hidden: self.hidden(joint) }))
    }
}

/// The network of the image feature: linear, rectifier, linear.
struct MetaNet {
    linear1: [Tensor; 2],
    linear2: [Tensor; 2],
}

impl MetaNet {
    fn new(parameters: &Named, joint: usize, hidden: usize, width: usize) -> Result<Self, MethodError> {
        let linear = |name: &str, outputs: usize, inputs: usize| -> Result<[Tensor; 2], MethodError> {
            Ok([
                parameters.get(&format!("meta_net.{name}.weight"), &[outputs, inputs])?.t()?,
                parameters.get(&format!("meta_net.{name}.bias"), &[outputs])?.clone(),
            ])
        };
        Ok(Self { linear1: linear("linear1", hidden, joint)?, linear2: linear("linear2", width, hidden)? })
    }

    /// What is added to every context vector, `[images, width]`, for l2-normalised features.
    fn shift(&self, features: &Tensor) -> candle_core::Result<Tensor> {
        let apply = |x: &Tensor, [weight, bias]: &[Tensor; 2]| matmul(x, weight)?.broadcast_add(bias);
        apply(&apply(features, &self.linear1)?.relu()?, &self.linear2)
    }
}

struct ConditionalHead {
    context: Context,
    joint: usize,
    hidden: usize,
}

impl Head for ConditionalHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let [_, width] = self.context.shape();
        let one = |each: &Named| -> Result<_, MethodError> {
            let net = MetaNet::new(each, self.joint, self.hidden, width)?;
            Ok((each.get("ctx", &self.context.shape())?.clone(), net))
        };
        let each = parameters.iter().map(one).collect::<Result<_, _>>()?;
        Ok(Box::new(Conditional { context: self.context.clone(), each }))
    }
}

struct Conditional {
    context: Context,
    /// Context and network of each classifier.
    each: Vec<(Tensor, MetaNet)>,
}

impl ClassifierSet for Conditional {
    fn logits(&self, images: &ImageBatch, shares: Shares) -> Result<Vec<Tensor>, MethodError> {
        let count = self.each.len();
        let features = (0..count)
            .map(|i| Ok(l2_normalise(shares.of(i, count, images)?.pooled()?)?))
            .collect::<Result<Vec<_>, MethodError>>()?;
        let shifts = self.each.iter().zip(&features).map(|((_, net), features)| net.shift(features));
        let shifts = shifts.collect::<candle_core::Result<Vec<_>>>()?;
        let images = shares.each(count, images)?;
        let shifted = |i: usize| self.each[i].0.unsqueeze(0)?.broadcast_add(&shifts[i].unsqueeze(1)?);
        let contexts = (0..count).map(shifted).collect::<candle_core::Result<Vec<_>>>()?;
        // All images in the same products: last bits depend on how many they are, which the grid of a pass decides.
        let texts = self.context.features(&Tensor::cat(&contexts, 0)?)?;
        let logits = |(i, features): (usize, &Tensor)| {
            let texts = texts.narrow(0, i * images, images)?.transpose(1, 2)?;
            matmul(&features.unsqueeze(1)?, &texts)?.squeeze(1)?.broadcast_mul(self.context.scale())
        };
        Ok(features.iter().enumerate().map(logits).collect::<candle_core::Result<_>>()?)
    }
}
