//! 2SFS (CVPR 2025, arXiv 2503.11609): LayerNorms of both towers, then a row a class on the tuned image tower.
//!
//! Trained classes are told by their prompts, which lie beside their rows: a class met again, alone or among others,
//! takes its row, every other the tuned text tower's feature. Before the second stage there are no rows, and the method
//! is LN-only.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::contract::{Head, Method, SecondStage};
use super::entry::{Entry, Family, Switch};
use super::error::MethodError;
use super::images::{ImageBatch, Needs};
use super::parameters::{Named, Parameters};
use super::parts::layer_norms::{Modality, Norms};
use super::parts::trained_weights::TrainedWeights;
use super::published::Publication;
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, ParameterShape, Shots};
use super::token_rows::{TokenRows, Untouched};
use super::tuned_towers::{Tuned, WeightsHead};
use super::work::{Shape, Work};
use super::zero_shot::text_features;
use crate::backbone::Clip;
use crate::backbone::nn::l2_normalise;
use crate::util::rng::Stream;

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "two_stage",
    aliases: &["2sfs"],
    name: "2SFS",
    summary: "LayerNorms of both towers, then a row a class on the tuned image tower",
    family: Family::Weights,
    color: (86, 48, 130),
    switches: &[Switch {
        key: "outer",
        published: "false",
        why: "As in LN-only, whose code it shares.",
        test: "outer_layer_norms_train_when_told",
    }],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/two_stage.toml"),
    build,
};

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    modality: Modality,
    vision_start: usize,
    text_start: usize,
    outer: bool,
    /// Share of the steps that the first stage takes.
    fraction: f64,
}

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let Settings { modality, vision_start, text_start, outer, fraction } = parse(ENTRY.id, table)?;
    if !(fraction > 0.0 && fraction <= 1.0) {
        return Err(setting(
            ENTRY.id,
            format!("fraction is {fraction}: expected a share above 0, at most 1"),
        ));
    }
    let first = TrainedWeights::Norms(Norms { modality, vision_start, text_start, outer });
    Ok(Box::new(TwoStage { first, fraction }))
}

/// The rows, and the prompts of their classes as token ids behind which [`NO_TOKEN`] fills up.
const ROWS: &str = "classifier";
const PROMPTS: &str = "classifier_prompts";
const NO_TOKEN: f32 = -1.0;

struct TwoStage {
    first: TrainedWeights,
    fraction: f64,
}

impl Method for TwoStage {
    fn id(&self) -> &'static str {
        ENTRY.id
    }

    fn keeps_more(&self) -> bool {
        true
    }

    fn needs(&self) -> Needs {
        self.first.needs()
    }

    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        shots: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        self.first.init(clip, texts, shots, stream)
    }

    /// Those of both stages.
    fn shapes(&self, clip: &Clip, texts: &ClassTexts) -> Result<Vec<ParameterShape>, MethodError> {
        let mut shapes = self.first.shapes(clip, texts)?;
        if self.fraction < 1.0 {
            let classes = texts.classes();
            shapes.push(ParameterShape::trained(ROWS, &[classes, clip.config.projection_dim]));
            shapes.push(ParameterShape::fixed(PROMPTS, &[classes, clip.config.context_length]));
        }
        Ok(shapes)
    }

    /// A step is one of the first stage; the second's are cheaper.
    fn work(&self, shape: &Shape<'_>) -> Work {
        self.first.work(shape)
    }

    fn untouched(&self) -> Untouched {
        self.first.untouched()
    }

    fn token_rows(
        &self,
        clip: &Arc<Clip>,
        texts: &ClassTexts,
        parameters: Option<&Named>,
        images: &ImageBatch,
    ) -> Result<TokenRows, MethodError> {
        self.first.token_rows(clip, texts, parameters, images)
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        let first = WeightsHead::new(self.first, clip, texts)?;
        Ok(Box::new(TwoStageHead { first, fraction: self.fraction }))
    }
}

struct TwoStageHead {
    first: WeightsHead,
    fraction: f64,
}

impl Head for TwoStageHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |each| {
            Ok(Box::new(match each.find(ROWS) {
                None => self.first.one(each)?,
                Some(_) => self.with_rows(each)?,
            }))
        })
    }

    fn second_stage(&self) -> Option<&dyn SecondStage> {
        (self.fraction < 1.0).then_some(self)
    }
}

impl SecondStage for TwoStageHead {
    fn first_share(&self) -> f64 {
        self.fraction
    }

    /// Rows start at the tuned text tower's normalised features.
    fn start(&self, first: &Named) -> Result<Parameters, MethodError> {
        let prompts = &self.first.prompts;
        let rows = text_features(&*self.first.tuned(first, [false, true])?, prompts)?;
        let tuned = first.iter().filter(|(name, _)| ![ROWS, PROMPTS].contains(name));
        let tuned = tuned.map(|(name, value)| (name, value.clone())).collect();
        let length = self.first.clip.config.context_length;
        let ids = prompts.iter().flat_map(|prompt| {
            let ids = prompt.iter().map(|id| *id as f32);
            ids.chain(std::iter::repeat(NO_TOKEN)).take(length)
        });
        let ids =
            Tensor::from_vec(ids.collect::<Vec<f32>>(), (prompts.len(), length), self.first.clip.device())?;
        let rows = Parameters::new(vec![(ROWS, rows)])?;
        Ok(rows.with_solved(tuned).with_fixed(vec![(PROMPTS, ids)]))
    }
}

impl TwoStageHead {
    /// The tuned image tower, and for each class its row or the tuned text tower's feature.
    fn with_rows(&self, parameters: &Named) -> Result<Tuned, MethodError> {
        let joint = self.first.clip.config.projection_dim;
        let rows = l2_normalise(parameters.get(ROWS, &[0, joint])?)?;
        let classes = rows.dim(0)?;
        let trained = trained_prompts(parameters.get(PROMPTS, &[classes, 0])?)?;
        let (mut places, mut unseen) = (Vec::new(), Vec::new());
        for prompt in &self.first.prompts {
            places.push(trained.get(prompt).copied().unwrap_or_else(|| {
                unseen.push(prompt.clone());
                (classes + unseen.len() - 1) as u32
            }));
        }
        let text = if places.iter().copied().eq(0..classes as u32) {
            rows
        } else if unseen.is_empty() {
            rows.index_select(&Tensor::new(places, rows.device())?, 0)?
        } else {
            let others = text_features(&*self.first.tuned(parameters, [false, true])?, &unseen)?;
            let all = Tensor::cat(&[&rows, &others], 0)?;
            all.index_select(&Tensor::new(places, rows.device())?, 0)?
        };
        self.first.frozen_at(parameters, text)
    }
}

/// The prompts of the trained classes, and which row each has.
fn trained_prompts(ids: &Tensor) -> Result<BTreeMap<Vec<u32>, u32>, MethodError> {
    let ids = ids.to_dtype(candle_core::DType::F32)?.to_vec2::<f32>()?;
    let prompt = |row: Vec<f32>| row.into_iter().filter(|id| *id >= 0.0).map(|id| id as u32).collect();
    Ok(ids.into_iter().zip(0..).map(|(row, place)| (prompt(row), place)).collect())
}
