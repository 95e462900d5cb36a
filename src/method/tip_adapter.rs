//! Tip-Adapter and Tip-Adapter-F (ECCV 2022, arXiv 2207.09519): the training images' features as a memory.
//!
//! logits = exp(τ)·cos(f, t) + α·exp(−β(1 − f·Fᵀ))·V with f normalised, F the keys, V their labels, one-hot. The keys
//! are raw features averaged over augmented views, then normalised; F trains them. No transfer to new classes: the
//! memory names the trained ones.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::contract::{Head, Method};
use super::entry::{Entry, Family, Switch};
use super::error::MethodError;
use super::parameters::Parameters;
use super::parts::texts::mean_of_directions;
use super::published::Publication;
use super::settings::{parse, setting};
use super::setup::{ClassTexts, ParameterShape, Pool, Selection, Shots, required};
use super::tip_memory::{LABELS, MemoryHead, WEIGHTS};
use super::work::{Shape, Work};
use super::zero_shot::CosineHead;
use crate::backbone::Clip;
use crate::backbone::nn::l2_normalise;
use crate::util::rng::Stream;

/// Both draw alike.
const DRAW: Switch = Switch {
    key: "draw",
    published: "\"with_replacement\"",
    why: "Published: a class with fewer images than shots is drawn from with replacement, at seed 1 alone. Ours: CoOp's draw, \
          which all methods of a seed share.",
    test: "draws_are_coop_s_unless_told",
};

/// Both cut views alike.
const CROP_SCALE: Switch = Switch {
    key: "crop_scale",
    published: "0.5",
    why: "The least share of an image that a training crop covers. The default is the published one; other methods' is 0.08.",
    test: "crops_are_as_large_as_told",
};

/// How the training-free one presents itself.
pub(super) const FREE: Entry = Entry {
    id: "tip_adapter",
    aliases: &[],
    name: "Tip-Adapter",
    summary: "the training images' features as a memory, nothing trained",
    family: Family::TrainingFree,
    color: (51, 34, 136),
    switches: &[
        Switch {
            key: "selection",
            published: "\"whole_split\"",
            why: "What alpha and beta are chosen by. Published: the whole validation split (on ImageNet the test images), far \
                  more than the shots; its numbers carry a mark. Ours: fixed values; `few` takes at most min(shots, 4) images a \
                  class, `test` the test images.",
            test: "the_memory_is_weighed_as_told",
        },
        DRAW,
        CROP_SCALE,
    ],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/tip_adapter.toml"),
    build: |table| build(FREE.id, table),
};

/// How the trained one presents itself.
pub(super) const TRAINED: Entry = Entry {
    id: "tip_adapter_f",
    aliases: &[],
    name: "Tip-Adapter-F",
    summary: "Tip-Adapter whose memory is trained",
    family: Family::FeatureAdapter,
    color: (68, 170, 153),
    switches: &[
        Switch {
            key: "selection",
            published: "\"test\"",
            why: "What the epoch, alpha and beta are chosen by. Published: the epoch by the test images, alpha and beta by the \
                  whole validation split, and of these and the starting values those that are better on the test images; its \
                  numbers carry a mark. Ours: the last epoch and fixed values; `few` takes at most min(shots, 4) validation \
                  images a class, `whole_split` all of them.",
            test: "the_trained_memory_is_chosen_as_told",
        },
        DRAW,
        CROP_SCALE,
    ],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/tip_adapter_f.toml"),
    build: |table| build(TRAINED.id, table),
};

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Weight of the memory.
    alpha: f64,
    /// How sharply it answers.
    beta: f64,
    /// Augmented views that a key is the mean of.
    views: usize,
    /// By what the two weights are chosen.
    #[serde(default)]
    selection: By,
}

/// What decides the memory's weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    /// The settings.
    #[default]
    Fixed,
    /// Few validation images.
    Few,
    /// All of them.
    WholeSplit,
    /// Test images.
    Test,
}

struct Tip {
    id: &'static str,
    settings: Settings,
}

fn build(id: &'static str, table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let settings: Settings = parse(id, table)?;
    let good = |value: f64| value.is_finite() && value >= 0.0;
    if !(good(settings.alpha) && good(settings.beta)) || settings.views == 0 {
        let Settings { alpha, beta, views, .. } = settings;
        let reason = format!(
            "alpha is {alpha}, beta {beta}, views {views}: expected numbers ≥ 0 and at least one view"
        );
        return Err(setting(id, reason));
    }
    Ok(Box::new(Tip { id, settings }))
}

impl Tip {
    fn trains(&self) -> bool {
        self.id == TRAINED.id
    }

    /// Alpha and beta before anything is chosen.
    fn start(&self) -> [f64; 2] {
        [self.settings.alpha, self.settings.beta]
    }

    fn head(&self, clip: &Clip, texts: &ClassTexts) -> Result<MemoryHead, MethodError> {
        let cosine = CosineHead { text: mean_of_directions(clip, texts)?, scale: clip.logit_scale().clone() };
        let fixed = self.settings.selection == By::Fixed;
        Ok(MemoryHead { cosine, keys: self.keys(), weights: fixed.then(|| self.start()) })
    }

    /// The keys' name: published files of the trained one hold a layer's weight.
    fn keys(&self) -> &'static str {
        if self.trains() { "weight" } else { "keys" }
    }
}

impl Method for Tip {
    fn id(&self) -> &'static str {
        self.id
    }

    fn transfers(&self) -> bool {
        false
    }

    fn reads_shots(&self) -> bool {
        true
    }

    fn selection(&self) -> Option<Selection> {
        let pools: &[Pool] = match (self.settings.selection, self.trains()) {
            (By::Fixed, _) => return None,
            (By::Few, _) => &[Pool::Few],
            (By::WholeSplit, _) => &[Pool::WholeSplit],
            (By::Test, false) => &[Pool::Test],
            (By::Test, true) => &[Pool::WholeSplit, Pool::Test],
        };
        // The epoch by the last of them, alpha and beta by the first.
        let (chooses, epoch) = match self.trains() {
            true => ("epoch, alpha and beta", pools.last().copied()),
            false => ("alpha and beta", None),
        };
        Some(Selection { chooses, pools, epoch })
    }

    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        shots: Option<&dyn Shots>,
        _: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        let shots = required(shots)?;
        let views = (0..self.settings.views).map(|view| shots.pooled(view)).collect::<Result<Vec<_>, _>>()?;
        let keys = l2_normalise(&Tensor::stack(&views, 0)?.mean(0)?)?.to_dtype(clip.dtype())?;
        let labels: Vec<f32> = shots.labels().iter().map(|label| *label as f32).collect();
        let labels = (LABELS, Tensor::new(labels, clip.device())?);
        let mut fixed = vec![labels];
        if self.settings.selection != By::Fixed {
            fixed.push((WEIGHTS, weights(self.start(), clip)?));
        }
        if self.trains() {
            return Ok(Parameters::new(vec![(self.keys(), keys)])?.with_fixed(fixed));
        }
        fixed.push((self.keys(), keys));
        let parameters = Parameters::default().with_fixed(fixed);
        let Some(Selection { pools: [pool, ..], .. }) = self.selection() else { return Ok(parameters) };
        let memory = self.head(clip, texts)?.memory(parameters.fixed())?;
        let chosen = memory.searched(&shots.validation(*pool)?)?;
        Ok(parameters.with_fixed(vec![(WEIGHTS, weights(chosen, clip)?)]))
    }

    /// Alpha and beta by the grid, where the images that decide the epoch prefer them to the starting values.
    fn settle(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        shots: &dyn Shots,
        trained: Parameters,
    ) -> Result<Parameters, MethodError> {
        let Some(Selection { pools: [first, ..], epoch: Some(epoch), .. }) = self.selection() else {
            return Ok(trained);
        };
        let memory = self.head(clip, texts)?.memory(&trained.values()?)?;
        let searched = memory.searched(&shots.validation(*first)?)?;
        let settled = memory.better([self.start(), searched], &shots.validation(epoch)?)?;
        Ok(trained.with_fixed(vec![(WEIGHTS, weights(settled, clip)?)]))
    }

    fn shapes(&self, clip: &Clip, _: &ClassTexts) -> Result<Vec<ParameterShape>, MethodError> {
        let shape = [0, clip.config.projection_dim];
        let keys = match self.trains() {
            true => ParameterShape::trained(self.keys(), &shape),
            false => ParameterShape::fixed(self.keys(), &shape),
        };
        let mut shapes = vec![keys, ParameterShape::fixed(LABELS, &[0])];
        if self.settings.selection != By::Fixed {
            shapes.push(ParameterShape::fixed(WEIGHTS, &[2]));
        }
        Ok(shapes)
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        // The memory's size is not known here: one key a class is the least.
        let evaluate = 2 * shape.classes() * shape.joint();
        Work {
            bind: shape.text_tokens(),
            step: 2 * shape.batch * evaluate,
            image: shape.image_tokens(),
            evaluate,
            step_bytes: shape.step_bytes(0, shape.classes() + shape.batch, shape.classes() * shape.batch),
            ..Work::default()
        }
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        Ok(Box::new(self.head(clip, texts)?))
    }
}

/// Alpha and beta as a parameter.
fn weights(pair: [f64; 2], clip: &Clip) -> Result<Tensor, MethodError> {
    Ok(Tensor::new(&pair.map(|value| value as f32), clip.device())?)
}
