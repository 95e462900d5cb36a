//! `slurm SUITE`: the suite as an array of tasks on a cluster, and its report when they are over.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::args::{SlurmArgs, SuiteArgs};
use super::exit::{Exit, Failure};
use super::plan::duration;
use super::signals::stopped;
use super::suite::{device, planned};
use super::threads::lanes;
use crate::cluster::{
    AskError, Request, RequestError, Site, array_script, parse_time, report_script, submit,
};
use crate::record::Store;
use crate::suite::{Estimate, estimate};

/// Seconds of work worth a task of its own: sites ask for few jobs, and packed ones.
const WORTH_A_TASK: f64 = 1800.0;
/// Tasks where the time cannot be estimated here.
const UNTIMED_TASKS: u64 = 16;
/// Own options that take a value; everything else goes to `suite` as it was typed.
const OWN: [&str; 6] = ["--tasks", "--partition", "--gres", "--time", "--sbatch-arg", "--restarts"];

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        Self::new(Exit::RunFailed, error)
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

pub(super) fn slurm(args: &SlurmArgs) -> Result<Exit, Failure> {
    refuse(&args.suite)?;
    let site = match Site::ask() {
        Ok(site) => Some(site),
        // A script can be looked at anywhere.
        Err(error) if args.dry_run => {
            eprintln!("{error}\nnothing is checked against a site");
            None
        }
        Err(error) => return Err(error.into()),
    };
    let mut request = request(args);
    request.check()?;
    let (units, estimate, profile) = work(&args.suite)?;
    request.tasks = args.tasks.unwrap_or_else(|| tasks(units, estimate.as_ref(), args.time.as_deref()));
    let out = std::path::absolute(&args.suite.out)?;
    if let Some(site) = &site {
        request.check_at(site, &out)?;
    }
    if let Some(estimate) = &estimate {
        let text = duration(estimate.seconds);
        eprintln!(
            "{} cells to run, about {text} of this machine; {} tasks",
            estimate.cells_to_run, request.tasks
        );
    }
    let suite = &args.suite.name;
    let own_name = Path::new(suite).file_stem().unwrap_or_default().display().to_string();
    let store = Store::new(&out, &own_name, &profile);
    let folder = store.dir().join("slurm");
    let program = std::env::current_exe()?.display().to_string();
    let command = [vec![program.clone()], suite_arguments(args)].concat();
    let array = array_script(&request, &own_name, &folder, &folder.join("submitted"), &command);
    let last = ["report", &own_name, "--profile", &profile, "--out", &out.display().to_string()];
    let last = [vec![program], last.map(str::to_owned).to_vec()].concat();
    let report = report_script(&request, &own_name, &folder, &last);
    if args.dry_run {
        print!("{array}\n{report}");
        return Ok(Exit::Ok);
    }
    for (name, text) in [
        ("submitted", "A task that sees this file shares the output.\n"),
        ("tasks.sh", &array),
        ("report.sh", &report),
    ] {
        store.write(&format!("slurm/{name}"), text.as_bytes())?;
    }
    let job = submit(&array, &[])?;
    // Failed tasks are no reason to wait for ever: the report says what is missing.
    let last = submit(&report, &[format!("--dependency=afterany:{job}")])?;
    println!("job {job}: {} tasks; job {last}: the report when they are over", request.tasks);
    println!("scripts and logs: {}", folder.display());
    println!("how far it is: rpo-bench status --out {}", args.suite.out.display());
    Ok(Exit::Ok)
}

/// What makes no sense for tasks of an array.
fn refuse(suite: &SuiteArgs) -> Result<(), Failure> {
    let reasons = [
        (suite.plan, "--plan: `suite` shows the plan; slurm --dry-run shows the scripts"),
        (
            suite.fresh,
            "--fresh: a task that goes on would begin anew each time; move the run folder away instead",
        ),
        (suite.shard.is_some(), "--shard: the tasks divide the cells among themselves"),
        (suite.requeue.is_some(), "--requeue: --restarts N says after how many starts a task gives up"),
    ];
    match reasons.into_iter().find(|(given, _)| *given) {
        Some((_, reason)) => Err(Failure::new(Exit::Usage, reason)),
        None => Ok(()),
    }
}

fn request(args: &SlurmArgs) -> Request {
    Request {
        tasks: args.tasks.unwrap_or(1),
        partition: args.partition.clone(),
        gres: args.gres.clone(),
        time: args.time.clone(),
        cpus: args.suite.threads,
        more: args.sbatch_arg.clone(),
        checkpoint_every: Duration::from_secs(args.suite.checkpoint_secs),
        restarts: args.restarts,
    }
}

/// Number of pieces that can run side by side, what they take (where it can be timed here) and the profile's name.
fn work(args: &SuiteArgs) -> Result<(u64, Option<Estimate>, String), Failure> {
    let timed = device(&args.device);
    if let Err(failure) = &timed {
        eprintln!("the time cannot be estimated here: {}", failure.message);
    }
    let here = timed.is_ok();
    let (world, plan, _) = planned(args, &timed.unwrap_or(candle_core::Device::Cpu))?;
    if !here {
        let cells = plan.coordinates(&world.profile);
        let units: BTreeSet<_> = cells.iter().map(|cell| (&cell.dataset, cell.shots, cell.seed)).collect();
        return Ok((units.len() as u64, None, world.profile));
    }
    let estimate = estimate(&world, &plan, (&args.out, lanes()), &stopped)?;
    let open = estimate.cells.iter().filter(|planned| !planned.complete).map(|planned| &planned.cell);
    let units: BTreeSet<_> = open.map(|cell| (&cell.dataset, cell.shots, cell.seed)).collect();
    let units = units.len() as u64;
    Ok((units, Some(estimate), world.profile))
}

/// As many tasks as the work is worth, and no more than there are pieces.
fn tasks(units: u64, estimate: Option<&Estimate>, time: Option<&str>) -> u64 {
    let wanted = match estimate {
        None => UNTIMED_TASKS,
        Some(estimate) => {
            // Half of a short limit, so that most tasks end without having to go on in another start.
            let limit = time.and_then(parse_time).map_or(f64::INFINITY, |time| time.as_secs_f64() / 2.0);
            (estimate.seconds / WORTH_A_TASK.min(limit)).ceil() as u64
        }
    };
    wanted.clamp(1, units.max(1))
}

/// The arguments of `suite` for a task: as typed, without what was meant for the array.
fn suite_arguments(args: &SlurmArgs) -> Vec<String> {
    let typed: Vec<String> = std::env::args().skip(1).collect();
    let mut kept = without_own(&typed);
    kept.extend(["--no-report".to_owned(), "--requeue".to_owned(), args.restarts.to_string()]);
    kept
}

fn without_own(typed: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = typed.iter();
    while let Some(word) = words.next() {
        let name = word.split('=').next().unwrap_or_default();
        match word.as_str() {
            "slurm" if kept.is_empty() => kept.push("suite".to_owned()),
            "--dry-run" => {}
            _ if OWN.contains(&name) => {
                if !word.contains('=') {
                    words.next();
                }
            }
            _ => kept.push(word.clone()),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_array_s_own_options_do_not_reach_the_suite() {
        let typed =
            "slurm smoke --tasks 4 --seeds 1,2 --time=10 --sbatch-arg --account=lab --out slurm --dry-run";
        let typed: Vec<String> = typed.split(' ').map(str::to_owned).collect();
        assert_eq!(without_own(&typed).join(" "), "suite smoke --seeds 1,2 --out slurm");
    }

    #[test]
    fn tasks_follow_the_work() {
        let of = |seconds| Estimate { seconds, ..Estimate::default() };
        assert_eq!(tasks(100, Some(&of(10.0)), None), 1);
        assert_eq!(tasks(100, Some(&of(36_000.0)), None), 20);
        assert_eq!(tasks(100, Some(&of(36_000.0)), Some("20")), 60);
        assert_eq!(tasks(7, Some(&of(36_000.0)), None), 7);
        assert_eq!(tasks(7, None, None), 7);
        assert_eq!(tasks(0, Some(&of(0.0)), None), 1);
    }
}
