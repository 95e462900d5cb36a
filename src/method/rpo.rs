//! RPO, read-only prompts (ICCV 2023, arXiv 2308.14960): K readers a tower over frozen tokens.
//!
//! Nobody attends to a prompt, so token features are the frozen model's and each prompt is an
//! independent reader of cached keys and values (paper, section 3.2). logit(x, c) =
//! exp(τ)·(1/K)·Σᵢ vᵢ(x)·tᵢ(c). Without the mask (`mask = false`) prompts are ordinary tokens and an image's
//! whole sequence is run, from its first attention on.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Tensor};
use serde::Deserialize;

use super::contract::{Head, Lockstep, Method};
use super::entry::{Entry, Family, Switch};
use super::error::MethodError;
use super::images::{ImageBatch, Needs};
use super::parameters::{Named, Parameters};
use super::parts::pairing::{Pairing, paired_logits};
use super::published::{Publication, PublishedSize, PublishedTensor, TEXT_WIDTH, VISION_WIDTH, rows};
use super::rpo_full::{FullSequences, Visibility, prompted_rows};
use super::rpo_ordinary::OrdinaryHead;
use super::sets::{ClassifierSet, Shares};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::token_rows::{TokenRows, Untouched, frozen_rows};
use super::work::{Shape, Work};
use crate::backbone::nn::l2_normalise;
use crate::backbone::{Clip, TextLayout, TokenCache};
use crate::util::rng::Stream;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rpo {
    /// Prompts per tower.
    k: usize,
    initialisation: Initialisation,
    /// Noise of the ST-initialisation.
    st_noise: StNoise,
    /// Size of that noise.
    st_scale: f64,
    /// The read-only mask.
    mask: bool,
    pairing: Pairing,
    computation: Computation,
}

/// How RPO is computed; the numbers agree but for their last bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Computation {
    /// Prompt rows over cached keys and values; without the mask, images as whole sequences from the first attention on.
    Cached,
    /// Whole sequences under a mask, texts padded to the model's length: the published code.
    FullSequences,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Initialisation {
    /// Around the CLS embedding and the EOS token embedding.
    SpecialToken,
    /// N(0, 0.02²).
    Random,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StNoise {
    /// A random direction of unit length, times the scale: the published code.
    Unit,
    /// N(0, I) times the scale: the paper's text.
    Gaussian,
}

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "rpo",
    aliases: &[],
    name: "RPO",
    summary: "read-only prompts: K readers a tower over frozen tokens",
    family: Family::Prompts,
    color: (213, 94, 0),
    switches: &[
        Switch {
            key: "raw_class_names",
            published: "true",
            why: "As for LP.",
            test: "raw_class_names_keep_their_underscores",
        },
        Switch {
            key: "st_noise",
            published: "\"unit\"",
            why: "Noise of the ST-initialisation: a unit direction (code) or N(0, I) (`gaussian`, the paper's text), times 0.1.",
            test: "noise_has_unit_length_or_unit_variance",
        },
        Switch {
            key: "initialisation",
            published: "\"special_token\"",
            why: "Around the CLS and EOS embeddings, or N(0, 0.02²) (`random`, an ablation of the paper).",
            test: "random_prompts_ignore_the_special_tokens",
        },
        Switch {
            key: "mask",
            published: "true",
            why: "The read-only mask; false makes prompts ordinary tokens (an ablation of the paper).",
            test: "without_the_mask_prompts_are_ordinary_tokens",
        },
    ],
    published: Publication {
        tensors: &[
            PublishedTensor::new("text_prompt", 2).telling().sizing("k", rows),
            PublishedTensor::new("img_prompt", 2).called("visual_prompt"),
        ],
        mark: None,
        size: Some(PublishedSize {
            settings: &["k"],
            scalars: |settings| Some(settings.first()? * (TEXT_WIDTH + VISION_WIDTH)),
        }),
    },
    defaults: include_str!("../../suites/methods/rpo.toml"),
    build,
};

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: Rpo = parse("rpo", table)?;
    if method.k == 0 {
        return Err(setting("rpo", "k is 0: at least one prompt is trained".to_owned()));
    }
    if !(method.st_scale.is_finite() && method.st_scale >= 0.0) {
        return Err(setting("rpo", format!("st_scale is {}: expected a number ≥ 0", method.st_scale)));
    }
    Ok(Box::new(method))
}

/// Standard deviation of the random initialisation.
const RANDOM_STD: f64 = 0.02;

impl Rpo {
    /// `[k, width]` around the special token `[width]`.
    fn initial(&self, special: &Tensor, stream: &mut Stream) -> Result<Tensor, MethodError> {
        let width = special.dim(0)?;
        let centre: Vec<f32> = special.to_dtype(DType::F32)?.to_vec1()?;
        let mut values = Vec::with_capacity(self.k * width);
        for _ in 0..self.k {
            let noise: Vec<f64> = (0..width).map(|_| stream.normal()).collect();
            let length = noise.iter().map(|z| z * z).sum::<f64>().sqrt();
            let (base, factor) = match (self.initialisation, self.st_noise) {
                (Initialisation::Random, _) => (0.0, RANDOM_STD),
                (Initialisation::SpecialToken, StNoise::Unit) => (1.0, self.st_scale / length),
                (Initialisation::SpecialToken, StNoise::Gaussian) => (1.0, self.st_scale),
            };
            values.extend(noise.iter().zip(&centre).map(|(z, c)| (base * f64::from(*c) + factor * z) as f32));
        }
        Ok(Tensor::from_vec(values, (self.k, width), special.device())?.to_dtype(special.dtype())?)
    }
}

impl Method for Rpo {
    fn id(&self) -> &'static str {
        "rpo"
    }

    fn needs(&self) -> Needs {
        match (self.computation, self.mask) {
            (Computation::FullSequences, _) => Needs::PIXELS,
            (Computation::Cached, true) => Needs::TOKENS,
            // No cache can serve: the tokens change as soon as they attend.
            (Computation::Cached, false) => Needs::ENTERING,
        }
    }

    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        _: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        let layout = TextLayout::shared(&texts.prompts, clip.config.context_length)?;
        let eos = layout.suffix_ids().last().map_or(&[] as &[u32], std::slice::from_ref);
        let eos = clip.text.embed(eos)?.squeeze(0)?;
        Parameters::new(vec![
            ("text_prompt", self.initial(&eos, stream)?),
            ("visual_prompt", self.initial(clip.vision.transformer()?.class_embedding(), stream)?),
        ])
    }

    fn lockstep(&self, clip: &Clip, classes: usize, batch: usize) -> Lockstep {
        let cached = self.mask && self.computation == Computation::Cached;
        if !cached || !clip.rows_keep_bits(self.k) {
            return Lockstep::default();
        }
        // Beyond that a step is cut into chunks of fewer classes or images than it would be alone.
        let rows = self.k.saturating_mul(classes.max(batch).max(1));
        let settings = &["initialisation", "st_noise", "st_scale"];
        Lockstep { settings, at_most: clip.max_rows() / rows }
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        let k = self.k as u64;
        let whole = self.computation == Computation::FullSequences;
        let (text, image) = match (whole, self.mask) {
            (true, _) => (shape.text_whole(k, shape.config.context_length as u64), shape.image_whole(k)),
            (false, true) => (shape.text_readers(k), shape.image_readers(k)),
            (false, false) => (shape.text_followers(k), shape.image_beside(k)),
        };
        // What is made of an image before any prompt, and the memory it takes.
        let (before, kept_image_bytes) = match (whole, self.mask) {
            (true, _) => (0, 0),
            (false, true) => (shape.image_tokens(), shape.image_cache_bytes()),
            (false, false) => (shape.image_entering(), shape.image_entering_bytes()),
        };
        let evaluate = image + k * shape.classes() * shape.joint();
        Work {
            bind: if whole { 0 } else { shape.text_tokens() },
            step: text.saturating_add(shape.batch.saturating_mul(evaluate)).saturating_mul(2),
            classifier: text,
            image: before,
            evaluate,
            kept_text_bytes: if whole { 0 } else { shape.text_cache_bytes() },
            kept_image_bytes,
            step_bytes: shape.reader_bytes(k).saturating_add(shape.step_bytes(
                k * (shape.config.text.width + shape.config.vision.width) as u64,
                k * (shape.classes() + shape.batch),
                k * shape.classes() * shape.batch,
            )),
        }
    }

    /// Texts are safe in any case: prompts stand behind EOS, and attention is causal.
    fn untouched(&self) -> Untouched {
        Untouched { text: true, vision: self.mask }
    }

    fn token_rows(
        &self,
        clip: &Arc<Clip>,
        texts: &ClassTexts,
        parameters: Option<&Named>,
        images: &ImageBatch,
    ) -> Result<TokenRows, MethodError> {
        let Some(parameters) = parameters else { return frozen_rows(clip, &texts.prompts, images) };
        let visibility = if self.mask { Visibility::ReadOnly } else { Visibility::Ordinary };
        prompted_rows(clip, &texts.prompts, parameters, images, visibility)
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        let prompts = &texts.prompts;
        if self.computation == Computation::FullSequences {
            let visibility = if self.mask { Visibility::ReadOnly } else { Visibility::Ordinary };
            let full = FullSequences::new(clip, prompts, visibility)?;
            return Ok(Box::new(full.with_pairing(self.pairing).padded_to(clip.config.context_length)));
        }
        if !self.mask {
            return Ok(Box::new(OrdinaryHead::new(clip, prompts, self.pairing)?));
        }
        let layout = TextLayout::shared(prompts, clip.config.context_length)?;
        let texts = clip.text.encode(&layout)?;
        let (clip, pairing) = (clip.clone(), self.pairing);
        Ok(Box::new(ReadOnlyHead { clip, cache: texts.cache, keys: texts.keys, pairing }))
    }
}

struct ReadOnlyHead {
    clip: Arc<Clip>,
    cache: TokenCache,
    keys: Vec<Vec<Range<usize>>>,
    pairing: Pairing,
}

impl ReadOnlyHead {
    /// The classifiers of several parameters, whose readers of a class or an image attend in so many groups.
    fn set(&self, parameters: &[Named], groups: usize) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let config = &self.clip.config;
        let (mut k, mut text, mut visual) = (0, Vec::new(), Vec::new());
        for each in parameters {
            let prompt = each.get("text_prompt", &[k, config.text.width])?;
            k = prompt.dim(0)?;
            text.push(prompt);
            visual.push(each.get("visual_prompt", &[k, config.vision.width])?.clone());
        }
        let text = self.clip.text.read(&Tensor::cat(&text, 0)?, groups, &self.cache, &self.keys)?;
        let text = parts(&l2_normalise(&text)?, 1, k)?;
        Ok(Box::new(ReadOnly { clip: self.clip.clone(), visual, text, groups, pairing: self.pairing }))
    }
}

impl Head for ReadOnlyHead {
    /// Readers never meet, so those of all parameters are rows of the same products.
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        self.set(parameters, 1)
    }

    fn alike_classifiers(
        &self,
        parameters: &[Named],
        _: &[Option<&str>],
    ) -> Result<Box<dyn ClassifierSet>, MethodError> {
        self.set(parameters, parameters.len())
    }
}

/// A tensor cut into parts of `length` along `dim`.
fn parts(tensor: &Tensor, dim: usize, length: usize) -> candle_core::Result<Vec<Tensor>> {
    (0..tensor.dim(dim)? / length).map(|i| tensor.narrow(dim, i * length, length)).collect()
}

/// Text readers, computed, and prompts for images, an entry a classifier.
struct ReadOnly {
    clip: Arc<Clip>,
    /// `[k, width]` each.
    visual: Vec<Tensor>,
    /// `[classes, k, joint]` each, l2-normalised.
    text: Vec<Tensor>,
    /// In how many groups an image's readers attend where every classifier sees every image.
    groups: usize,
    pairing: Pairing,
}

impl ClassifierSet for ReadOnly {
    fn logits(&self, images: &ImageBatch, shares: Shares) -> Result<Vec<Tensor>, MethodError> {
        let (cache, tokens) = images.tokens()?;
        let each = shares.each(self.visual.len(), images)?;
        let (prompts, groups, dim, length) = match shares {
            Shares::All => {
                (Tensor::cat(&self.visual, 0)?.unsqueeze(0)?, self.groups, 1, self.visual[0].dim(0)?)
            }
            Shares::Even => (Tensor::stack(&self.visual, 0)?, 1, 0, each),
        };
        let tower = self.clip.vision.transformer()?;
        let image = l2_normalise(&tower.read(&prompts, groups, (cache, tokens))?)?;
        let scale = self.clip.logit_scale();
        let logits = |(image, text): (&Tensor, &Tensor)| paired_logits(image, text, scale, self.pairing);
        parts(&image, dim, length)?.iter().zip(&self.text).map(logits).collect()
    }
}
