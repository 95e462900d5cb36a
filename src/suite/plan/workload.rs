//! What the pieces of a run cost in multiply-adds, so that what is left of it can be told from what is done.
//!
//! Nothing is timed here: a run times its own steps, and these numbers carry what one dataset took over to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cell::{CellPlan, Origin};
use super::estimate::work;
use super::resolve::Plan;
use crate::data::Classes;
use crate::method::work::Work;
use crate::suite::error::SuiteError;
use crate::suite::world::{BenchDataset, World};
use crate::train::Views;

/// A training: dataset, index into [`Plan::methods`], shots.
type Training = (String, usize, Option<u32>);

/// Costs of the pieces that a run will hear of, and how often each is due.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workload {
    trainings: BTreeMap<Training, (f64, u64)>,
    /// By dataset and half: the cost of a cell's tests there, the frozen pass shared out, and the number of cells.
    tests: BTreeMap<(String, Classes), (f64, u64)>,
}

impl Workload {
    /// Cost of one training; 0 where it is not planned.
    pub fn training(&self, dataset: &str, method: usize, shots: Option<u32>) -> f64 {
        self.trainings.get(&(dataset.to_owned(), method, shots)).map_or(0.0, |(cost, _)| *cost)
    }

    /// Cost of the tests of one cell among a half's classes of a dataset.
    pub fn test(&self, dataset: &str, classes: Classes) -> f64 {
        self.tests.get(&(dataset.to_owned(), classes)).map_or(0.0, |(cost, _)| *cost)
    }

    /// Cost of all trainings of every method, by its index.
    pub fn all_trainings(&self) -> BTreeMap<usize, f64> {
        let mut all = BTreeMap::new();
        for ((_, method, _), (cost, count)) in &self.trainings {
            *all.entry(*method).or_default() += cost * *count as f64;
        }
        all
    }

    /// Cost of all tests.
    pub fn all_tests(&self) -> f64 {
        self.tests.values().map(|(cost, count)| cost * *count as f64).sum()
    }

    /// Adds a training of this cost.
    pub fn add_training(&mut self, dataset: &str, method: usize, shots: Option<u32>, cost: f64) {
        let (own, count) = self.trainings.entry((dataset.to_owned(), method, shots)).or_default();
        (*own, *count) = (cost, *count + 1);
    }

    /// Adds the tests of `cells` cells that cost so much together.
    pub fn add_tests(&mut self, dataset: &str, classes: Classes, cells: u64, together: f64) {
        let (own, count) = self.tests.entry((dataset.to_owned(), classes)).or_default();
        let all = *own * *count as f64 + together;
        *count += cells;
        *own = all / (*count).max(1) as f64;
    }

    /// Of the cells that are to be run.
    ///
    /// # Errors
    /// What a dataset's draw or a method's texts report.
    pub(in crate::suite) fn of(
        world: &World,
        plan: &Plan,
        jobs: &[(Arc<BenchDataset>, Vec<CellPlan>)],
        others: &[Arc<BenchDataset>],
    ) -> Result<Self, SuiteError> {
        let mut load = Self::default();
        for (dataset, cells) in jobs {
            let mut known: BTreeMap<Training, f64> = BTreeMap::new();
            for cell in cells.iter().filter(|cell| cell.origin == Origin::Trained) {
                let place = (dataset.id.clone(), cell.method, cell.cell.shots);
                let cost = match known.get(&place) {
                    Some(cost) => *cost,
                    None => *known.entry(place).or_insert(training_cost(world, plan, dataset, cell)?),
                };
                load.add_training(&dataset.id, cell.method, cell.cell.shots, cost);
            }
            for target in std::iter::once(dataset).chain(others) {
                for classes in &plan.suite.evaluate {
                    load.add_half(world, plan, target, *classes, cells)?;
                }
            }
        }
        Ok(load)
    }

    fn add_half(
        &mut self,
        world: &World,
        plan: &Plan,
        target: &BenchDataset,
        classes: Classes,
        cells: &[CellPlan],
    ) -> Result<(), SuiteError> {
        let images = target.of_half(&target.split.test, classes, plan.limit).len() as u64;
        let mut counted: BTreeMap<usize, Work> = BTreeMap::new();
        let (mut all, mut frozen) = (0, 0);
        for cell in cells {
            let work = match counted.get(&cell.method) {
                Some(work) => *work,
                None => {
                    let resolved = &plan.methods[cell.method];
                    *counted.entry(cell.method).or_insert(work(world, target, resolved, classes)?)
                }
            };
            all += work.bind + work.classifier + images * work.evaluate;
            frozen = frozen.max(images * work.image);
        }
        self.add_tests(&target.id, classes, cells.len() as u64, (all + frozen) as f64);
        Ok(())
    }
}

fn training_cost(
    world: &World,
    plan: &Plan,
    dataset: &BenchDataset,
    cell: &CellPlan,
) -> Result<f64, SuiteError> {
    let resolved = &plan.methods[cell.method];
    let work = work(world, dataset, resolved, plan.suite.train_classes)?;
    let (Some(seed), Some(shots)) = (cell.cell.seed, cell.cell.shots) else { return Ok(0.0) };
    let draw = dataset.draw(resolved.sampling.draw, shots, seed)?;
    let map = dataset.labels(plan.suite.train_classes);
    let images = map.filter(draw.positions.iter().map(|at| &dataset.split.train[*at])).len();
    let Some(recipe) = resolved.recipe.as_ref().map(|recipe| recipe.for_shots(shots)) else {
        return Ok((work.bind + images as u64 * work.image) as f64);
    };
    let views = match plan.settings.globals.views {
        Views::Fresh => recipe.views(images),
        Views::Bank(views) => views,
    };
    let (steps, passes) = (recipe.total_steps(images) as u64, (images * views) as u64);
    Ok((work.bind + steps * work.step + passes * work.image) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_add_up_over_what_is_due() {
        let mut load = Workload::default();
        load.add_training("dtd", 1, Some(16), 10.0);
        load.add_training("dtd", 1, Some(16), 10.0);
        load.add_training("eurosat", 2, Some(16), 5.0);
        load.add_tests("dtd", Classes::Base, 4, 40.0);
        load.add_tests("dtd", Classes::Base, 4, 80.0);
        assert_eq!(load.all_trainings(), BTreeMap::from([(1, 20.0), (2, 5.0)]));
        assert_eq!((load.all_tests(), load.test("dtd", Classes::Base)), (120.0, 15.0));
        assert_eq!((load.training("dtd", 1, Some(16)), load.training("dtd", 1, Some(4))), (10.0, 0.0));
    }
}
