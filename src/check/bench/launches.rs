//! How many operations a training step asks of a device, counted on the CPU on the composed path: what a GPU runs.
//!
//! Two numbers, because candle has no counter of its own. Operations of the frozen towers go through a thin layer that
//! counts launches and uploads one by one. Everything else (heads, losses, their backward, the optimiser) is bounded from
//! above by the tensors it creates: candle numbers them, and views are among them although they launch nothing.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::Serialize;

use super::error::BenchError;
use super::shape::{ModelShape, class_prompts_for, normals, random_clip};
use super::step::{Chosen, choose, one_step};
use crate::backbone::ClipConfig;
use crate::backbone::nn::{composed, operations, tensor_number};
use crate::method::{ClassTexts, FixedShots};
use crate::train::Optimiser;
use crate::util::rng::Stream;

/// What to count.
#[derive(Clone, Debug)]
pub struct LaunchBench {
    /// Method id.
    pub method: String,
    /// Model shape.
    pub shape: ModelShape,
    /// Prompts per tower of methods with that setting.
    pub k: usize,
    /// Images a step; the method's own batch size where absent.
    pub batch: Option<usize>,
    /// Classes.
    pub classes: usize,
}

/// Operations of one step. Field names are the JSON keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LaunchReport {
    /// Method id.
    pub method: String,
    /// Model shape.
    pub model: &'static str,
    /// Images a step.
    pub batch: usize,
    /// Classes.
    pub classes: usize,
    /// Launches of the frozen towers, forward and backward, composed of candle's operations.
    pub tower_launches: u64,
    /// The same with the card's own kernels.
    pub tower_launches_own_kernels: u64,
    /// Transfers to the device of the frozen towers, once their plans are there.
    pub tower_uploads: u64,
    /// Tensors created outside the towers' operations: a bound from above on the launches there.
    pub tensors_elsewhere: u64,
    /// Launches, transfers and tensors together, composed of candle's operations: no step makes more.
    pub at_most: u64,
    /// The same with the card's own kernels.
    pub at_most_own_kernels: u64,
}

/// Counts the third step on the composed path: plans are uploaded by then.
///
/// # Errors
/// [`BenchError`]: a method that trains nothing, whatever the step reports.
pub fn bench_launches(bench: &LaunchBench) -> Result<LaunchReport, BenchError> {
    let Chosen { method, recipe, sentence, .. } = choose(&bench.method, bench.k)?;
    let Some(recipe) = recipe else {
        let reason = format!("{} trains nothing", bench.method);
        return Err(BenchError::Setting { what: "method", reason });
    };
    let (batch, device) = (bench.batch.unwrap_or(recipe.batch_size), Device::Cpu);
    if batch == 0 || bench.classes == 0 {
        return Err(BenchError::Setting { what: "launches", reason: "0 images or classes".to_owned() });
    }
    let clip = random_clip(&narrow(bench.shape.config()), &device)?;
    let texts = ClassTexts::of(&class_prompts_for(&sentence, bench.classes));
    let shots = FixedShots::random(bench.classes, clip.config.projection_dim, &device)?;
    composed(|| {
        let parameters = [method.init(&clip, &texts, Some(&shots), &mut Stream::new(&["bench", "init"]))?];
        let head = method.bind(&Arc::clone(&clip), &texts)?;
        let labels: Vec<u32> = (0..batch).map(|i| (i * 7 % bench.classes) as u32).collect();
        let labels = Tensor::new(labels, &device)?;
        let side = clip.config.image_size;
        let pixels = normals(&[batch, 3, side, side], 0.0, 1.0, "pixels", &device)?;
        let mut optimisers = [Optimiser::new(recipe.rule())];
        let mut step = || {
            let parts = (&*clip, method.as_ref(), head.as_ref());
            one_step(parts, &parameters, &labels, pixels.clone(), &mut optimisers)
        };
        step()?;
        step()?;
        let (before, first) = (operations(), tensor_number()?);
        step()?;
        let (after, last) = (operations(), tensor_number()?);
        let tower_launches = after.launches - before.launches;
        let own = after.own_launches - before.own_launches;
        let tower_uploads = after.uploads - before.uploads;
        let tensors_elsewhere = last.saturating_sub(first + 1).saturating_sub(after.tensors - before.tensors);
        Ok(LaunchReport {
            method: bench.method.clone(),
            model: bench.shape.name,
            batch,
            classes: bench.classes,
            tower_launches,
            tower_launches_own_kernels: own,
            tower_uploads,
            tensors_elsewhere,
            at_most: tower_launches + tower_uploads + tensors_elsewhere,
            at_most_own_kernels: own + tower_uploads + tensors_elsewhere,
        })
    })
}

/// The same towers with the narrowest heads: launches depend on layers and plans, not on widths.
fn narrow(config: ClipConfig) -> ClipConfig {
    const HEAD: usize = 4;
    let mut config = config;
    for tower in [&mut config.vision, &mut config.text] {
        tower.width = tower.heads * HEAD;
        tower.mlp_width = 2 * tower.width;
    }
    ClipConfig { projection_dim: 32, ..config }
}
