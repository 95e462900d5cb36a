//! `replay`: a training for other programs to take again, step for step.

use super::args::ReplayArgs;
use super::exit::{Exit, Failure};
use super::signals::stopped;
use super::world;
use crate::record::predictions_csv;
use crate::suite::{Plan, Settings, SuiteFile, method_id, replay};
use crate::util::atomic_file;

pub(super) fn run(args: &ReplayArgs) -> Result<Exit, Failure> {
    let mut world = world::open(&args.world)?;
    if let Some(dir) = &args.draws {
        world.use_draws(dir)?;
    }
    let mut suite = SuiteFile::find(&args.suite)?.for_profile(world.settings_profile);
    suite.datasets = vec![args.dataset.clone()];
    suite.methods = vec![method_id(&args.method).to_owned()];
    suite.seeds = vec![args.seed];
    suite.shots = args.shots.or(suite.shots.first().copied()).into_iter().collect();
    (suite.evaluate_on, suite.sweep) = (Vec::new(), Vec::new());
    let set = args.set.iter().map(|text| Settings::parse_assignment(text)).collect::<Result<Vec<_>, _>>()?;
    let plan = Plan::new(suite, &set, args.world.limit)?;
    world.check(&plan.suite.datasets)?;
    let replayed = replay(&world, &plan, &stopped)?;
    let write = |name: &str, bytes: &[u8]| {
        let path = args.out.join(name);
        atomic_file::write(&path, bytes)
            .map_err(|error| Failure::new(Exit::RunFailed, format!("write {}: {error}", path.display())))
    };
    std::fs::create_dir_all(&args.out)
        .map_err(|error| Failure::new(Exit::RunFailed, format!("create {}: {error}", args.out.display())))?;
    write("initial.safetensors", &replayed.initial)?;
    write("final.safetensors", &replayed.last)?;
    for half in &replayed.evaluations {
        write(&format!("predictions-{}.csv", half.classes), predictions_csv(&half.predictions).as_bytes())?;
        println!("{:4}  {:6} / {:6}", half.classes.as_str(), half.correct, half.total);
    }
    // Last: where it lies, all of it does.
    write("replay.json", format!("{}\n", serde_json::to_string_pretty(&replayed)?).as_bytes())?;
    println!(
        "{}: {} steps, {} views of {} images",
        args.out.join("replay.json").display(),
        replayed.steps.len(),
        replayed.views.len(),
        replayed.items.len()
    );
    replayed.note.iter().for_each(|note| println!("note: {note}"));
    Ok(Exit::Ok)
}
