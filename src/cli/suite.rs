//! `suite NAME`: plan, run, report.

use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::Device;

use super::args::SuiteArgs;
use super::cluster::{cluster_name, gone, this_task, variable};
use super::exit::{Exit, Failure};
use super::new_suite;
use super::plan;
use super::report::{document, told, warn};
use super::signals::{Cause, cause, graceful, stop_after, stopped};
use super::threads::lanes;
use super::watch::Watch;
use crate::backbone::open_card;
use crate::cluster::{Ended, Restarts, array_place, ended, requeue};
use crate::record::{Redactor, Store, kept_so_far};
use crate::report::RenderedReport;
use crate::suite::{
    CommandLine, Event, Plan, RunOptions, Settings, Shard, Sizes, SuiteError, SuiteFile, Summary, World,
    free_profile, method_id, render_report, run, settle_sizes,
};

const GIB: u64 = 1 << 30;

/// The device `--device` names.
///
/// # Errors
/// A usage failure that says what to do.
pub(super) fn device(name: &str) -> Result<Device, Failure> {
    let usage = |message: String| Failure::new(Exit::Usage, message);
    match name.split_once(':').map_or((name, Ok(0)), |(kind, index)| (kind, index.parse::<usize>())) {
        ("cpu", Ok(0)) => Ok(Device::Cpu),
        ("cuda", Ok(index)) if cfg!(feature = "cuda") => open_card(index).map_err(|error| {
            let reason = first_line(&error.to_string());
            usage(format!(
                "use --device {name}: {reason}; check driver and card with nvidia-smi, or use --device cpu"
            ))
        }),
        ("cuda", Ok(_)) => {
            Err(usage("use --device cuda: this build has no GPU support; build with --features cuda".into()))
        }
        _ => Err(usage(format!("use --device {name}: expected cpu, cuda or cuda:N"))),
    }
}

/// A library's error may end in a stack trace.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// The flag's list where one was typed, else the suite's own.
fn list<T: Clone + PartialEq + std::fmt::Display>(
    flag: &str,
    given: Option<&Vec<T>>,
    default: Vec<T>,
) -> Result<Vec<T>, Failure> {
    let Some(list) = given else { return Ok(default) };
    let usage = |message: String| Err(Failure::new(Exit::Usage, message));
    if list.is_empty() {
        return usage(format!("{flag} is empty"));
    }
    let twice = list.iter().enumerate().find(|(index, value)| list[..*index].contains(value));
    match twice {
        Some((_, value)) => usage(format!("{flag} names {value} twice; name it once")),
        None => Ok(list.clone()),
    }
}

/// The suite as typed, and the numbers in the place of `auto`: profile, own datasets, and the flags that replace its lists.
fn resolve(args: &SuiteArgs, world: &World) -> Result<(Plan, Sizes), Failure> {
    let mut suite = SuiteFile::find(&args.name)?;
    suite = suite.for_profile(world.settings_profile);
    suite.datasets = world.own_datasets().unwrap_or(suite.datasets);
    suite.datasets = list("--datasets", args.datasets.as_ref(), suite.datasets)?;
    let methods = args.methods.as_ref().map(|ids| ids.iter().map(|id| method_id(id).to_owned()).collect());
    suite.methods = list("--methods", methods.as_ref(), suite.methods)?;
    suite.seeds = list("--seeds", args.seeds.as_ref(), suite.seeds)?;
    suite.shots = list("--shots", args.shots.as_ref(), suite.shots)?;
    if args.available {
        (suite.datasets, suite.evaluate_on) = available(world, &suite)?;
    }
    let mut overrides =
        args.set.iter().map(|text| Settings::parse_assignment(text)).collect::<Result<Vec<_>, _>>()?;
    let mut sizes = Sizes::of(&store(args, &suite.name, world), world.clip.device_kind())?;
    let typed = overrides.iter_mut().map(|(key, value)| (&*key, value));
    settle_sizes(typed.chain(&mut suite.set), &world.clip, &mut sizes)?;
    Ok((Plan::new(suite, &overrides, args.limit)?.with_prompts(args.prompts.clone())?, sizes))
}

/// The run directory.
fn store(args: &SuiteArgs, suite: &str, world: &World) -> Store {
    Store::new(&args.out, suite, &world.profile)
}

/// The datasets that are there, to train on and to test on besides; the others are named on stderr.
fn available(world: &World, suite: &SuiteFile) -> Result<(Vec<String>, Vec<String>), Failure> {
    let (ready, mut missing) = world.available(&suite.datasets)?;
    if ready.is_empty() {
        let message = "none of the suite's datasets is available; `doctor --data DIR` says what is missing";
        return Err(Failure::new(Exit::Data, message));
    }
    let (tested, untested) = world.available(&suite.evaluate_on)?;
    missing.extend(untested);
    if !missing.is_empty() {
        eprintln!(
            "{} of {} datasets are left out:",
            missing.len(),
            suite.datasets.len() + suite.evaluate_on.len()
        );
        missing.iter().for_each(|line| eprintln!("  {line}"));
    }
    Ok((ready, tested))
}

/// The world, the plan and its sizes, of a command line.
pub(super) fn planned(args: &SuiteArgs, device: &Device) -> Result<(World, Plan, Sizes), Failure> {
    let name = SuiteFile::find(&args.name)?.name;
    outside_data(args)?;
    let mut world = World::open(args.data.as_deref(), args.clip.as_deref(), device)?.rounded(args.dtype)?;
    for value in &args.split_file {
        world.use_split_file(value)?;
    }
    if let Some(dir) = &args.draws {
        world.use_draws(dir)?;
    }
    world.profile = free_profile(&world, &args.out, &name)?;
    let (plan, sizes) = resolve(args, &world)?;
    Ok((world, plan, sizes))
}

/// The part of the plan to run, and the place among tasks that share all of it: those of a Slurm array, unless each has
/// a part of its own.
fn share(args: &SuiteArgs) -> Result<(Shard, Option<(usize, usize)>), Failure> {
    let place = array_place(&variable);
    match args.shard.as_deref() {
        Some("slurm") => {
            let (index, count) = place.map_err(|error| Failure::new(Exit::Usage, error))?;
            Ok((Shard::nth(index, count), None))
        }
        Some(text) => Ok((Shard::parse(text)?, None)),
        None => Ok((Shard::WHOLE, place.ok())),
    }
}

pub(super) fn suite(args: &SuiteArgs) -> Result<Exit, Failure> {
    match (args.name.as_str(), &args.new_name) {
        ("new", Some(name)) => return new_suite::write(name, &args.out),
        ("new", None) => {
            let message = "suite new: give it a name, such as `suite new my_suite`";
            return Err(Failure::new(Exit::Usage, message));
        }
        (suite, Some(word)) => {
            let message =
                format!("suite {suite} {word}: one suite at a time; `suite new NAME` writes a suite file");
            return Err(Failure::new(Exit::Usage, message));
        }
        (_, None) => {}
    }
    SuiteFile::find(&args.name)?;
    if let Some(time) = args.stop_after {
        stop_after(time)?;
    }
    let (shard, among) = share(args)?;
    let device = device(&args.device)?;
    let (world, plan, sizes) = planned(args, &device)?;
    if args.plan {
        return plan::show(args, &world, &plan);
    }
    graceful();
    sizes.keep(&store(args, &plan.suite.name, &world))?;
    if world.data_kind().starts_with("pocket") {
        eprintln!("pocket profile: rendered pictures; its numbers are not comparable with any paper");
    } else if world.settings_profile == "pocket" {
        eprintln!("the pocket model has seen rendered pictures only: of yours its numbers say nothing");
    }
    let named = [plan.suite.datasets.as_slice(), &plan.suite.evaluate_on].concat();
    world.notes(&named, &plan.suite.shots)?.iter().for_each(|note| eprintln!("{note}"));
    let started = Instant::now();
    let watch = Watch::new(lanes(), args.quiet);
    let event = |event: Event| watch.hear(&event);
    let options = RunOptions {
        out: &args.out,
        fresh: args.fresh,
        lanes: lanes(),
        shard,
        checkpoint_every: Duration::from_secs(args.checkpoint_secs),
        redactor: redactor(args),
        cache: args.cache.clone().map(|folder| (folder, args.cache_limit.saturating_mul(GIB))),
        command: CommandLine::new(std::env::args_os().map(|arg| settled(&arg.to_string_lossy(), &plan))),
        slurm: this_task(),
        cluster: cluster_name(),
        among,
        gone: gone(),
        stop: &stopped,
        event: &event,
    };
    let run_dir = store(args, &plan.suite.name, &world).dir().to_owned();
    let summary = run(&world, &plan, &options);
    drop(watch);
    let summary = match summary {
        Ok(summary) => summary,
        Err(error) => return Err(after(args, &run_dir, error.into())?),
    };
    let report = match args.no_report {
        true => None,
        false => match render_report(&args.out, &plan.suite.name, &world.profile) {
            // Whoever runs the cells will have something to report on.
            Err(SuiteError::NothingFinished { .. }) if summary.elsewhere > 0 => None,
            report => Some(report?),
        },
    };
    let seconds = started.elapsed().as_secs_f64();
    tell(args, &summary, report.as_ref(), seconds);
    let failed = summary.failed;
    Ok(if failed > 0 { Exit::RunFailed } else { Exit::Ok })
}

/// Prints what was done and what came out.
fn tell(args: &SuiteArgs, summary: &Summary, report: Option<&RenderedReport>, seconds: f64) {
    let Summary { done, skipped, failed, elsewhere } = *summary;
    if args.json {
        let counts = serde_json::json!({
            "done": done, "skipped": skipped, "failed": failed, "elsewhere": elsewhere, "seconds": seconds,
            "report": report.map(document),
        });
        println!("{counts}");
    } else {
        println!("{done} cells run, {skipped} already complete, {failed} failed, in {seconds:.1} s");
        if elsewhere > 0 {
            println!(
                "{elsewhere} cells are being run by another process on this output; its report will hold them"
            );
        }
        report.iter().for_each(|report| told(report, args.quiet));
    }
    report.map(warn);
}

/// What an interrupted task of Slurm does before it ends: it goes back in the queue, where that was asked for, where its
/// end is the system's and not a person's, and where its starts lead anywhere.
fn after(args: &SuiteArgs, run_dir: &Path, failure: Failure) -> Result<Failure, Failure> {
    let (Some(limit), Some(task), Exit::Interrupted) = (args.requeue, this_task(), failure.exit) else {
        return Ok(failure);
    };
    let wanted = match cause() {
        Some(Cause::TimeNearlyUp) => true,
        Some(Cause::Terminated) => matches!(ended(&task), Ok(Ended::BySystem)),
        _ => false,
    };
    if !wanted {
        return Ok(failure);
    }
    let idle = Restarts::new(run_dir, &task)
        .count(kept_so_far() > 0)
        .map_err(|error| Failure::new(Exit::RunFailed, error))?;
    if idle >= limit {
        let reason = format!(
            "go on: {idle} starts of task {task} in a row ended before anything was kept; give more time, or a smaller \
             --checkpoint-secs"
        );
        return Ok(Failure::new(Exit::RunFailed, reason));
    }
    eprintln!("task {task} goes back in the queue");
    match requeue(&task) {
        Ok(()) => Ok(failure),
        Err(error) => {
            Ok(Failure::new(Exit::RunFailed, format!("{error}; submit the same script again to go on")))
        }
    }
}

/// Nothing is written below --data, which belongs to somebody else.
fn outside_data(args: &SuiteArgs) -> Result<(), Failure> {
    let Some(data) = &args.data else { return Ok(()) };
    let data = Path::new(data.strip_prefix("folder:").unwrap_or(data));
    // The output need not be there yet: the first part of its path that is decides.
    let absolute = std::path::absolute(&args.out)?;
    let nearest = absolute.ancestors().find_map(|part| part.canonicalize().ok());
    match (data.canonicalize(), nearest) {
        (Ok(data), Some(out)) if out.starts_with(&data) => Err(Failure::new(
            Exit::Usage,
            format!(
                "--out {}: it lies inside --data, which is never written to; give another folder",
                args.out.display()
            ),
        )),
        _ => Ok(()),
    }
}

/// An argument with the size that was found in the place of `auto`: elsewhere, the command must give the same cells.
fn settled(arg: &str, plan: &Plan) -> String {
    let sizes = [("max_rows", plan.settings.globals.max_rows), ("images", plan.settings.globals.images)];
    sizes.iter().fold(arg.to_owned(), |arg, (name, size)| {
        arg.replace(&format!("engine.{name}=auto"), &format!("engine.{name}={size}"))
    })
}

/// What of the command line must not enter a record, and what stands for it there.
fn redactor(args: &SuiteArgs) -> Redactor {
    let data = args.data.as_deref().map(|data| Path::new(data.strip_prefix("folder:").unwrap_or(data)));
    let clip = args.clip.as_deref();
    let places = [
        (data, "<data>"),
        (clip, "<clip>"),
        (args.prompts.as_deref(), "<prompts>"),
        (args.cache.as_deref(), "<cache>"),
        (Some(args.out.as_path()), "<out>"),
    ];
    Redactor::new(places.into_iter().filter_map(|(path, name)| Some((path?, name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_command_holds_sizes_and_no_auto() {
        let set = [("engine.images".to_owned(), toml::Value::Integer(64))];
        let plan = Plan::new(SuiteFile::find("smoke").unwrap(), &set, None).unwrap();
        assert_eq!(settled("engine.images=auto", &plan), "engine.images=64");
        assert_eq!(settled("--set=engine.max_rows=auto", &plan), "--set=engine.max_rows=1536");
        assert_eq!(settled("auto", &plan), "auto");
    }
}
