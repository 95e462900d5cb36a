//! The runner: opens every dataset, skips finished cells, and has the lanes work through the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::event::Event;
use super::jobs::{from_own_place, pending, pieces};
use super::lanes::work;
use super::life::claim::Claiming;
use super::life::lane::Lane;
use super::options::{RunOptions, Summary};
use super::provenance::device_model;
use crate::record::{Holder, Store};
use crate::suite::disk::{leftovers, neighbours, plans};
use crate::suite::error::SuiteError;
use crate::suite::plan::cell::Origin;
use crate::suite::plan::keys::NUMERICS_VERSION;
use crate::suite::plan::resolve::Plan;
use crate::suite::plan::workload::Workload;
use crate::suite::plan::{memory, towers};
use crate::suite::spec::file::Measure;
use crate::suite::world::World;
use crate::train::FeatureStore;

/// Runs every cell of the plan that has no complete record and that no other process is working on.
///
/// # Errors
/// [`SuiteError`]; every record written before stays, and the same command goes on from there.
pub fn run(world: &World, plan: &Plan, options: &RunOptions<'_>) -> Result<Summary, SuiteError> {
    towers::check(&world.clip, plan)?;
    let world = &world.with_sizes(&plan.settings.globals);
    world.check(&[plan.suite.datasets.as_slice(), &plan.suite.evaluate_on].concat())?;
    let others = world.datasets(&plan.suite.evaluate_on)?;
    let store = Store::new(options.out, &plan.suite.name, &world.profile);
    let datasets = world.datasets(&plan.suite.datasets)?;
    neighbours::check(&store, world, &datasets)?;
    let (jobs, skipped) = pending(world, plan, (&datasets, &others), &store, options)?;
    let cells: usize = jobs.iter().map(|(_, cells)| cells.len()).sum();
    let trainings =
        jobs.iter().flat_map(|(_, cells)| cells).filter(|cell| cell.origin == Origin::Trained).count();
    let costs = Workload::of(world, plan, &jobs, &others)?;
    (options.event)(Event::Planned {
        trainings: trainings as u64,
        cells: cells as u64,
        skipped: skipped as u64,
        work: costs,
    });
    // Timings are taken with the machine to oneself.
    let lanes = if plan.suite.measure.contains(&Measure::Cost) { 1 } else { options.lanes };
    let lanes = memory::fitting(world, plan, &jobs, lanes)?;
    // Before any work: whoever looks at the run from elsewhere must know what was planned.
    plan.suite.store(&store)?;
    plans::remember(&store, &plan.suite)?;
    if cells == 0 {
        leftovers::sweep(&store)?;
        return Ok(Summary { skipped, ..Summary::default() });
    }
    store.prepare()?;
    let features = feature_store(world, options)?;
    let (done, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // The first error ends every lane at its next step, or it would be heard of hours later.
    let broken = AtomicBool::new(false);
    let stop = || broken.load(Ordering::Relaxed) || (options.stop)();
    let event = |event: Event| {
        if let Event::CellDone { failed: is_failed } = event {
            done.fetch_add(1, Ordering::Relaxed);
            failed.fetch_add(usize::from(is_failed), Ordering::Relaxed);
        }
        (options.event)(event);
    };
    let cluster = options.cluster.clone();
    let me = Holder { slurm: options.slurm.clone(), cluster, ..Holder::this_process() };
    let claiming = Claiming::new(&store, options.fresh, me, Arc::clone(&options.gone))?;
    let lane = Lane {
        world,
        plan,
        store: &store,
        claiming: &claiming,
        others: &others,
        fresh: options.fresh,
        command: &options.command,
        slurm: options.slurm.as_ref(),
        redactor: &options.redactor,
        features: &features,
        checkpoint_every: options.checkpoint_every,
        stop: &stop,
        event: &event,
    };
    let jobs = match options.among {
        None => pieces(plan, jobs, 2 * lanes),
        // The smallest pieces: a task that dies, or is slow, keeps little from the others.
        Some((index, count)) => from_own_place(pieces(plan, jobs, usize::MAX), index, count),
    };
    // What others were working on in the first round may be finished, or abandoned, in the second.
    let left = work(&lane, jobs, lanes, options.among.is_some(), &broken)?;
    let left = work(&lane, left, lanes, false, &broken)?;
    if left.is_empty() {
        claiming.sweep()?;
    }
    leftovers::sweep(&store)?;
    if let Some(reason) = features.fault() {
        (options.event)(Event::CacheFailed { reason });
    }
    let elsewhere = left.iter().map(|(_, cells)| cells.len()).sum();
    let (done, failed) = (done.into_inner(), failed.into_inner());
    Ok(Summary { done, skipped: cells + skipped - done - elsewhere, failed, elsewhere })
}

/// The store of pooled features of this world's model.
fn feature_store(world: &World, options: &RunOptions<'_>) -> Result<FeatureStore, SuiteError> {
    let (device, precision) = (world.clip.device_kind(), world.clip.precision());
    // Another model of processor or card has other products: its last bits are its own.
    let machine = device_model(device).unwrap_or_default();
    let model = format!("{} {precision} {device} {machine} {NUMERICS_VERSION}", world.identity.sha256());
    let store = FeatureStore::new(model);
    Ok(match &options.cache {
        Some((folder, bytes)) => store.with_folder(folder.clone(), *bytes)?,
        None => store,
    })
}
