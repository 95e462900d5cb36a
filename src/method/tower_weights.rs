//! Methods that train weights of the towers themselves: CLIP-LoRA (CVPRW 2024, arXiv 2405.18541) and LayerNorm tuning (as in
//! the repository of 2SFS, CVPR 2025).
//!
//! CLIP-LoRA: W + (α/√r)·B·A on the queries, keys and values of every block; the surprising fact is the root.
//! LN-only: scale and shift of the blocks' LayerNorms; `outer` adds those before and behind the blocks, which the
//! published code means to train and does not.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::contract::{Classifier, Head, Method};
use super::error::MethodError;
use super::images::{ImageBatch, Needs};
use super::parameters::{Named, Parameters};
use super::parts::draws::{linear_bound, uniform};
use super::published::Published;
use super::registry::{Entry, Family, Switch};
use super::sets::{ClassifierSet, OneByOne, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::token_rows::{TokenRows, Untouched, frozen_rows};
use super::work::{Shape, Work};
use super::zero_shot::{CosineHead, text_features};
use crate::backbone::changes::{
    BlockChanges, Dropout, LowRank, Norm, Projection, TextChanges, VisionChanges,
};
use crate::backbone::nn::l2_normalise;
use crate::backbone::{Clip, TextLayout};
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
    published: Published::NONE,
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
    published: Published::NONE,
    defaults: include_str!("../../suites/methods/ln_only.toml"),
    build: build_norms,
};

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lora {
    rank: usize,
    alpha: f64,
    /// Share of the additions' input that a training step leaves out.
    dropout: f64,
}

/// Which towers train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Modality {
    Both,
    Vision,
    Text,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Norms {
    pub modality: Modality,
    /// First block of the vision tower that trains.
    pub vision_start: usize,
    /// First block of the text tower that trains.
    pub text_start: usize,
    /// Whether the LayerNorms outside the blocks train too.
    pub outer: bool,
}

/// What is trained of the towers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Weights {
    Lora(Lora),
    Norms(Norms),
}

fn build_lora(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let lora: Lora = parse(CLIP_LORA.id, table)?;
    if lora.rank == 0 || !lora.alpha.is_finite() || !(0.0..1.0).contains(&lora.dropout) {
        let reason =
            format!("{lora:?}: expected a rank of at least 1, a number, and a dropout from 0 to below 1");
        return Err(setting(CLIP_LORA.id, reason));
    }
    Ok(Box::new(Weights::Lora(lora)))
}

fn build_norms(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    Ok(Box::new(Weights::Norms(parse(LN_ONLY.id, table)?)))
}

/// Changes of both towers; absent where a tower stays frozen.
type Changes = (Option<VisionChanges>, Option<TextChanges>);

/// The towers' names in weights files, with blocks.
const VISION: &str = "vision_model";
const TEXT: &str = "text_model";
/// LayerNorms outside the blocks: before the first and behind the last of the vision tower, behind the last of the text
/// tower.
const OUTER: [&str; 3] =
    ["vision_model.pre_layrnorm", "vision_model.post_layernorm", "text_model.final_layer_norm"];

fn norm_name(model: &str, block: usize, second: bool) -> String {
    format!("{model}.encoder.layers.{block}.layer_norm{}", 1 + usize::from(second))
}

fn projection_name(model: &str, block: usize, projection: Projection) -> String {
    let letter = match projection {
        Projection::Query => "q",
        Projection::Key => "k",
        Projection::Value => "v",
    };
    format!("{model}.encoder.layers.{block}.self_attn.{letter}_proj")
}

impl Weights {
    fn towers(&self) -> [bool; 2] {
        match self {
            Self::Lora(_) => [true; 2],
            Self::Norms(norms) => [norms.modality != Modality::Text, norms.modality != Modality::Vision],
        }
    }

    fn changes(&self, clip: &Clip, parameters: &Named) -> Result<Changes, MethodError> {
        let [vision, text] = self.towers();
        let (of_vision, of_text) = (&clip.config.vision, &clip.config.text);
        let pair = |name: &str, width: usize| norm(parameters, name, width);
        let outer = matches!(self, Self::Norms(norms) if norms.outer);
        let last_text = (outer && text).then(|| pair(OUTER[2], of_text.width)).transpose()?;
        let outer_vision = |name: &str| (outer && vision).then(|| pair(name, of_vision.width)).transpose();
        let (first_norm, last_norm) = (outer_vision(OUTER[0])?, outer_vision(OUTER[1])?);
        let blocks =
            |model: &str, layers, width, start| self.blocks(parameters, model, [layers, width, start]);
        let [vision_start, text_start] = match self {
            Self::Lora(_) => [0; 2],
            Self::Norms(norms) => [norms.vision_start, norms.text_start],
        };
        let vision = vision.then(|| -> Result<_, MethodError> {
            let blocks = blocks(VISION, of_vision.layers, of_vision.width, vision_start)?;
            Ok(VisionChanges { blocks, first_norm, last_norm, ..VisionChanges::default() })
        });
        let text = text.then(|| -> Result<_, MethodError> {
            let blocks = blocks(TEXT, of_text.layers, of_text.width, text_start)?;
            Ok(TextChanges { blocks, last_norm: last_text, ..TextChanges::default() })
        });
        Ok((vision.transpose()?, text.transpose()?))
    }

    fn blocks(
        &self,
        parameters: &Named,
        model: &str,
        [layers, width, start]: [usize; 3],
    ) -> Result<BlockChanges, MethodError> {
        let mut changes = BlockChanges::default();
        for block in start..layers {
            match self {
                Self::Lora(Lora { rank, alpha, .. }) => {
                    for projection in Projection::ALL {
                        let name = projection_name(model, block, projection);
                        let a = parameters.get(&format!("{name}.lora_a"), &[*rank, width])?.clone();
                        let b = parameters.get(&format!("{name}.lora_b"), &[width, *rank])?.clone();
                        let scale = alpha / (*rank as f64).sqrt();
                        changes.low_rank.push(LowRank { block, projection, a, b, scale, dropout: None });
                    }
                }
                Self::Norms(_) => {
                    for second in [false, true] {
                        let values = norm(parameters, &norm_name(model, block, second), width)?;
                        changes.norms.push(Norm { block, second, values });
                    }
                }
            }
        }
        Ok(changes)
    }
}

fn norm(parameters: &Named, name: &str, width: usize) -> Result<[Tensor; 2], MethodError> {
    let get = |part: &str| -> Result<Tensor, MethodError> {
        Ok(parameters.get(&format!("{name}.{part}"), &[width])?.clone())
    };
    Ok([get("weight")?, get("bias")?])
}

/// Initial values: A as PyTorch's linear layers, B zero; LayerNorms as the model has them.
fn initial(
    weights: &Weights,
    clip: &Clip,
    stream: &mut Stream,
) -> Result<Vec<(String, Tensor)>, MethodError> {
    let mut all = Vec::new();
    let towers = [(VISION, &clip.config.vision), (TEXT, &clip.config.text)];
    for (tower, ((model, config), trained)) in towers.into_iter().zip(weights.towers()).enumerate() {
        if !trained {
            continue;
        }
        let width = config.width;
        match weights {
            Weights::Lora(Lora { rank, .. }) => {
                for block in 0..config.layers {
                    for projection in Projection::ALL {
                        let name = projection_name(model, block, projection);
                        let a = uniform(&[*rank, width], linear_bound(width), stream, clip.device())?;
                        all.push((format!("{name}.lora_a"), a.to_dtype(clip.dtype())?));
                        let zeros = Tensor::zeros((width, *rank), clip.dtype(), clip.device())?;
                        all.push((format!("{name}.lora_b"), zeros));
                    }
                }
            }
            Weights::Norms(norms) => {
                let start = [norms.vision_start, norms.text_start][tower];
                for (block, second) in
                    (start..config.layers).flat_map(|block| [(block, false), (block, true)])
                {
                    let own = if tower == 0 {
                        clip.vision.transformer()?.norm(block, second)
                    } else {
                        clip.text.norm(block, second)
                    };
                    all.extend(own.into_iter().flat_map(|pair| named(norm_name(model, block, second), pair)));
                }
                if norms.outer && tower == 0 {
                    let [first, last] = clip.vision.transformer()?.outer_norms();
                    all.extend(named(OUTER[0].to_owned(), first));
                    all.extend(named(OUTER[1].to_owned(), last));
                }
                if norms.outer && tower == 1 {
                    all.extend(named(OUTER[2].to_owned(), clip.text.outer_norm()));
                }
            }
        }
    }
    Ok(all)
}

fn named(name: String, [weight, bias]: [&Tensor; 2]) -> [(String, Tensor); 2] {
    [(format!("{name}.weight"), weight.clone()), (format!("{name}.bias"), bias.clone())]
}

impl Method for Weights {
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
        let all = initial(self, clip, stream)?;
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

/// Towers with trained weights, and a class set.
pub(super) struct WeightsHead {
    pub clip: Arc<Clip>,
    /// Token ids BOS … EOS of every class.
    pub prompts: Vec<Vec<u32>>,
    layout: TextLayout,
    /// Text features, where the text tower stays frozen.
    frozen: Option<Tensor>,
    weights: Weights,
}

impl WeightsHead {
    /// Binds to a class set.
    pub fn new(weights: Weights, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Self, MethodError> {
        let frozen = match weights.towers()[1] {
            false => Some(text_features(clip, &texts.prompts)?),
            true => None,
        };
        let layout = TextLayout::shared(&texts.prompts, clip.config.context_length)?;
        Ok(Self { clip: clip.clone(), prompts: texts.prompts.clone(), layout, frozen, weights })
    }

    /// The model with the trained weights of the vision and the text tower, as wanted, in place of its own.
    pub fn tuned(
        &self,
        parameters: &Named,
        [of_vision, of_text]: [bool; 2],
    ) -> Result<Arc<Clip>, MethodError> {
        let (vision, text) = self.weights.changes(&self.clip, parameters)?;
        let (vision, text) = (vision.filter(|_| of_vision), text.filter(|_| of_text));
        Ok(Arc::new(self.clip.merged(vision.as_ref(), text.as_ref())?))
    }

    /// A classifier of these class features `[classes, joint]`, l2-normalised, over the image tower as it is trained.
    pub fn frozen_at(&self, parameters: &Named, text: Tensor) -> Result<Tuned, MethodError> {
        let changed = self.weights.towers()[0];
        Ok(Tuned {
            clip: self.tuned(parameters, [true, false])?,
            cosine: CosineHead { text, scale: self.clip.logit_scale().clone() },
            vision: changed.then(VisionChanges::default),
            merged: true,
        })
    }

    /// Parameters that carry a graph go through the changed tower; plain ones are merged into a frozen one, which is
    /// faster and, with nothing changed, zero-shot to the bit.
    pub fn one(&self, parameters: &Named) -> Result<Tuned, MethodError> {
        self.in_step(parameters, None)
    }

    /// The same within a training step with these random numbers.
    fn in_step(&self, parameters: &Named, noise: Option<&str>) -> Result<Tuned, MethodError> {
        let trained = parameters.iter().any(|(_, tensor)| tensor.track_op());
        if !trained {
            let text = match &self.frozen {
                Some(frozen) => frozen.clone(),
                None => text_features(&*self.tuned(parameters, [false, true])?, &self.prompts)?,
            };
            return self.frozen_at(parameters, text);
        }
        let (mut vision, mut text) = self.weights.changes(&self.clip, parameters)?;
        if let (Weights::Lora(Lora { dropout, .. }), Some(noise)) =
            (self.weights, noise.filter(|_| self.drops()))
        {
            let of_vision = vision.iter_mut().map(|changes| ("vision", &mut changes.blocks));
            let of_text = text.iter_mut().map(|changes| ("text", &mut changes.blocks));
            for (tower, blocks) in of_vision.chain(of_text) {
                for low in &mut blocks.low_rank {
                    low.dropout = Some(Dropout::new(dropout, &format!("{noise} {tower}")));
                }
            }
        }
        let features = match (&text, &self.frozen) {
            (Some(changes), _) => l2_normalise(&self.clip.text.encode_changed(&self.layout, changes)?)?,
            (None, Some(frozen)) => frozen.clone(),
            (None, None) => text_features(&self.clip, &self.prompts)?,
        };
        let scale = self.clip.logit_scale().clone();
        Ok(Tuned {
            clip: self.clip.clone(),
            cosine: CosineHead { text: features, scale },
            vision,
            merged: false,
        })
    }
}

impl WeightsHead {
    fn drops(&self) -> bool {
        matches!(self.weights, Weights::Lora(Lora { dropout, .. }) if dropout > 0.0)
    }
}

impl Head for WeightsHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |each| Ok(Box::new(self.one(each)?)))
    }

    fn step_classifiers(
        &self,
        parameters: &[Named],
        noise: &[Option<&str>],
    ) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let each = parameters.iter().zip(noise);
        let each = each.map(|(each, noise)| Ok(Box::new(self.in_step(each, *noise)?) as Box<dyn Classifier>));
        Ok(Box::new(OneByOne(each.collect::<Result<_, MethodError>>()?)))
    }
}

/// A classifier over towers with trained weights.
pub(super) struct Tuned {
    clip: Arc<Clip>,
    cosine: CosineHead,
    /// Changes of the vision tower; absent where it stays frozen.
    vision: Option<VisionChanges>,
    /// The changes are in the tower's weights already.
    merged: bool,
}

impl Classifier for Tuned {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        match &self.vision {
            None => self.cosine.logits(images),
            Some(_) if self.merged => {
                self.cosine.of_features(&self.clip.vision.encode(images.pixels()?, false)?.features)
            }
            Some(changes) => self
                .cosine
                .of_features(&self.clip.vision.transformer()?.encode_changed(images.pixels()?, changes)?),
        }
    }
}
