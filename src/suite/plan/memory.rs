//! How much memory a run will need, before it starts: better a refusal with numbers than a kill at hour 9.
//!
//! A lower bound, made of what must be in memory at one time whatever the engine does: kept views, one chunk of
//! test images, the class prompts' keys and values, one training step (prompts × classes × batch). Only a run that certainly cannot fit is refused. The model
//! is in memory already and so not counted.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::alike::alike;
use super::cell::CellPlan;
use super::resolve::Plan;
use crate::backbone::TowerConfig;
use crate::method::Needs;
use crate::method::work::Shape;
use crate::suite::error::SuiteError;
use crate::suite::spec::seeds::Seeds;
use crate::suite::world::{BenchDataset, World};
use crate::train::Views;
use crate::util::machine::available_memory_bytes;

const F32_BYTES: u64 = 4;
/// Fewest rows of a class prompt behind the shared prefix: a name of one token, a full stop, EOS.
const CLASS_ROWS: u64 = 3;
const MIB: u64 = 1 << 20;

/// As many of `lanes` lanes as fit side by side; a run that does not fit on one is refused.
///
/// # Errors
/// [`SuiteError::Memory`] with both numbers. Where the system does not say what is free, nothing is refused.
pub(in crate::suite) fn fitting(
    world: &World,
    plan: &Plan,
    jobs: &[(Arc<BenchDataset>, Vec<CellPlan>)],
    lanes: usize,
) -> Result<usize, SuiteError> {
    if !world.clip.device().is_cpu() {
        return Ok(lanes);
    }
    let mut needs = Vec::new();
    for (dataset, cells) in jobs {
        needs.push(Need::of(world, plan, dataset, cells)?);
    }
    needs.sort_by_key(|need| std::cmp::Reverse(need.bytes));
    let largest = needs.first();
    match (available_memory_bytes(), largest) {
        (Some(available), Some(largest)) => {
            let bytes: Vec<u64> = needs.iter().map(|need| need.bytes).collect();
            side_by_side(&bytes, lanes, available).ok_or_else(|| SuiteError::Memory {
                needed_mib: largest.bytes / MIB,
                available_mib: available / MIB,
                largest: largest.words(),
            })
        }
        _ => Ok(lanes),
    }
}

/// The most lanes up to `lanes` whose largest needs (sorted, largest first) fit together; `None` where one does not.
fn side_by_side(needs: &[u64], lanes: usize, available: u64) -> Option<usize> {
    let together = |lanes: &usize| needs.iter().take(*lanes).copied().fold(0, u64::saturating_add);
    (1..=lanes.max(1)).rev().find(|lanes| together(lanes) <= available)
}

/// What one dataset's work holds at one time.
struct Need<'a> {
    dataset: &'a str,
    bytes: u64,
    /// Bytes of the largest training step among them, its method, and its settings' product in words.
    step: (u64, String),
}

impl<'a> Need<'a> {
    fn of(
        world: &World,
        plan: &Plan,
        dataset: &'a BenchDataset,
        cells: &[CellPlan],
    ) -> Result<Self, SuiteError> {
        let step = largest_step(world, plan, dataset, cells)?;
        let bytes = kept_bytes(world, plan, dataset, cells).saturating_add(step.0);
        Ok(Self { dataset: &dataset.id, bytes, step })
    }

    fn words(&self) -> String {
        let (dataset, whole, (step, method)) = (self.dataset, self.bytes / MIB, &self.step);
        format!("{dataset} {whole} MiB, of which {} MiB a training step of {method}", step / MIB)
    }
}

/// The largest training step: its bytes, its method with batch and classes.
fn largest_step(
    world: &World,
    plan: &Plan,
    dataset: &BenchDataset,
    cells: &[CellPlan],
) -> Result<(u64, String), SuiteError> {
    let methods: BTreeSet<usize> = cells.iter().map(|cell| cell.method).collect();
    let mut largest = (0, "none".to_owned());
    for resolved in methods.iter().map(|index| &plan.methods[*index]) {
        let Some(recipe) = &resolved.recipe else { continue };
        let prompts = world.class_prompts(dataset, &resolved.style, plan.suite.train_classes)?;
        let shape = Shape::new(&world.clip.config, &prompts, recipe.batch_size as u64);
        // Variants that take their steps together.
        let room = |other: &&usize| alike(&world.clip, prompts.len(), resolved, &plan.methods[**other]) > 0;
        let variants = methods.iter().filter(room).count();
        let together = variants.min(alike(&world.clip, prompts.len(), resolved, resolved)).max(1) as u64;
        let bytes = resolved.method.work(&shape).step_bytes.saturating_mul(together);
        if bytes > largest.0 {
            let (classes, batch) = (shape.classes(), recipe.batch_size);
            largest = (bytes, format!("{} ({classes} classes, batch {batch})", resolved.id));
        }
    }
    Ok(largest)
}

/// Kept views, a chunk of test images, the class prompts.
fn kept_bytes(world: &World, plan: &Plan, dataset: &BenchDataset, cells: &[CellPlan]) -> u64 {
    let config = &world.clip.config;
    let needs = cells.iter().map(|cell| plan.methods[cell.method].method.needs());
    let needs = needs.fold(Needs::default(), Needs::or);
    let rows = config.image_tokens() as u64;
    let tokens = if needs.tokens { keys_and_values(&config.vision, rows) } else { 0 };
    // Rows, queries, keys and values.
    let entering = if needs.entering { 4 * config.vision.width as u64 * rows * F32_BYTES } else { 0 };
    let image = config.projection_dim as u64 * F32_BYTES + tokens + entering;
    let classes = dataset.labels(plan.suite.train_classes).labels().len() as u64;
    let views = match plan.settings.globals.views {
        Views::Fresh => 0,
        Views::Bank(views) => views as u64,
    };
    let shots = cells.iter().filter_map(|cell| cell.cell.shots).max().unwrap_or(0);
    // Seeds that share products have their views in memory side by side.
    let seeds: BTreeSet<u64> = cells.iter().filter_map(|cell| cell.cell.seed).collect();
    let draws = if plan.settings.globals.seeds == Seeds::Apart { 1 } else { seeds.len() as u64 };
    let bank = [u64::from(shots), classes, image, draws, views].into_iter().fold(1, u64::saturating_mul);
    let prompts = keys_and_values(&config.text, classes * CLASS_ROWS);
    let chunk = (plan.settings.globals.images as u64).saturating_mul(image);
    bank.saturating_add(chunk).saturating_add(prompts)
}

/// Every layer's keys and values of `rows` tokens.
fn keys_and_values(tower: &TowerConfig, rows: u64) -> u64 {
    2 * tower.layers as u64 * tower.width as u64 * rows * F32_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_as_many_as_fit() {
        let needs = [50, 30, 30, 10];
        let fit = |lanes| side_by_side(&needs, lanes, 90);
        assert_eq!([1, 2, 3, 4].map(fit), [Some(1), Some(2), Some(2), Some(2)]);
        assert_eq!((side_by_side(&needs, 4, 120), side_by_side(&needs, 4, 49)), (Some(4), None));
        assert_eq!(side_by_side(&needs, 0, 90), Some(1));
    }
    use crate::suite::SuiteFile;

    #[test]
    fn a_bank_beyond_any_machine_is_refused_with_numbers() {
        let world = World::open(None, None, &candle_core::Device::Cpu).unwrap();
        let suite = SuiteFile::find("smoke").unwrap();
        let check = |bank: i64| {
            let set = [("views_bank".to_owned(), toml::Value::Integer(bank))];
            let plan = Plan::new(suite.clone(), &set, None).unwrap();
            let dataset = world.dataset("eurosat").unwrap();
            let cells = plan.cells(&world, &dataset, &[]).unwrap();
            fitting(&world, &plan, &[(dataset, cells)], 2)
        };
        assert!(check(2).is_ok());
        if available_memory_bytes().is_some() {
            let said = check(1 << 40).unwrap_err().to_string();
            assert!(said.contains("MiB") && said.contains("views_bank"), "{said}");
        }
    }

    #[test]
    fn prompts_classes_and_batch_beyond_any_machine_are_refused_with_numbers() {
        let world = World::open(None, None, &candle_core::Device::Cpu).unwrap();
        let suite = SuiteFile::find("smoke").unwrap();
        let check = |settings: [(&str, i64); 2]| {
            let set: Vec<_> =
                settings.iter().map(|(key, n)| ((*key).to_owned(), toml::Value::Integer(*n))).collect();
            let plan = Plan::new(suite.clone(), &set, None).unwrap();
            let dataset = world.dataset("eurosat").unwrap();
            let cells = plan.cells(&world, &dataset, &[]).unwrap();
            fitting(&world, &plan, &[(dataset, cells)], 1)
        };
        assert!(check([("rpo.k", 24), ("rpo.batch_size", 4)]).is_ok());
        if available_memory_bytes().is_some() {
            for settings in [
                [("rpo.k", 65_536), ("rpo.batch_size", 65_536)],
                [("cocoop.batch_size", 65_536), ("engine.images", i64::MAX)],
            ] {
                let said = check(settings).unwrap_err().to_string();
                assert!(said.contains("MiB") && said.contains("a training step of"), "{said}");
            }
        }
    }
}
