//! TCP (CVPR 2024, arXiv 2311.18231): CoOp's context, and prompts of every class's own inside the tower.
//!
//! Before one block the context's rows are overwritten by W₂·qgelu(W₁·t̂_c + b₁) + b₂, t̂ the frozen features of a
//! hand-written sentence; new classes pass through the same network. L = CE + 8·(1 − mean_c cos(t_c, t̂_c)). From
//! that block on classes share no row but SOS.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::contract::{Head, Method};
use super::coop::initial_context;
use super::entry::{Entry, Family};
use super::error::MethodError;
use super::images::ImageBatch;
use super::kgcoop::held;
use super::parameters::{Named, Parameters};
use super::parts::deep::{replace_rows, text_tokens_between};
use super::parts::draws::{PROMPT_STD, linear, normal};
use super::parts::texts::first_wording;
use super::published::Publication;
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::token_rows::{TokenRows, Untouched, vision_rows};
use super::work::{Shape, Work};
use super::zero_shot::CosineHead;
use crate::backbone::changes::{TextChanges, TextRows};
use crate::backbone::nn::{activate, l2_normalise, matmul};
use crate::backbone::{Activation, Clip, TextLayout};
use crate::util::rng::Stream;

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "tcp",
    aliases: &[],
    name: "TCP",
    summary: "a context, and prompts of every class's own inside the text tower",
    family: Family::Prompts,
    color: (68, 119, 170),
    switches: &[],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/tcp.toml"),
    build,
};

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tcp {
    /// Context vectors, and prompts of each class.
    ctx: usize,
    /// The block before which classes get theirs; 0 for none, since the context is there.
    layer: usize,
    /// Weight of the distance to the hand-written sentence.
    weight: f64,
}

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: Tcp = parse(ENTRY.id, table)?;
    if method.ctx == 0 || !(method.weight.is_finite() && method.weight >= 0.0) {
        let reason = format!("{method:?}: expected ctx of at least 1 and a weight ≥ 0");
        return Err(setting(ENTRY.id, reason));
    }
    Ok(Box::new(method))
}

/// The network's hidden width is a quarter of the joint space.
const REDUCTION: usize = 4;

impl Tcp {
    fn fits(&self, clip: &Clip) -> Result<(), MethodError> {
        let layers = clip.config.text.layers;
        if self.layer >= layers {
            return Err(setting(
                ENTRY.id,
                format!("layer is {}: the text tower has {layers} blocks", self.layer),
            ));
        }
        Ok(())
    }

    /// Every class's prompts `[classes, ctx, width]` of teacher features `[classes, joint]`.
    fn class_prompts(
        &self,
        parameters: &Named,
        teacher: &Tensor,
        width: usize,
    ) -> Result<Tensor, MethodError> {
        let (classes, joint) = teacher.dims2()?;
        let (hidden, out) = ((joint / REDUCTION).max(1), self.ctx * width);
        let layer = |x: &Tensor, name: &str, [outputs, inputs]: [usize; 2]| -> Result<Tensor, MethodError> {
            let weight = parameters.get(&format!("meta_net.{name}.weight"), &[outputs, inputs])?;
            let bias = parameters.get(&format!("meta_net.{name}.bias"), &[outputs])?;
            Ok(matmul(x, &weight.t()?)?.broadcast_add(bias)?)
        };
        let inner = activate(&layer(teacher, "linear1", [hidden, joint])?, Activation::QuickGelu)?;
        Ok(layer(&inner, "linear2", [out, hidden])?.reshape((classes, self.ctx, width))?)
    }
}

impl Method for Tcp {
    fn id(&self) -> &'static str {
        ENTRY.id
    }

    fn init(
        &self,
        clip: &Clip,
        _: &ClassTexts,
        _: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        self.fits(clip)?;
        let (joint, width) = (clip.config.projection_dim, clip.config.text.width);
        let hidden = (joint / REDUCTION).max(1);
        let typed = |tensor: Tensor| tensor.to_dtype(clip.dtype());
        let ctx = normal(&[self.ctx, width], PROMPT_STD, stream, clip.device())?;
        if self.layer == 0 {
            return Parameters::new(vec![("ctx", typed(ctx)?)]);
        }
        let [w1, b1] = linear(hidden, joint, stream, clip.device())?;
        let [w2, b2] = linear(self.ctx * width, hidden, stream, clip.device())?;
        Parameters::new(vec![
            ("ctx", typed(ctx)?),
            ("meta_net.linear1.weight", typed(w1)?),
            ("meta_net.linear1.bias", typed(b1)?),
            ("meta_net.linear2.weight", typed(w2)?),
            ("meta_net.linear2.bias", typed(b2)?),
        ])
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        let hidden = (shape.joint() as usize / REDUCTION).max(1) as u64;
        let net =
            shape.classes() * hidden * (shape.joint() + self.ctx as u64 * shape.config.text.width as u64);
        let (evaluate, text) = (shape.classes() * shape.joint(), shape.text_unshared(1) + net);
        Work {
            bind: shape.text_tokens(),
            step: 2 * (text + shape.batch * evaluate),
            classifier: text,
            image: shape.image_tokens(),
            evaluate,
            step_bytes: shape.step_bytes(0, shape.classes() + shape.batch, shape.classes() * shape.batch),
            ..Work::default()
        }
    }

    fn untouched(&self) -> Untouched {
        Untouched { text: false, vision: true }
    }

    fn token_rows(
        &self,
        clip: &Arc<Clip>,
        texts: &ClassTexts,
        parameters: Option<&Named>,
        images: &ImageBatch,
    ) -> Result<TokenRows, MethodError> {
        let width = clip.config.text.width;
        let vision = vision_rows(clip, images, None, None)?;
        let Some(parameters) = parameters else {
            let words = initial_context(clip, &texts.prompts, self.ctx)?;
            let text = text_tokens_between(clip, &texts.prompts, &words, &mut |_, x| Ok(x))?;
            return Ok(TokenRows { text, vision });
        };
        let teacher = || first_wording(clip, texts);
        let own = match self.layer {
            0 => None,
            _ => Some(self.class_prompts(parameters, &teacher()?, width)?),
        };
        let first = parameters.get("ctx", &[self.ctx, width])?;
        let text = text_tokens_between(clip, &texts.prompts, first, &mut |block, x| match &own {
            Some(own) if block == self.layer => replace_rows(&x, own, 1),
            _ => Ok(x),
        })?;
        Ok(TokenRows { text, vision })
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        self.fits(clip)?;
        // The context takes the words' places, so every prompt must have them.
        TextLayout::new(&texts.prompts, 1 + self.ctx, clip.config.context_length)?;
        let layout = TextLayout::new(&texts.prompts, 1, clip.config.context_length)?;
        Ok(Box::new(TcpHead {
            clip: clip.clone(),
            layout,
            teacher: first_wording(clip, texts)?,
            method: *self,
        }))
    }
}

struct TcpHead {
    clip: Arc<Clip>,
    layout: TextLayout,
    /// l2-normalised `[classes, joint]`.
    teacher: Tensor,
    method: Tcp,
}

impl Head for TcpHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let (n, width, classes) = (self.method.ctx, self.clip.config.text.width, self.layout.classes());
        one_by_one(parameters, |each| {
            let context = (each.get("ctx", &[n, width])? + self.clip.text.positions(1, n)?)?;
            let context = context.unsqueeze(0)?.broadcast_as((classes, n, width))?.contiguous()?;
            let mut rows = vec![TextRows { block: 0, first: 1, values: context }];
            if self.method.layer > 0 {
                let own = self.method.class_prompts(each, &self.teacher, width)?;
                rows.push(TextRows { block: self.method.layer, first: 1, values: own });
            }
            let changes = TextChanges { rows, ..TextChanges::default() };
            let text = l2_normalise(&self.clip.text.encode_changed(&self.layout, &changes)?)?;
            let cosine = CosineHead { text, scale: self.clip.logit_scale().clone() };
            held(cosine, &self.teacher, self.method.weight)
        })
    }
}
