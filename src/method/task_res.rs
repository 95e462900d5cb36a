//! TaskRes (CVPR 2023, arXiv 2211.10277): a trained residual on every class's text feature.
//!
//! logits = exp(τ)·cos(f, t_c + α·x_c). t is the raw mean of the wordings: its length says how far a residual turns
//! it. One row a class, so there is no transfer to new classes.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Deserialize;

use super::contract::{Head, Method};
use super::entry::{Entry, Family, Switch};
use super::error::MethodError;
use super::parameters::{Named, Parameters};
use super::parts::texts::raw_mean;
use super::published::Publication;
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Shots};
use super::work::{Shape, Work};
use super::zero_shot::CosineHead;
use crate::backbone::Clip;
use crate::backbone::nn::l2_normalise;
use crate::util::rng::Stream;

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskRes {
    /// α, what residuals are multiplied by.
    scale: f64,
}

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "task_res",
    aliases: &[],
    name: "TaskRes",
    summary: "a trained residual on every class's text feature",
    family: Family::FeatureAdapter,
    color: (0, 114, 178),
    switches: &[Switch {
        key: "raw_class_names",
        published: "true",
        why: "The published code leaves the underscores of class names in its sentences; CoOp's code does not.",
        test: "raw_class_names_keep_their_underscores",
    }],
    published: Publication::NONE,
    defaults: include_str!("../../suites/methods/task_res.toml"),
    build,
};

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: TaskRes = parse(ENTRY.id, table)?;
    if !method.scale.is_finite() {
        return Err(setting(ENTRY.id, format!("scale is {}: expected a number", method.scale)));
    }
    Ok(Box::new(method))
}

/// The trained tensor.
const RESIDUALS: &str = "text_feature_residuals";

impl Method for TaskRes {
    fn id(&self) -> &'static str {
        ENTRY.id
    }

    fn transfers(&self) -> bool {
        false
    }

    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        _: Option<&dyn Shots>,
        _: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        let shape = (texts.classes(), clip.config.projection_dim);
        Parameters::new(vec![(RESIDUALS, Tensor::zeros(shape, clip.dtype(), clip.device())?)])
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        rows_of_classes(shape)
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        let (text, scale) = (raw_mean(clip, texts)?, clip.logit_scale().clone());
        Ok(Box::new(ResidualHead { text, scale, residual_scale: self.scale }))
    }
}

/// The work of methods whose classifier is a row a class on pooled features.
pub(super) fn rows_of_classes(shape: &Shape<'_>) -> Work {
    let evaluate = shape.classes() * shape.joint();
    Work {
        bind: shape.text_tokens(),
        step: 2 * shape.batch * evaluate,
        image: shape.image_tokens(),
        evaluate,
        step_bytes: shape.step_bytes(evaluate, shape.classes() + shape.batch, shape.classes() * shape.batch),
        ..Work::default()
    }
}

struct ResidualHead {
    /// Raw class features `[classes, joint]`.
    text: Tensor,
    scale: Tensor,
    residual_scale: f64,
}

impl Head for ResidualHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |each| {
            let residuals = each.get(RESIDUALS, self.text.dims())?;
            let text = l2_normalise(&(&self.text + (residuals * self.residual_scale)?)?)?;
            Ok(Box::new(CosineHead { text, scale: self.scale.clone() }))
        })
    }
}
