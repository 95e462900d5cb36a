//! The third step: one pass over the test images of one half of one dataset, for every cell that is still sound.

use std::time::Instant;

use super::cell::{CellRun, cell_error};
use super::fingerprint::Fingerprint;
use super::lane::Lane;
use super::stopwatch::{Spent, TimedSet};
use crate::data::Classes;
use crate::frame::stored_predictions;
use crate::method::{Named, Needs};
use crate::record::{Evaluation, Prediction};
use crate::suite::disk::partial::Partial;
use crate::suite::error::SuiteError;
use crate::suite::plan::cell::CellPlan;
use crate::suite::run::event::{Event, PassNews};
use crate::suite::world::BenchDataset;
use crate::train::{Panel, TestImages, TrainError, evaluate};

impl Lane<'_> {
    /// Tests every sound cell on every half of its own dataset and of the others.
    pub(super) fn evaluate(&self, dataset: &BenchDataset, cells: &mut [CellRun]) -> Result<(), SuiteError> {
        for target in self.targets(dataset) {
            for classes in &self.plan.suite.evaluate {
                self.evaluate_half(target, *classes, cells)?;
            }
        }
        Ok(())
    }

    /// One pass over a half's test images for every cell that is still sound.
    fn evaluate_half(
        &self,
        dataset: &BenchDataset,
        classes: Classes,
        cells: &mut [CellRun],
    ) -> Result<(), SuiteError> {
        // Nobody is left to be tested: no image is opened.
        if self.together(dataset, classes, cells).is_empty() {
            return Ok(());
        }
        let listed = dataset.of_half(&dataset.split.test, classes, self.plan.limit);
        let (items, skipped) = self.readable(dataset, listed)?;
        if items.is_empty() {
            let reason = match skipped {
                0 => format!("no test image among its {classes} classes"),
                _ => format!("all {skipped} test images of its {classes} classes are unreadable"),
            };
            return Err(SuiteError::Dataset { id: dataset.id.clone(), reason });
        }
        let (mut active, mut groups, mut panels, mut needs) =
            (Vec::new(), Vec::new(), Vec::new(), Needs::default());
        for together in self.together(dataset, classes, cells) {
            match self.panel(dataset, classes, &together, cells) {
                Ok((panel, seconds)) => {
                    let each = seconds / together.len() as f64;
                    together.iter().for_each(|index| cells[*index].timing.evaluate_secs += each);
                    needs = needs.or(self.method(&cells[together[0]].plan).method.needs());
                    groups.push(together.len());
                    active.extend(together);
                    panels.push(panel);
                }
                Err(error) => {
                    let text = cell_error(error)?;
                    together.iter().try_for_each(|index| cells[*index].fail(text.clone()))?;
                }
            }
        }
        if panels.is_empty() {
            return Ok(());
        }
        let spent: Vec<Spent> = panels.iter().map(|_| Spent::default()).collect();
        let timed = |(panel, spent): (Panel, &Spent)| Panel {
            set: Box::new(TimedSet { set: panel.set, spent: spent.clone() }),
            ..panel
        };
        let panels: Vec<Panel> = panels.into_iter().zip(&spent).map(timed).collect();
        let started = Instant::now();
        let source = Fingerprint::new(dataset.source.as_ref());
        let stop = || (self.stop)();
        let keys = active.iter().map(|index| cells[*index].plan.key.as_str());
        let half = (dataset.id.as_str(), classes);
        let mut partial =
            Partial::new(self.store, keys, half, (&items, self.world.clip.grid()), self.checkpoint_every);
        let features = Some(self.features).filter(|store| store.persists());
        let images = TestImages { clip: &self.world.clip, source: &source, items: &items, needs, features };
        let heard = |done: usize| {
            (self.event)(Event::Tested(PassNews {
                dataset: dataset.id.clone(),
                classes,
                cells: active.len() as u64,
                done: done as u64,
                of: items.len() as u64,
            }));
        };
        let predictions = evaluate(&images, &panels, &mut partial, &stop, &heard)?;
        let images_sha256 = match predictions.iter().any(Result::is_ok) {
            true => source.digest(items.iter().map(|(item, _)| *item)).map_err(TrainError::from)?,
            false => String::new(),
        };
        let seconds = started.elapsed().as_secs_f64();
        let spent: Vec<f64> = spent.iter().map(Spent::seconds).collect();
        let shared = (seconds - spent.iter().sum::<f64>()).max(0.0) / active.len().max(1) as f64;
        let own = groups.iter().zip(&spent).flat_map(|(count, secs)| vec![secs / *count as f64; *count]);
        for ((index, predictions), own) in active.into_iter().zip(predictions).zip(own) {
            cells[index].timing.shared_secs += shared;
            cells[index].timing.evaluate_secs += own;
            match predictions {
                Ok(rows) => {
                    let evaluation = self.write_evaluation(dataset, &cells[index].plan, classes, &rows)?;
                    let images_sha256 = Some(images_sha256.clone());
                    cells[index].evaluated(Evaluation { images_sha256, skipped, ..evaluation })?;
                }
                Err(error) => cells[index].fail_with(error.into())?,
            }
        }
        Ok(())
    }

    /// Sound cells by what is computed together: each alone, or the seeds of a method in its variant.
    /// Those that cannot meet these classes are left out: their records have no such evaluation.
    fn together(&self, dataset: &BenchDataset, classes: Classes, cells: &[CellRun]) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let meets = |each: &CellRun| {
            let at_home = each.plan.cell.dataset == dataset.id && classes == self.plan.suite.train_classes;
            each.is_sound() && (at_home || self.method(&each.plan).method.transfers())
        };
        for (index, cell) in cells.iter().enumerate().filter(|(_, each)| meets(each)) {
            let name = |plan: &CellPlan| (plan.method, plan.cell.shots, plan.cell.variant.clone());
            let beside = |group: &&mut Vec<usize>| name(&cells[group[0]].plan) == name(&cell.plan);
            match groups.iter_mut().find(beside) {
                Some(group) if self.slots(&cell.plan) > 1 => group.push(index),
                _ => groups.push(vec![index]),
            }
        }
        groups
    }

    /// Places in the products of a cell: more than one where seeds share them.
    fn slots(&self, plan: &CellPlan) -> usize {
        plan.cell.seed.map_or(1, |_| self.plan.settings.globals.seeds.slots())
    }

    /// Classifiers of cells that are computed together, and the seconds that took. Places of seeds that are not among them are filled.
    fn panel(
        &self,
        dataset: &BenchDataset,
        classes: Classes,
        together: &[usize],
        cells: &[CellRun],
    ) -> Result<(Panel, f64), SuiteError> {
        let started = Instant::now();
        let plan = |index: usize| &cells[index].plan;
        let resolved = self.method(plan(together[0]));
        let texts = self.texts(dataset, resolved, classes)?;
        let head = resolved.method.bind(&self.world.clip, &texts)?;
        let none = Named::default();
        let named = |index: usize| {
            cells[index].training().map_or_else(|| none.clone(), |trained| trained.parameters.clone())
        };
        let seeds = &self.plan.settings.globals.seeds;
        let wanted: Vec<usize> = together.iter().map(|index| seeds.slot(plan(*index).cell.seed)).collect();
        let mut places = vec![together[0]; self.slots(plan(together[0]))];
        wanted.iter().zip(together).for_each(|(slot, index)| places[*slot] = *index);
        let parameters: Vec<Named> = places.into_iter().map(named).collect();
        let panel = Panel { set: head.classifiers(&parameters)?, wanted };
        Ok((panel, started.elapsed().as_secs_f64()))
    }

    fn write_evaluation(
        &self,
        dataset: &BenchDataset,
        cell: &CellPlan,
        classes: Classes,
        predictions: &[Prediction],
    ) -> Result<Evaluation, SuiteError> {
        let (ending, bytes) = stored_predictions(predictions)?;
        let path = format!("predictions/{}-{}-{classes}{ending}", cell.key, dataset.id);
        let sha256 = self.store.write(&path, &bytes)?;
        let competing = dataset.labels(classes);
        let name = |label: &u32| dataset.class_names[*label as usize].as_str();
        let names: Vec<&str> = competing.labels().iter().map(name).collect();
        Ok(Evaluation {
            dataset: dataset.id.clone(),
            classes,
            class_count: names.len() as u64,
            correct: predictions.iter().filter(|row| row.label == row.predicted).count() as u64,
            total: predictions.len() as u64,
            skipped: 0,
            predictions_path: path,
            predictions_sha256: sha256,
            images_sha256: None,
            classes_sha256: Some(self.store.write_class_names(&names)?),
        })
    }
}
