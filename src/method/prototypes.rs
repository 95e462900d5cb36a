//! ZS-LP and CLAP (CVPR 2024, arXiv 2312.12730): a trained row a class that starts at the class's text feature.
//!
//! logits = exp(τ)·cos(f, w_c), w raw: its length slows it down, so it must not be normalised. CLAP holds each w_c to
//! its text feature by λ_c·|w_c − t_c|²; λ_c is how sure zero-shot is of the class's training images, fixed for the
//! whole training. No transfer to new classes.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use super::classifier::{Classifier, Objective};
use super::contract::{Head, Method};
use super::entry::{Entry, Family, Switch};
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::{Named, Parameters};
use super::parts::texts::raw_mean;
use super::published::Publication;
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, ParameterShape, Shots, required};
use super::task_res::rows_of_classes;
use super::work::{Shape, Work};
use super::zero_shot::CosineHead;
use crate::backbone::Clip;
use crate::backbone::nn::{l2_normalise, softmax};
use crate::util::rng::Stream;

const RAW_NAMES: [Switch; 1] = [Switch {
    key: "raw_class_names",
    published: "true",
    why: "The published code leaves the underscores of class names in its sentences; CoOp's code does not.",
    test: "raw_class_names_keep_their_underscores",
}];

/// How ZS-LP presents itself.
pub(super) const ZS_LP: Entry = Entry {
    id: "zs_lp",
    aliases: &[],
    name: "ZS-LP",
    summary: "a trained row a class that starts at the class's text feature",
    family: Family::FeatureAdapter,
    color: (153, 153, 51),
    switches: &RAW_NAMES,
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/zs_lp.toml"),
    build: build_zs_lp,
};

/// How CLAP presents itself.
pub(super) const CLAP: Entry = Entry {
    id: "clap",
    aliases: &[],
    name: "CLAP",
    summary: "ZS-LP whose rows are held to the text features, class by class",
    family: Family::FeatureAdapter,
    color: (136, 34, 85),
    switches: &RAW_NAMES,
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/clap.toml"),
    build: build_clap,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoSettings {}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clap {
    /// What the multipliers are multiplied by; 1 as published.
    weight: f64,
    /// Augmented views of the training images that the multipliers are taken from.
    views: usize,
}

fn build_zs_lp(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    parse::<NoSettings>(ZS_LP.id, table)?;
    Ok(Box::new(Prototypes { id: ZS_LP.id, held: None }))
}

fn build_clap(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let settings: Clap = parse(CLAP.id, table)?;
    if !(settings.weight.is_finite() && settings.weight >= 0.0) || settings.views == 0 {
        let reason = format!(
            "weight is {} and views {}: expected a number ≥ 0 and at least one view",
            settings.weight, settings.views
        );
        return Err(setting(CLAP.id, reason));
    }
    Ok(Box::new(Prototypes { id: CLAP.id, held: Some(settings) }))
}

struct Prototypes {
    id: &'static str,
    /// How rows are held to the texts; absent in ZS-LP.
    held: Option<Clap>,
}

/// The trained tensor, and CLAP's fixed one.
const ROWS: &str = "prototypes";
const MULTIPLIERS: &str = "multipliers";

impl Method for Prototypes {
    fn id(&self) -> &'static str {
        self.id
    }

    fn transfers(&self) -> bool {
        false
    }

    fn reads_shots(&self) -> bool {
        self.held.is_some()
    }

    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        shots: Option<&dyn Shots>,
        _: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        let text = raw_mean(clip, texts)?;
        let parameters = Parameters::new(vec![(ROWS, text.clone())])?;
        let Some(held) = self.held else { return Ok(parameters) };
        let cosine = CosineHead { text: l2_normalise(&text)?, scale: clip.logit_scale().clone() };
        let multipliers = multipliers(&cosine, required(shots)?, held.views, clip.device())?;
        Ok(parameters.with_fixed(vec![(MULTIPLIERS, multipliers.to_dtype(clip.dtype())?)]))
    }

    fn shapes(&self, clip: &Clip, texts: &ClassTexts) -> Result<Vec<ParameterShape>, MethodError> {
        let (classes, joint) = (texts.classes(), clip.config.projection_dim);
        let rows = ParameterShape::trained(ROWS, &[classes, joint]);
        let fixed = self.held.map(|_| ParameterShape::fixed(MULTIPLIERS, &[classes]));
        Ok(std::iter::once(rows).chain(fixed).collect())
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        rows_of_classes(shape)
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        let (text, scale) = (raw_mean(clip, texts)?, clip.logit_scale().clone());
        Ok(Box::new(PrototypeHead { text, scale, weight: self.held.map(|held| held.weight) }))
    }
}

/// Zero-shot's mean probability of the true class over each class's training images, all views. A class without a
/// training image is not held at all.
fn multipliers(
    cosine: &CosineHead,
    shots: &dyn Shots,
    views: usize,
    device: &Device,
) -> Result<Tensor, MethodError> {
    let (labels, classes) = (shots.labels(), cosine.text.dim(0)?);
    let (mut sums, mut counts) = (vec![0f64; classes], vec![0usize; classes]);
    for view in 0..views {
        let probabilities =
            softmax(&cosine.of_features(&shots.pooled(view)?.to_dtype(cosine.text.dtype())?)?)?;
        let rows = probabilities.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        for (label, row) in labels.iter().zip(rows) {
            sums[*label as usize] += row[*label as usize];
            counts[*label as usize] += 1;
        }
    }
    let means = sums.iter().zip(&counts).map(|(sum, count)| (sum / (*count).max(1) as f64) as f32);
    Ok(Tensor::from_vec(means.collect::<Vec<f32>>(), classes, device)?)
}

struct PrototypeHead {
    /// Raw class features `[classes, joint]`.
    text: Tensor,
    scale: Tensor,
    weight: Option<f64>,
}

impl Head for PrototypeHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |each| {
            let rows = each.get(ROWS, self.text.dims())?;
            let cosine = CosineHead { text: l2_normalise(rows)?, scale: self.scale.clone() };
            // A weight of 0 is ZS-LP to the bit.
            let Some(weight) = self.weight.filter(|weight| *weight > 0.0) else {
                return Ok(Box::new(cosine));
            };
            let multipliers = each.get(MULTIPLIERS, &[self.text.dim(0)?])?;
            let distances = (rows - &self.text)?.sqr()?.sum(1)?;
            let constraint = ((distances * multipliers)?.mean_all()? * weight)?;
            Ok(Box::new(Held { cosine, constraint }))
        })
    }
}

/// Rows that are held to the texts.
struct Held {
    cosine: CosineHead,
    constraint: Tensor,
}

impl Classifier for Held {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        self.cosine.logits(images)
    }

    fn objective(&self, images: &ImageBatch, labels: &Tensor) -> Result<Objective, MethodError> {
        let terms = vec![("constraint", self.constraint.clone())];
        Objective::with_terms(self.logits(images)?, labels, terms)
    }
}
