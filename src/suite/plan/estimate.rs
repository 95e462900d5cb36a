//! What a plan will take, before anything is written: cells, passes, multiply-adds, time and disk.
//!
//! Time comes from a calibration of a second or two: every method is timed on the first dataset that has work, and
//! scaled to the others by its multiply-adds. Data loading beyond the first images, checkpoints and the report are
//! not in it.
//!
//! Long because what is counted and what it comes to stand side by side.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::cell::{CellPlan, Origin};
use super::departures::{self, MethodSettings};
use super::keys::trained_paths;
use super::resolve::Plan;
use super::timing::{self, Timed};
use super::{halves, memory, towers};
use crate::data::{Classes, DrawRule};
use crate::method::ParameterShape;
use crate::method::work::{Shape, Work};
use crate::record::{Cell, Store};
use crate::suite::error::SuiteError;
use crate::suite::spec::overrides::Resolved;
use crate::suite::world::{BenchDataset, World};
use crate::train::{TrainError, Views};

/// Time spent on each piece of the calibration that is measured.
const BUDGET: Duration = Duration::from_millis(30);
/// Size of a record without measurements, and of a row of predictions besides its path.
const RECORD_BYTES: u64 = 6_000;
const ROW_BYTES: u64 = 24;
const F32_BYTES: u64 = 4;

/// One cell of the plan.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedCell {
    /// Coordinates.
    pub cell: Cell,
    /// Content key.
    pub key: String,
    /// Whether a complete record is there already.
    pub complete: bool,
    /// Whether the method cannot meet classes it was not trained on, and the suite has such.
    pub trained_classes_only: bool,
}

/// What is left of one method or one dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Load {
    /// Id of the method or dataset.
    pub name: String,
    /// Cells.
    pub cells: u64,
    /// Cells without a complete record.
    pub cells_to_run: u64,
    /// Trainings among them.
    pub trainings: u64,
    /// Floating-point operations, two a multiply-add.
    pub flop: f64,
    /// Seconds with this many lanes. Frozen passes over test images, which methods share, are the datasets' alone.
    pub seconds: f64,
}

impl Load {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

/// The work that is left.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Estimate {
    /// The settings of every method, and where they are not the published ones.
    pub settings: Vec<MethodSettings>,
    /// Every method's part, in the suite's order.
    pub methods: Vec<Load>,
    /// Every dataset's part, in the suite's order.
    pub datasets: Vec<Load>,
    /// Every cell.
    pub cells: Vec<PlannedCell>,
    /// Cells without a complete record.
    pub cells_to_run: u64,
    /// Trainings among them.
    pub trainings: u64,
    /// Frozen passes over training views.
    pub training_image_passes: u64,
    /// Frozen passes over test images; one serves every cell of a dataset.
    pub evaluation_image_passes: u64,
    /// Floating-point operations, two a multiply-add.
    pub flop: f64,
    /// Seconds with this many lanes, if nobody disturbs.
    pub seconds: f64,
    /// Bytes that will be written.
    pub disk_bytes: u64,
}

/// What one variant of one method takes on the dataset it was timed on.
struct Calibrated {
    timed: Timed,
    work: Work,
}

/// Estimates what `plan` will take under `out` on so many lanes. Reads records, times methods, writes nothing.
///
/// # Errors
/// A dataset that cannot be opened or used, a record that cannot be read, a method that fails on the first images, a
/// run that cannot fit into memory, an interruption.
pub fn estimate(
    world: &World,
    plan: &Plan,
    (out, lanes): (&Path, usize),
    stop: &dyn Fn() -> bool,
) -> Result<Estimate, SuiteError> {
    towers::check(&world.clip, plan)?;
    let store = Store::new(out, &plan.suite.name, &world.profile);
    let others = world.datasets(&plan.suite.evaluate_on)?;
    let mut total = Estimate {
        settings: departures::of(plan)?,
        methods: plan.suite.methods.iter().map(|id| Load::named(id)).collect(),
        ..Estimate::default()
    };
    others.iter().try_for_each(|dataset| halves::check(plan, dataset, false))?;
    let mut calibrated: Option<Vec<Calibrated>> = None;
    for id in &plan.suite.datasets {
        let dataset = world.dataset(id)?;
        halves::check(plan, &dataset, true)?;
        let mut pending = Vec::new();
        let before = total.so_far(id);
        for cell in plan.cells(world, &dataset, &others)? {
            go_on(stop)?;
            let complete = store.find_whole(&cell.key)?.is_some();
            let method = total.method(&cell.cell.method);
            method.cells += 1;
            method.cells_to_run += u64::from(!complete);
            let meets = plan.methods[cell.method].method.transfers();
            let trained_classes_only = !meets && plan.suite.asks_new_classes();
            let (coordinates, key) = (cell.cell.clone(), cell.key.clone());
            total.cells.push(PlannedCell { cell: coordinates, key, complete, trained_classes_only });
            if !complete {
                pending.push(cell);
            }
        }
        if pending.is_empty() {
            total.datasets.push(before.until(&total));
            continue;
        }
        let job = (dataset.clone(), pending);
        memory::fitting(world, plan, std::slice::from_ref(&job), 1)?;
        let pending = job.1;
        let calibrated = match &calibrated {
            Some(calibrated) => calibrated,
            None => calibrated.insert(calibrate(world, plan, &dataset)?),
        };
        let known = RefCell::default();
        let work = Dataset { world, plan, store: &store, dataset: &dataset, calibrated, known: &known, stop };
        work.trainings(&pending, &mut total)?;
        for target in std::iter::once(&dataset).chain(&others) {
            for classes in &plan.suite.evaluate {
                work.evaluation(&pending, target, *classes, &mut total)?;
            }
        }
        total.cells_to_run += pending.len() as u64;
        total.disk_bytes += RECORD_BYTES * pending.len() as u64;
        total.datasets.push(before.until(&total));
    }
    let lanes = lanes.max(1) as f64;
    total.seconds /= lanes;
    total.methods.iter_mut().chain(&mut total.datasets).for_each(|load| load.seconds /= lanes);
    Ok(total)
}

impl Load {
    /// What came to `total` since this was noted of it.
    fn until(self, total: &Estimate) -> Self {
        let now = total.so_far(&self.name);
        Self {
            cells: now.cells - self.cells,
            cells_to_run: now.cells_to_run - self.cells_to_run,
            trainings: now.trainings - self.trainings,
            flop: now.flop - self.flop,
            seconds: now.seconds - self.seconds,
            name: self.name,
        }
    }
}

impl Estimate {
    /// All so far, under a dataset's name.
    fn so_far(&self, name: &str) -> Load {
        Load {
            name: name.to_owned(),
            cells: self.cells.len() as u64,
            cells_to_run: self.cells_to_run,
            trainings: self.trainings,
            flop: self.flop,
            seconds: self.seconds,
        }
    }

    /// The part of a method, which a plan's cells and methods have in common.
    fn method(&mut self, id: &str) -> &mut Load {
        let at = self.methods.iter().position(|load| load.name == id).unwrap_or_else(|| {
            self.methods.push(Load::named(id));
            self.methods.len() - 1
        });
        &mut self.methods[at]
    }

    /// Adds work of a method, to it and to all.
    fn add(&mut self, method: &str, multiply_adds: u64, seconds: f64) {
        let flop = 2.0 * multiply_adds as f64;
        self.flop += flop;
        self.seconds += seconds;
        let own = self.method(method);
        own.flop += flop;
        own.seconds += seconds;
    }
}

fn go_on(stop: &dyn Fn() -> bool) -> Result<(), SuiteError> {
    if stop() { Err(TrainError::Interrupted.into()) } else { Ok(()) }
}

fn calibrate(world: &World, plan: &Plan, dataset: &BenchDataset) -> Result<Vec<Calibrated>, SuiteError> {
    let (classes, policy) = (plan.suite.train_classes, plan.settings.globals.broken_images);
    let one = |resolved| {
        let timed = timing::time(world, dataset, resolved, classes, policy, BUDGET)?;
        Ok(Calibrated { timed, work: work(world, dataset, resolved, classes)? })
    };
    plan.methods.iter().map(one).collect()
}

/// Multiply-adds of a method among a half's classes of a dataset.
pub(super) fn work(
    world: &World,
    dataset: &BenchDataset,
    resolved: &Resolved,
    classes: Classes,
) -> Result<Work, SuiteError> {
    let prompts = world.class_prompts(dataset, &resolved.style, classes)?;
    let batch = resolved.recipe.as_ref().map_or(0, |recipe| recipe.batch_size as u64);
    Ok(resolved.method.work(&Shape::new(&world.clip.config, &prompts, batch)))
}

/// `seconds` that went into `timed` multiply-adds, for `wanted` of them.
fn scaled(seconds: f64, timed: u64, wanted: u64) -> f64 {
    if timed == 0 { seconds } else { seconds * wanted as f64 / timed as f64 }
}

/// The work of one dataset's cells.
struct Dataset<'a> {
    world: &'a World,
    plan: &'a Plan,
    store: &'a Store,
    dataset: &'a BenchDataset,
    calibrated: &'a [Calibrated],
    /// What was counted already, by dataset, method and half: seeds do not change it.
    known: &'a RefCell<BTreeMap<(String, usize, Classes), Work>>,
    stop: &'a dyn Fn() -> bool,
}

impl Dataset<'_> {
    fn work(&self, target: &BenchDataset, method: usize, classes: Classes) -> Result<Work, SuiteError> {
        go_on(self.stop)?;
        let key = (target.id.clone(), method, classes);
        if let Some(work) = self.known.borrow().get(&key) {
            return Ok(*work);
        }
        let work = work(self.world, target, &self.plan.methods[method], classes)?;
        self.known.borrow_mut().insert(key, work);
        Ok(work)
    }

    fn trainings(&self, pending: &[CellPlan], total: &mut Estimate) -> Result<(), SuiteError> {
        // Views that are in the store already, by draw: what only needs pooled features finds them there.
        let (mut views_made, mut numbers, mut drawn) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for cell in pending.iter().filter(|cell| cell.origin == Origin::Trained) {
            let there = trained_paths(&cell.training_key).iter().all(|p| self.store.dir().join(p).is_file());
            let (Some(seed), Some(shots), false) = (cell.cell.seed, cell.cell.shots, there) else { continue };
            let resolved = &self.plan.methods[cell.method];
            let sampling = resolved.sampling;
            let images = match drawn.entry((sampling.draw, seed, shots)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => *place.insert(self.drawn_images(sampling.draw, seed, shots)?),
            };
            let recipe = resolved.recipe.as_ref().map(|recipe| recipe.for_shots(shots));
            let steps = recipe.as_ref().map_or(0, |recipe| recipe.total_steps(images as usize)) as u64;
            let Calibrated { timed, work: timed_work } = &self.calibrated[cell.method];
            let work = self.work(self.dataset, cell.method, self.plan.suite.train_classes)?;
            let owner = if self.plan.settings.globals.views_per_method { resolved.id } else { "" };
            let views = match self.plan.settings.globals.views {
                Views::Fresh => recipe.as_ref().map_or(1, |recipe| recipe.views(images as usize)) as u64,
                Views::Bank(views) => views as u64,
            };
            let own =
                self.plan.settings.globals.views == Views::Fresh && !resolved.method.needs().only_pooled();
            let made: &mut u64 = views_made.entry((seed, shots, owner, sampling.key())).or_default();
            let passes = images * if own { views } else { views.saturating_sub(*made) };
            *made = if own { *made } else { views.max(*made) };
            total.trainings += 1;
            total.training_image_passes += passes;
            total.method(resolved.id).trainings += 1;
            let seconds = passes as f64 * (timed.pixels_secs + timed.image_secs)
                + timed.bind_secs
                + steps as f64 * scaled(timed.step_secs.unwrap_or(0.0), timed_work.step, work.step);
            total.add(resolved.id, steps * work.step + passes * work.image + work.bind, seconds);
            let numbers = match numbers.entry(cell.method) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => *place.insert(self.trained_numbers(resolved)?),
            };
            total.disk_bytes += F32_BYTES * numbers + RECORD_BYTES / 2;
        }
        Ok(())
    }

    /// Images of a draw that the training sees.
    fn drawn_images(&self, rule: DrawRule, seed: u64, shots: u32) -> Result<u64, SuiteError> {
        let map = self.dataset.labels(self.plan.suite.train_classes);
        let draw = self.dataset.draw(rule, shots, seed)?;
        Ok(map.filter(draw.positions.iter().map(|at| &self.dataset.split.train[*at])).len() as u64)
    }

    /// How many numbers a method trains.
    fn trained_numbers(&self, resolved: &Resolved) -> Result<u64, SuiteError> {
        let texts = self.world.class_texts(self.dataset, &resolved.style, self.plan.suite.train_classes)?;
        Ok(ParameterShape::count(&resolved.method.shapes(&self.world.clip, &texts)?))
    }

    fn evaluation(
        &self,
        pending: &[CellPlan],
        target: &BenchDataset,
        classes: Classes,
        total: &mut Estimate,
    ) -> Result<(), SuiteError> {
        let items = target.of_half(&target.split.test, classes, self.plan.limit);
        let images = items.len() as u64;
        let rows: u64 = items.iter().map(|(item, _)| item.path.len() as u64 + ROW_BYTES).sum();
        let mut frozen = (0, 0.0);
        for cell in pending {
            let Calibrated { timed, work: timed_work } = &self.calibrated[cell.method];
            let work = self.work(target, cell.method, classes)?;
            let once = work.bind + work.classifier;
            let once_secs = timed.bind_secs + timed.classifier_secs;
            let seconds = scaled(once_secs, timed_work.bind + timed_work.classifier, once)
                + images as f64 * scaled(timed.evaluate_secs, timed_work.evaluate, work.evaluate);
            total.add(self.plan.methods[cell.method].id, once + images * work.evaluate, seconds);
            total.disk_bytes += rows;
            frozen = (work.image.max(frozen.0), (timed.pixels_secs + timed.image_secs).max(frozen.1));
        }
        total.evaluation_image_passes += images;
        total.flop += 2.0 * (images * frozen.0) as f64;
        total.seconds += images as f64 * frozen.1;
        Ok(())
    }
}
