//! What a plan costs before anything runs: images, steps, operations, and how long they take here.
//!
//! Operations are those that cannot be skipped ([`Limit`]); seconds come from one kind of work, the frozen image
//! pass, so they are a rough figure: small text batches run slower than it, and reading images is not in it.

use std::time::Instant;

use candle_core::Tensor;

use super::cells::Plan;
use super::error::SuiteError;
use super::overrides::Resolved;
use super::world::{BenchDataset, World};
use crate::backbone::TextLayout;
use crate::bench::{Limit, text_gflop, vision_gflop};
use crate::method::{ImageNeed, MethodError};
use crate::train::{Views, frozen_pass};

/// What a plan costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// Trainings.
    pub trainings: u64,
    /// Training steps.
    pub steps: u64,
    /// Frozen passes of training and test images.
    pub image_passes: u64,
    /// Operations that cannot be skipped, GFLOP.
    pub gflop: f64,
}

/// Images of the pass that a machine is measured by.
const MEASURED_IMAGES: usize = 4;

/// Seconds a GFLOP takes on this machine with this model: the fastest of three frozen passes.
///
/// # Errors
/// What candle reports.
pub fn secs_per_gflop(world: &World) -> Result<f64, SuiteError> {
    let config = &world.clip.config;
    let side = config.image_size;
    let count = (MEASURED_IMAGES * 3 * side * side) as f32;
    let ramp = Tensor::arange(0f32, count, world.clip.device())?.affine(f64::from(2.0 / count), -1.0)?;
    let pixels = ramp.reshape((MEASURED_IMAGES, 3, side, side))?;
    let mut fastest = f64::INFINITY;
    for _ in 0..3 {
        let started = Instant::now();
        frozen_pass(&world.clip, pixels.clone(), ImageNeed::Tokens)?;
        fastest = fastest.min(started.elapsed().as_secs_f64());
    }
    Ok(fastest / (MEASURED_IMAGES as f64 * Limit::new(config).image()))
}

/// Adds up the plan over its datasets, which are opened for their lists; no image is read.
///
/// # Errors
/// A dataset that cannot be opened, a class name that cannot be tokenised.
pub fn estimate(world: &World, plan: &Plan) -> Result<Estimate, SuiteError> {
    let mut total = Estimate::default();
    for id in &plan.suite.datasets {
        let dataset = world.dataset(id)?;
        let mut shared_views = 0;
        for method in &plan.methods {
            shared_views = shared_views.max(training(world, plan, &dataset, method, &mut total)?);
            evaluation(world, plan, &dataset, method, &mut total)?;
        }
        add_images(world, shared_views + test_images(plan, &dataset), &mut total);
    }
    Ok(total)
}

fn add_images(world: &World, images: u64, total: &mut Estimate) {
    total.image_passes += images;
    total.gflop += images as f64 * Limit::new(&world.clip.config).image();
}

fn test_images(plan: &Plan, dataset: &BenchDataset) -> u64 {
    let of = |classes| dataset.of_half(&dataset.split.test, classes, plan.limit).len() as u64;
    plan.suite.evaluate.iter().map(|classes| of(*classes)).sum()
}

/// Adds a method's trainings; returns the passes over kept views, which all methods of a draw share.
fn training(
    world: &World,
    plan: &Plan,
    dataset: &BenchDataset,
    method: &Resolved,
    total: &mut Estimate,
) -> Result<u64, SuiteError> {
    let Some(recipe) = &method.recipe else { return Ok(0) };
    let map = dataset.labels(plan.suite.train_classes);
    let layout = layout(world, dataset, method, map.labels())?;
    let step = 2.0
        * (text_gflop(
            method.id,
            &world.clip.config,
            layout.rows(),
            map.labels().len(),
            recipe.batch_size,
            k(method),
        ) + vision_gflop(method.id, &world.clip.config, recipe.batch_size, k(method)));
    let mut shared = 0;
    for shots in &plan.suite.shots {
        for seed in &plan.suite.seeds {
            let drawn = dataset.training_draw(*shots, *seed)?;
            let images = map.filter(drawn.iter().map(|at| &dataset.split.train[*at])).len();
            let steps = (recipe.epochs * recipe.steps(images)) as u64;
            total.trainings += 1;
            total.steps += steps;
            total.gflop += steps as f64 * step;
            match plan.settings.globals.views {
                Views::Bank(views) => shared += (views * images) as u64,
                Views::Fresh => add_images(world, steps * recipe.batch_size as u64, total),
            }
        }
    }
    Ok(shared)
}

/// Adds a method's own work on the test images.
fn evaluation(
    world: &World,
    plan: &Plan,
    dataset: &BenchDataset,
    method: &Resolved,
    total: &mut Estimate,
) -> Result<(), SuiteError> {
    let Some(recipe) = &method.recipe else { return Ok(()) };
    let cells = (plan.suite.shots.len() * plan.suite.seeds.len()) as f64;
    for classes in &plan.suite.evaluate {
        let map = dataset.labels(*classes);
        let layout = layout(world, dataset, method, map.labels())?;
        let images = dataset.of_half(&dataset.split.test, *classes, plan.limit).len();
        // Text that depends on the image is computed for each of them, other text once.
        let text = |batch| {
            text_gflop(method.id, &world.clip.config, layout.rows(), map.labels().len(), batch, k(method))
        };
        let depends = text(2) > text(1) && recipe.batch_size > 0;
        let vision = vision_gflop(method.id, &world.clip.config, images, k(method));
        total.gflop += cells * (text(if depends { images } else { 1 }) + vision);
    }
    Ok(())
}

/// RPO's prompts per tower; 0 for other methods.
fn k(method: &Resolved) -> usize {
    method.config.get(&format!("{}.k", method.id)).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn layout(
    world: &World,
    dataset: &BenchDataset,
    method: &Resolved,
    labels: &[u32],
) -> Result<TextLayout, SuiteError> {
    let prompt = |label: &u32| method.style.prompt(&dataset.class_names[*label as usize], &dataset.template);
    let prompts: Vec<Vec<u32>> =
        labels.iter().map(|label| world.tokenizer.encode(&prompt(label))).collect::<Result<_, _>>()?;
    let shared = 5.min(prompts.first().map_or(0, Vec::len).saturating_sub(1));
    Ok(TextLayout::new(&prompts, shared, world.clip.config.context_length).map_err(MethodError::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::SuiteFile;

    #[test]
    fn a_plan_is_added_up() {
        let world = World::open(None, None, &candle_core::Device::Cpu).unwrap();
        let of = |datasets: &[&str], methods: &[&str]| {
            let mut suite = SuiteFile::find("base2new").unwrap().for_profile("pocket").0;
            suite.datasets = datasets.iter().map(|id| (*id).to_owned()).collect();
            suite.methods = methods.iter().map(|id| (*id).to_owned()).collect();
            estimate(&world, &Plan::new(suite, &[], None).unwrap()).unwrap()
        };
        let frozen = of(&["eurosat"], &["zero_shot"]);
        assert_eq!((frozen.trainings, frozen.steps, frozen.image_passes), (0, 0, 200));
        // 5 base classes, 16 shots, batch 4: 20 steps an epoch, 6 epochs, 3 seeds; 4 kept views.
        let rpo = of(&["eurosat"], &["zero_shot", "rpo"]);
        assert_eq!((rpo.trainings, rpo.steps, rpo.image_passes), (3, 3 * 6 * 20, 200 + 3 * 4 * 80));
        let both = of(&["eurosat", "dtd"], &["zero_shot", "rpo"]);
        assert!(rpo.gflop > frozen.gflop && both.gflop > 2.0 * rpo.gflop, "{frozen:?} {rpo:?} {both:?}");
    }
}
