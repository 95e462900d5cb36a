//! Independent prompts in both towers: IVLP (as in MaPLe's and PromptSRC's repositories) and VPT on CLIP, which has them on
//! the image side alone and compares with the frozen features of one sentence.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::classifier::Classifier;
use super::contract::{Head, Method};
use super::coop::initial_context;
use super::entry::{Entry, Family};
use super::error::MethodError;
use super::images::{ImageBatch, Needs};
use super::parameters::{Named, Parameters};
use super::parts::deep::{Prompts, image_features, text_features, token_rows};
use super::parts::draws::{PROMPT_STD, normal};
use super::published::{Publication, PublishedSize, PublishedTensor, TEXT_WIDTH, VISION_WIDTH, rows};
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::token_rows::{TokenRows, Untouched};
use super::work::{Shape, Work};
use super::zero_shot::{CosineHead, text_features as frozen_text};
use crate::backbone::Clip;
use crate::backbone::nn::{l2_normalise, matmul};
use crate::util::rng::Stream;

/// How IVLP presents itself.
pub(super) const IVLP: Entry = Entry {
    id: "ivlp",
    aliases: &[],
    name: "IVLP",
    summary: "independent deep prompts in both towers",
    family: Family::Prompts,
    color: (17, 119, 51),
    switches: &[],
    published: Publication { tensors: &ONE_OR_BOTH, mark: None, size: Some(SIZE) },
    defaults: include_str!("../../suites/methods/ivlp.toml"),
    build: build_ivlp,
};

/// How VPT presents itself.
pub(super) const VPT: Entry = Entry {
    id: "vpt",
    aliases: &[],
    name: "VPT",
    summary: "deep prompts in the vision tower, texts frozen",
    family: Family::Prompts,
    color: (221, 204, 119),
    switches: &[],
    published: Publication {
        tensors: &[
            PublishedTensor::new(VISION, 2).telling().sizing("ctx", rows),
            PublishedTensor::new(DEEP_VISION, 2).counted("depth", VISION),
        ],
        mark: None,
        size: Some(PublishedSize {
            settings: &["ctx", "depth"],
            scalars: |settings| Some(settings.iter().product::<u64>() * VISION_WIDTH),
        }),
    },
    defaults: include_str!("../../suites/methods/vpt.toml"),
    build: build_vpt,
};

/// Numbers and depths of prompts; a depth of 0 is a tower without.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sizes {
    /// Prompts of the vision tower.
    pub vision_ctx: usize,
    /// Blocks of the vision tower that get them, the input counted as the first.
    pub vision_depth: usize,
    /// Prompts of the text tower: they take the place of the first words.
    pub text_ctx: usize,
    /// Blocks of the text tower that get them.
    pub text_depth: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vpt {
    ctx: usize,
    depth: usize,
}

fn build_ivlp(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let sizes = parse::<Sizes>(IVLP.id, table)?.checked(IVLP.id)?;
    Ok(Box::new(Independent { id: IVLP.id, sizes }))
}

fn build_vpt(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let Vpt { ctx, depth } = parse(VPT.id, table)?;
    let sizes = Sizes { vision_ctx: ctx, vision_depth: depth, text_ctx: 0, text_depth: 0 };
    Ok(Box::new(Independent { id: VPT.id, sizes: sizes.checked(VPT.id)? }))
}

/// Names as in the authors' checkpoints.
const TEXT: &str = "ctx";
const VISION: &str = "image_encoder.VPT";
const DEEP_TEXT: &str = "text_encoder.transformer.resblocks.{}.VPT_shallow";
const DEEP_VISION: &str = "image_encoder.transformer.resblocks.{}.VPT_shallow";

/// Tensors of files with prompts in both towers: the text context belongs to a module of its own there.
pub(super) const BOTH: [PublishedTensor; 4] = [
    PublishedTensor::new("prompt_learner.ctx", 2).called(TEXT).telling().sizing("text_ctx", rows),
    PublishedTensor::new(DEEP_TEXT, 2).counted("text_depth", TEXT),
    PublishedTensor::new(VISION, 2).telling().sizing("vision_ctx", rows),
    PublishedTensor::new(DEEP_VISION, 2).counted("vision_depth", VISION),
];

/// The same, where a tower may have none.
const ONE_OR_BOTH: [PublishedTensor; 4] =
    [BOTH[0].or_none(), BOTH[1].or_none(), BOTH[2].or_none(), BOTH[3].or_none()];

/// Scalars of independent prompts in both towers.
pub(super) const SIZE: PublishedSize = PublishedSize {
    settings: &["vision_ctx", "vision_depth", "text_ctx", "text_depth"],
    scalars: |settings| {
        let &[vision_ctx, vision_depth, text_ctx, text_depth] = settings else { return None };
        Some(vision_ctx * vision_depth * VISION_WIDTH + text_ctx * text_depth * TEXT_WIDTH)
    },
};

fn deeper(pattern: &str, block: usize) -> String {
    pattern.replace("{}", &block.to_string())
}

impl Sizes {
    /// Refuses prompts without depth, depth without prompts, and no prompt at all.
    pub fn checked(self, id: &str) -> Result<Self, MethodError> {
        let sides = [(self.vision_ctx, self.vision_depth), (self.text_ctx, self.text_depth)];
        if sides.iter().any(|(n, depth)| (*n == 0) != (*depth == 0)) || sides == [(0, 0); 2] {
            return Err(setting(
                id,
                format!("{self:?}: a tower with prompts needs a number and a depth of at least 1"),
            ));
        }
        Ok(self)
    }

    /// Initial values: words for a short text context, N(0, 0.02²) for everything else.
    pub fn init(
        &self,
        clip: &Clip,
        prompts: &[Vec<u32>],
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        let config = &clip.config;
        self.fits(config.vision.layers, config.text.layers)?;
        let mut draw = |n: usize, width: usize| {
            normal(&[n, width], PROMPT_STD, stream, clip.device())?.to_dtype(clip.dtype())
        };
        let mut all: Vec<(String, Tensor)> = Vec::new();
        if self.text_depth > 0 {
            let words = self.text_ctx <= LONGEST_WORDS;
            let first = match words {
                true => initial_context(clip, prompts, self.text_ctx)?,
                false => draw(self.text_ctx, config.text.width)?,
            };
            all.push((TEXT.to_owned(), first));
            for block in 1..self.text_depth {
                all.push((deeper(DEEP_TEXT, block), draw(self.text_ctx, config.text.width)?));
            }
        }
        if self.vision_depth > 0 {
            all.push((VISION.to_owned(), draw(self.vision_ctx, config.vision.width)?));
            for block in 1..self.vision_depth {
                all.push((deeper(DEEP_VISION, block), draw(self.vision_ctx, config.vision.width)?));
            }
        }
        Parameters::new(all.iter().map(|(name, value)| (name.as_str(), value.clone())).collect())
    }

    fn fits(&self, vision: usize, text: usize) -> Result<(), MethodError> {
        if self.vision_depth > vision || self.text_depth > text {
            let reason = format!("{self:?}: the towers have {vision} and {text} blocks");
            return Err(setting("deep prompts", reason));
        }
        Ok(())
    }

    /// Prompts of the text tower, if it has any.
    pub fn text(&self, clip: &Clip, parameters: &Named) -> Result<Option<Prompts>, MethodError> {
        let shape = [self.text_ctx, clip.config.text.width, self.text_depth];
        let named = || Prompts::named(parameters, shape, TEXT, |block| deeper(DEEP_TEXT, block));
        (self.text_depth > 0).then(named).transpose()
    }

    /// Prompts of the vision tower, if it has any.
    pub fn vision(&self, clip: &Clip, parameters: &Named) -> Result<Option<Prompts>, MethodError> {
        let shape = [self.vision_ctx, clip.config.vision.width, self.vision_depth];
        let named = || Prompts::named(parameters, shape, VISION, |block| deeper(DEEP_VISION, block));
        (self.vision_depth > 0).then(named).transpose()
    }

    /// Multiply-adds and bytes of the two towers.
    pub fn work(&self, shape: &Shape<'_>) -> Work {
        let prompted_text = shape.text_unshared(1 + self.text_ctx as u64);
        let [frozen_text, trained_text] =
            if self.text_depth > 0 { [0, prompted_text] } else { [shape.text_tokens(), 0] };
        let image = shape.image_prompted(self.vision_ctx as u64);
        let prompted = if self.vision_depth > 0 { image } else { 0 };
        let evaluate = prompted + shape.classes() * shape.joint();
        Work {
            bind: frozen_text,
            step: 2 * (trained_text + shape.batch * evaluate),
            classifier: trained_text,
            image: if self.vision_depth > 0 { 0 } else { image },
            evaluate,
            step_bytes: shape.step_bytes(0, shape.classes() + shape.batch, shape.classes() * shape.batch),
            ..Work::default()
        }
    }
}

/// Longer contexts start at random in the published code.
const LONGEST_WORDS: usize = 4;

struct Independent {
    id: &'static str,
    sizes: Sizes,
}

impl Method for Independent {
    fn id(&self) -> &'static str {
        self.id
    }

    fn needs(&self) -> Needs {
        if self.sizes.vision_depth > 0 { Needs::PIXELS } else { Needs::POOLED }
    }

    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        _: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        self.sizes.init(clip, &texts.prompts, stream)
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        self.sizes.work(shape)
    }

    fn untouched(&self) -> Untouched {
        Untouched { text: self.sizes.text_depth == 0, vision: self.sizes.vision_depth == 0 }
    }

    fn token_rows(
        &self,
        clip: &Arc<Clip>,
        texts: &ClassTexts,
        parameters: Option<&Named>,
        images: &ImageBatch,
    ) -> Result<TokenRows, MethodError> {
        let (text, vision) = match parameters {
            Some(each) => (self.sizes.text(clip, each)?, self.sizes.vision(clip, each)?),
            None => (None, None),
        };
        let text = match (text, self.sizes.text_depth) {
            (None, 1..) => {
                let words = initial_context(clip, &texts.prompts, self.sizes.text_ctx)?;
                Some(Prompts { first: words, deeper: Vec::new() })
            }
            (text, _) => text,
        };
        token_rows(clip, &texts.prompts, images, text.as_ref(), vision.as_ref())
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        self.sizes.fits(clip.config.vision.layers, clip.config.text.layers)?;
        let frozen = match self.sizes.text_depth {
            0 => Some(frozen_text(clip, &texts.prompts)?),
            _ => None,
        };
        let prompts = texts.prompts.clone();
        Ok(Box::new(DeepHead { clip: clip.clone(), prompts, frozen, sizes: self.sizes }))
    }
}

/// Deep prompts bound to a class set.
pub(super) struct DeepHead {
    pub clip: Arc<Clip>,
    pub prompts: Vec<Vec<u32>>,
    /// Text features, where no text prompt changes them.
    pub frozen: Option<Tensor>,
    pub sizes: Sizes,
}

impl DeepHead {
    /// One classifier.
    pub fn one(&self, parameters: &Named) -> Result<Deep, MethodError> {
        let text = match (self.sizes.text(&self.clip, parameters)?, &self.frozen) {
            (Some(deep), _) => text_features(&self.clip, &self.prompts, &deep)?,
            (None, Some(frozen)) => frozen.clone(),
            (None, None) => frozen_text(&self.clip, &self.prompts)?,
        };
        let cosine = CosineHead { text, scale: self.clip.logit_scale().clone() };
        Ok(Deep { clip: self.clip.clone(), cosine, vision: self.sizes.vision(&self.clip, parameters)? })
    }
}

impl Head for DeepHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |each| Ok(Box::new(self.one(each)?)))
    }
}

/// A classifier with prompts in the vision tower.
pub(super) struct Deep {
    pub clip: Arc<Clip>,
    pub cosine: CosineHead,
    pub vision: Option<Prompts>,
}

impl Deep {
    /// l2-normalised image features `[batch, joint]`.
    pub fn features(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        match &self.vision {
            Some(deep) => image_features(&self.clip, images, deep),
            None => Ok(l2_normalise(images.pooled()?)?),
        }
    }

    /// Logits of l2-normalised features.
    pub fn of_directions(&self, features: &Tensor) -> Result<Tensor, MethodError> {
        Ok(matmul(features, &self.cosine.text.t()?)?.broadcast_mul(&self.cosine.scale)?)
    }
}

impl Classifier for Deep {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        self.of_directions(&self.features(images)?)
    }
}
