//! The runner: opens every dataset, skips finished cells, and works through the rest lane by lane.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;

use super::cells::{CellPlan, Plan};
use super::error::SuiteError;
use super::lane::Lane;
use super::provenance::CommandLine;
use super::world::{BenchDataset, World};
use crate::record::Store;

/// Something happened; for progress lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The work is known: trainings and cells to come, cells already done.
    Planned {
        /// Trainings to do.
        trainings: u64,
        /// Cells to record.
        cells: u64,
        /// Cells found complete.
        skipped: u64,
    },
    /// One training is over.
    TrainingDone,
    /// One cell is recorded.
    CellDone {
        /// Whether it is recorded as failed.
        failed: bool,
    },
}

/// How to run.
pub struct RunOptions<'a> {
    /// Output directory.
    pub out: &'a Path,
    /// Runs finished cells again.
    pub fresh: bool,
    /// Datasets worked on side by side, one thread each; 1 gives every thread to one dataset.
    pub lanes: usize,
    /// The command, for the records.
    pub command: CommandLine,
    /// Asked between steps: true stops the run.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Hears what happens.
    pub event: &'a (dyn Fn(Event) + Sync),
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Cells recorded by this run.
    pub done: usize,
    /// Cells that were complete before.
    pub skipped: usize,
    /// Cells recorded as failed by this run.
    pub failed: usize,
}

type Job = (BenchDataset, Vec<CellPlan>);

/// Runs every cell of the plan that has no complete record.
///
/// # Errors
/// [`SuiteError`]; every record written before stays, and the same command goes on from there.
pub fn run(world: &World, plan: &Plan, options: &RunOptions<'_>) -> Result<Summary, SuiteError> {
    world.check(&plan.suite.datasets)?;
    let store = Store::new(options.out, &plan.suite.name, &world.profile);
    let (jobs, skipped) = pending(world, plan, &store, options.fresh)?;
    let cells: usize = jobs.iter().map(|(_, cells)| cells.len()).sum();
    let trainings = jobs.iter().flat_map(|(_, cells)| cells).filter(|cell| cell.cell.seed.is_some()).count();
    (options.event)(Event::Planned {
        trainings: trainings as u64,
        cells: cells as u64,
        skipped: skipped as u64,
    });
    let failed = Mutex::new(0);
    let event = |event: Event| {
        if let (Event::CellDone { failed: true }, Ok(mut count)) = (event, failed.lock()) {
            *count += 1;
        }
        (options.event)(event);
    };
    let lane =
        Lane { world, plan, store: &store, command: &options.command, stop: options.stop, event: &event };
    work(&lane, jobs, options.lanes)?;
    let failed = failed.into_inner().unwrap_or_default();
    Ok(Summary { done: cells, skipped, failed })
}

/// Datasets with cells to run, and the number of cells found complete.
fn pending(world: &World, plan: &Plan, store: &Store, fresh: bool) -> Result<(Vec<Job>, usize), SuiteError> {
    let (mut jobs, mut skipped) = (Vec::new(), 0);
    for id in &plan.suite.datasets {
        let dataset = world.dataset(id)?;
        let mut cells = Vec::new();
        for cell in plan.cells(world, &dataset)? {
            if !fresh && store.find(&cell.key)?.is_some() {
                skipped += 1;
            } else {
                cells.push(cell);
            }
        }
        cells.sort_by_key(|cell| (cell.cell.shots, cell.cell.seed, cell.method));
        if !cells.is_empty() {
            jobs.push((dataset, cells));
        }
    }
    Ok((jobs, skipped))
}

/// Works through the jobs on `lanes` threads. A lane's inner loops stay on its own thread, which for a
/// small model beats cutting every small product in two; numbers do not depend on it.
fn work(lane: &Lane<'_>, jobs: Vec<Job>, lanes: usize) -> Result<(), SuiteError> {
    let queue: Mutex<VecDeque<Job>> = Mutex::new(jobs.into());
    let first_error: Mutex<Option<SuiteError>> = Mutex::new(None);
    let next = || {
        let halted = first_error.lock().map_or(true, |error| error.is_some());
        if halted { None } else { queue.lock().ok()?.pop_front() }
    };
    let drain = || {
        while let Some((dataset, cells)) = next() {
            if let (Err(error), Ok(mut slot)) = (lane.run(&dataset, &cells), first_error.lock()) {
                slot.get_or_insert(error);
            }
        }
    };
    if lanes <= 1 {
        drain();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..lanes {
                scope.spawn(|| match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(drain),
                    Err(_) => drain(),
                });
            }
        });
    }
    match first_error.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(()),
    }
}
