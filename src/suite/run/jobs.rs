//! The work of a run as jobs, each some cells of one dataset: which cells are open, and how they are cut for lanes and
//! tasks. Numbers do not depend on the cut.

use std::sync::Arc;

use super::event::Event;
use super::life::cell::CellRun;
use super::options::RunOptions;
use crate::record::Store;
use crate::suite::disk::reuse;
use crate::suite::error::SuiteError;
use crate::suite::plan::cell::CellPlan;
use crate::suite::plan::halves;
use crate::suite::plan::resolve::Plan;
use crate::suite::world::{BenchDataset, World};

/// Planned cells of one dataset.
pub(super) type Planned = (Arc<BenchDataset>, Vec<CellPlan>);
/// Cells of one dataset on their way.
pub(super) type Job = (Arc<BenchDataset>, Vec<CellRun>);

/// Datasets with cells to run, and the number of cells found complete.
pub(super) fn pending(
    world: &World,
    plan: &Plan,
    (datasets, others): (&[Arc<BenchDataset>], &[Arc<BenchDataset>]),
    store: &Store,
    options: &RunOptions<'_>,
) -> Result<(Vec<Planned>, usize), SuiteError> {
    let (mut jobs, mut skipped) = (Vec::new(), 0);
    others.iter().try_for_each(|dataset| halves::check(plan, dataset, false))?;
    for dataset in datasets.iter().cloned() {
        halves::check(plan, &dataset, true)?;
        let mut cells = plan.cells(world, &dataset, others)?;
        // Neighbours share a draw, so its views are made once, used by every method, and let go.
        cells.sort_by_key(|cell| (cell.cell.shots, cell.cell.seed, cell.method));
        jobs.push((dataset, cells));
    }
    options.shard.keep(&mut jobs, |cell| plan.unit(cell));
    let siblings = match options.fresh {
        true => Vec::new(),
        false => reuse::siblings(options.out, &plan.suite.name, &world.profile),
    };
    for (_, cells) in &mut jobs {
        let mut missing = Vec::new();
        for cell in std::mem::take(cells) {
            if !options.fresh && (is_whole(store, &cell, options)? || reuse::cell(store, &siblings, &cell)?) {
                skipped += 1;
                continue;
            }
            reuse::training(store, &siblings, &cell)?;
            missing.push(cell);
        }
        *cells = missing;
    }
    jobs.retain(|(_, cells)| !cells.is_empty());
    Ok((jobs, skipped))
}

/// Whether a cell has a complete record and all of its files; what is wrong with one that has not is told.
fn is_whole(store: &Store, cell: &CellPlan, options: &RunOptions<'_>) -> Result<bool, SuiteError> {
    let Some(record) = store.find(&cell.key)? else { return Ok(false) };
    let damage = store.damage(&record);
    let whole = damage.is_empty();
    for (path, reason) in damage {
        (options.event)(Event::Damaged { path, reason });
    }
    Ok(whole)
}

/// The pieces with those first that are this task's own, where `count` tasks divide them; the others' follow.
pub(super) fn from_own_place(mut jobs: Vec<Job>, index: usize, count: usize) -> Vec<Job> {
    if !jobs.is_empty() {
        let place = jobs.len() * index / count.max(1) % jobs.len();
        jobs.rotate_left(place);
    }
    jobs
}

/// Cuts jobs between units into at least `wanted` pieces (two a lane), where there are so many units: cells of one unit
/// share views or products, so they stay together.
pub(super) fn pieces(plan: &Plan, jobs: Vec<Planned>, wanted: usize) -> Vec<Job> {
    let wanted = if wanted <= 2 { 1 } else { wanted.div_ceil(jobs.len().max(1)) };
    let mut cut = Vec::new();
    for (dataset, cells) in jobs {
        let units: Vec<&[CellPlan]> = cells.chunk_by(|a, b| plan.unit(a) == plan.unit(b)).collect();
        for piece in units.chunks(units.len().div_ceil(wanted).max(1)) {
            let cells = piece.iter().copied().flatten().cloned().map(CellRun::new);
            cut.push((Arc::clone(&dataset), cells.collect()));
        }
    }
    cut
}
