//! The runner: opens every dataset, skips finished cells, and works through the rest lane by lane.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::event::Event;
use super::lane::Lane;
use super::provenance::{CommandLine, device_model};
use crate::record::{Gone, Holder, Redactor, SlurmTask, Store};
use crate::suite::disk::claimed::{Claimed, Division};
use crate::suite::disk::{leftovers, neighbours, plans, reuse};
use crate::suite::error::SuiteError;
use crate::suite::plan::cells::NUMERICS_VERSION;
use crate::suite::plan::cells::{CellPlan, Origin, Plan};
use crate::suite::plan::shard::Shard;
use crate::suite::plan::workload::Workload;
use crate::suite::plan::{halves, memory, towers};
use crate::suite::spec::file::Measure;
use crate::suite::world::{BenchDataset, World};
use crate::train::FeatureStore;

/// How to run.
pub struct RunOptions<'a> {
    /// Output directory.
    pub out: &'a Path,
    /// Runs finished cells again.
    pub fresh: bool,
    /// Datasets or seeds worked on side by side, as far as memory allows, each on a pool of as many threads as this one's.
    pub lanes: usize,
    /// Which part of the plan to run.
    pub shard: Shard,
    /// Time between two checkpoints of a training.
    pub checkpoint_every: Duration,
    /// The command, for the records.
    pub command: CommandLine,
    /// The Slurm task this is, for records and claims.
    pub slurm: Option<SlurmTask>,
    /// Name of the cluster it runs on.
    pub cluster: Option<String>,
    /// Which of how many tasks that work through the same plan this is, from 0: each begins at another place.
    pub among: Option<(usize, usize)>,
    /// Knows of holders of claims that are certainly gone.
    pub gone: Gone,
    /// Keeps the machine's paths out of the records of failed cells.
    pub redactor: Redactor,
    /// Where pooled features are kept between runs: a folder and the bytes they may take there.
    pub cache: Option<(PathBuf, u64)>,
    /// Asked between steps: true stops the run.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Hears what happens.
    pub event: &'a (dyn Fn(Event) + Sync),
}

impl<'a> RunOptions<'a> {
    /// A whole run under `out` on one lane, that keeps neither checkpoints nor features and tells nobody.
    pub fn quiet(out: &'a Path) -> Self {
        Self {
            out,
            fresh: false,
            lanes: 1,
            shard: Shard::WHOLE,
            checkpoint_every: Duration::MAX,
            command: CommandLine::default(),
            slurm: None,
            cluster: None,
            among: None,
            gone: Arc::new(|_| false),
            redactor: Redactor::default(),
            cache: None,
            stop: &|| false,
            event: &|_| {},
        }
    }
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
    /// Cells left to other processes, which are working on them.
    pub elsewhere: usize,
}

/// Cells of one dataset.
type Job = (Arc<BenchDataset>, Vec<CellPlan>);

/// Runs every cell of the plan that has no complete record and that no other process is working on.
///
/// # Errors
/// [`SuiteError`]; every record written before stays, and the same command goes on from there.
pub fn run(world: &World, plan: &Plan, options: &RunOptions<'_>) -> Result<Summary, SuiteError> {
    towers::check(&world.clip, plan)?;
    let world = &world.with_sizes(&plan.settings.globals);
    world.check(&[plan.suite.datasets.as_slice(), &plan.suite.evaluate_on].concat())?;
    let open = |id: &String| Ok(Arc::new(world.dataset(id)?));
    let others = plan.suite.evaluate_on.iter().map(open).collect::<Result<Vec<_>, SuiteError>>()?;
    let store = Store::new(options.out, &plan.suite.name, &world.profile);
    let datasets = plan.suite.datasets.iter().map(open).collect::<Result<Vec<_>, SuiteError>>()?;
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
    let lane = Lane {
        world,
        plan,
        store: &store,
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
    let cluster = options.cluster.clone();
    let me = Holder { slurm: options.slurm.clone(), cluster, ..Holder::this_process() };
    let claims = Claimed::new(&store, options.fresh, me, Arc::clone(&options.gone))?;
    let jobs = match options.among {
        None => pieces(plan, jobs, 2 * lanes),
        // The smallest pieces: a task that dies, or is slow, keeps little from the others.
        Some((index, count)) => from_own_place(pieces(plan, jobs, usize::MAX), index, count),
    };
    // What others were working on in the first round may be finished, or abandoned, in the second.
    let left = work(&lane, &claims, jobs, lanes, options.among.is_some(), &broken)?;
    let left = work(&lane, &claims, left, lanes, false, &broken)?;
    if left.is_empty() {
        claims.sweep()?;
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

/// Datasets with cells to run, and the number of cells found complete.
fn pending(
    world: &World,
    plan: &Plan,
    (datasets, others): (&[Arc<BenchDataset>], &[Arc<BenchDataset>]),
    store: &Store,
    options: &RunOptions<'_>,
) -> Result<(Vec<Job>, usize), SuiteError> {
    let (mut jobs, mut skipped) = (Vec::new(), 0);
    others.iter().try_for_each(|dataset| halves::check(plan, dataset, false))?;
    for dataset in datasets.iter().cloned() {
        halves::check(plan, &dataset, true)?;
        let mut cells = plan.cells(world, &dataset, others)?;
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
fn from_own_place(mut jobs: Vec<Job>, index: usize, count: usize) -> Vec<Job> {
    if !jobs.is_empty() {
        let place = jobs.len() * index / count.max(1) % jobs.len();
        jobs.rotate_left(place);
    }
    jobs
}

/// Cuts jobs between units into at least `wanted` pieces (two a lane), where there are so many units: cells of one unit
/// share views or products, so they stay together. Numbers do not depend on the cut.
fn pieces(plan: &Plan, jobs: Vec<Job>, wanted: usize) -> Vec<Job> {
    if wanted <= 2 || jobs.is_empty() {
        return jobs;
    }
    let wanted = wanted.div_ceil(jobs.len());
    let mut cut = Vec::new();
    for (dataset, cells) in jobs {
        let groups: Vec<&[CellPlan]> = cells.chunk_by(|a, b| plan.unit(a) == plan.unit(b)).collect();
        for piece in groups.chunks(groups.len().div_ceil(wanted).max(1)) {
            cut.push((dataset.clone(), piece.concat()));
        }
    }
    cut
}

/// Works through the jobs on `lanes` lanes and returns what other processes hold. A lane's inner loops stay on its own
/// threads: one for a small model, which beats cutting every small product in two. Numbers do not depend on it.
fn work(
    lane: &Lane<'_>,
    claims: &Claimed<'_>,
    jobs: Vec<Job>,
    lanes: usize,
    listed: bool,
    broken: &AtomicBool,
) -> Result<Vec<Job>, SuiteError> {
    let queue: Mutex<VecDeque<Job>> = Mutex::new(jobs.into());
    let first_error: Mutex<Option<SuiteError>> = Mutex::new(None);
    let left: Mutex<Vec<Job>> = Mutex::default();
    let next = || {
        let halted = first_error.lock().map_or(true, |error| error.is_some());
        if halted { None } else { queue.lock().ok()?.pop_front() }
    };
    let one = |(dataset, cells): Job| -> Result<(), SuiteError> {
        let Division { mine, held, others } = claims.divide(cells, listed)?;
        if !mine.is_empty() {
            lane.run(&dataset, &mine)?;
        }
        drop(held);
        if let (false, Ok(mut left)) = (others.is_empty(), left.lock()) {
            left.push((dataset, others));
        }
        Ok(())
    };
    let drain = || {
        while let Some(job) = next() {
            if let (Err(error), Ok(mut slot)) = (one(job), first_error.lock()) {
                slot.get_or_insert(error);
                broken.store(true, Ordering::Relaxed);
            }
        }
    };
    let threads = rayon::current_num_threads();
    if lanes <= 1 {
        drain();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..lanes {
                scope.spawn(|| match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
                    Ok(pool) => pool.install(drain),
                    Err(_) => drain(),
                });
            }
        });
    }
    match first_error.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(left.into_inner().unwrap_or_default()),
    }
}
