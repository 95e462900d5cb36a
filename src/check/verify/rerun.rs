//! A recorded cell run again, and the two results side by side.
//!
//! On the same kind of machine and the same build every byte must come back. Elsewhere sums are taken in another
//! order and training amplifies last bits, so a stated tolerance of the method decides; it cannot be set from outside.

use std::path::{Path, PathBuf};

use super::environment::differences;
use super::finding::{CellVerdict, Comparison, RecheckError};
use super::quick::FROM_FILE;
use super::tolerance::{Tolerance, tolerance};
use crate::frame::predictions_of;
use crate::record::{Evaluation, Outcome, Redactor, RunRecord, Store, predictions_csv};
use crate::suite::{GLOBAL_KEYS, Plan, RunOptions, Settings, SuiteError, SuiteFile, World, run};

/// Runs the cell of `record` again in a folder of its own under the system's temporary directory, and adds to
/// `verdict` what differs. `run_dir` is where the recorded predictions lie.
///
/// # Errors
/// [`RecheckError`] where the cell cannot be run at all. A difference is a fault in the verdict, not an error.
pub fn rerun(
    record: &RunRecord,
    run_dir: &Path,
    world: &World,
    stop: &(dyn Fn() -> bool + Sync),
    verdict: &mut CellVerdict,
) -> Result<(), RecheckError> {
    let failed =
        |source: SuiteError| RecheckError::Run { cell: verdict.cell.clone(), source: Box::new(source) };
    let scratch = Scratch::new(&record.key);
    let again = run_cell(record, run_dir, world, &scratch.0, stop).map_err(failed)?;
    let environment = differences(&record.provenance, &again.provenance);
    verdict.faults.extend(environment.inputs.iter().map(|text| format!("inputs differ, {text}")));
    verdict.environment = environment.machine.clone();
    if again.key != record.key && environment.inputs.is_empty() {
        verdict.faults.push(format!(
            "its configuration does not give its key: recorded {}, now {}; class names or prompts differ, or the \
             record was changed",
            record.key, again.key
        ));
    }
    if record.outcome != again.outcome {
        verdict.faults.push(format!("its outcome was {:?}, now {:?}", record.outcome, again.outcome));
        return Ok(());
    }
    if record.outcome != Outcome::Complete {
        return Ok(());
    }
    seen(record, &again, verdict);
    let second = Store::new(&scratch.0, &again.cell.suite, &again.cell.profile);
    let mut comparison = compare(record, &Store::at(run_dir), &again, &second, verdict);
    comparison.bit_equality_expected = environment.expects_bit_equality();
    comparison.tolerance = tolerance(&record.cell.method, &record.config);
    judge(&comparison, verdict);
    verdict.comparison = Some(comparison);
    Ok(())
}

/// The pictures seen and the class names met, where both runs say which.
fn seen(record: &RunRecord, again: &RunRecord, verdict: &mut CellVerdict) {
    let mut compare = |what: String, recorded: Option<&String>, here: Option<&String>| {
        if let (Some(recorded), Some(here)) = (recorded, here)
            && recorded != here
        {
            verdict.faults.push(format!("{what} are not those of the record"));
        }
    };
    let training = |record: &RunRecord| record.training.as_ref().and_then(|t| t.images_sha256.clone());
    compare("training: the pictures".to_owned(), training(record).as_ref(), training(again).as_ref());
    for (recorded, here) in record.evaluations.iter().zip(&again.evaluations) {
        let place = format!("{} {}", recorded.dataset, recorded.classes);
        let (images, names) = (format!("{place}: the pictures"), format!("{place}: the class names"));
        compare(images, recorded.images_sha256.as_ref(), here.images_sha256.as_ref());
        compare(names, recorded.classes_sha256.as_ref(), here.classes_sha256.as_ref());
    }
}

fn compare(
    record: &RunRecord,
    first: &Store,
    again: &RunRecord,
    second: &Store,
    verdict: &mut CellVerdict,
) -> Comparison {
    let parameters = |record: &RunRecord| record.training.as_ref().map(|t| t.parameters_sha256.clone());
    let mut comparison =
        Comparison { bit_equal: parameters(record) == parameters(again), ..Comparison::default() };
    let mut total_diff = 0.0;
    for recorded in &record.evaluations {
        let name = format!("{} {}", recorded.dataset, recorded.classes);
        let same =
            |e: &&crate::record::Evaluation| (&e.dataset, e.classes) == (&recorded.dataset, recorded.classes);
        let here = again.evaluations.iter().find(same);
        let rows =
            here.and_then(|here| Some((predictions_of(first, recorded)?, predictions_of(second, here)?)));
        let Some((old, new)) = rows.filter(|(old, new)| old.len() == new.len()) else {
            comparison.bit_equal = false;
            verdict.faults.push(format!("{name}: the recorded predictions cannot be compared"));
            continue;
        };
        let same_bytes = here.is_some_and(|e| e.predictions_sha256 == recorded.predictions_sha256);
        // A build with another set of features may store the same rows in another format.
        comparison.bit_equal &= same_bytes || predictions_csv(&old) == predictions_csv(&new);
        for (old, new) in old.iter().zip(&new) {
            let diff = f64::from((old.p_true - new.p_true).abs());
            comparison.predictions += 1;
            comparison.predictions_different += u64::from(old.predicted != new.predicted);
            comparison.max_p_true_diff = comparison.max_p_true_diff.max(diff);
            total_diff += diff;
            if (&old.path, old.label) != (&new.path, new.label) {
                verdict
                    .faults
                    .push(format!("{name}: {} of class {} is not in its place", old.path, old.label));
                return comparison;
            }
        }
    }
    comparison.mean_p_true_diff = total_diff / (comparison.predictions.max(1) as f64);
    comparison
}

fn judge(comparison: &Comparison, verdict: &mut CellVerdict) {
    let Comparison { predictions, predictions_different, mean_p_true_diff, max_p_true_diff, .. } =
        *comparison;
    let numbers = format!(
        "{predictions_different} of {predictions} predictions differ, p_true by {mean_p_true_diff:.1e} on average \
         and {max_p_true_diff:.1e} at most"
    );
    if comparison.bit_equality_expected && !comparison.bit_equal {
        verdict.faults.push(format!("same machine and build, other bytes: {numbers}"));
    }
    let Tolerance { different_pct, mean_p_true_diff: most, basis } = comparison.tolerance;
    let allowed = (predictions as f64 * different_pct / 100.0).max(1.0);
    if predictions_different as f64 > allowed || mean_p_true_diff > most {
        verdict.faults.push(format!(
            "beyond the tolerance of {different_pct} % of predictions and {most} on average ({basis}): {numbers}"
        ));
    }
}

/// The record of the same cell, run here.
fn run_cell(
    record: &RunRecord,
    run_dir: &Path,
    world: &World,
    out: &Path,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<RunRecord, SuiteError> {
    let plan = plan(record, run_dir)?;
    let options =
        RunOptions { fresh: true, redactor: Redactor::new([(out, "<out>")]), stop, ..RunOptions::quiet(out) };
    run(world, &plan, &options)?;
    let records = Store::new(out, &record.cell.suite, &world.profile).all()?;
    // A cell whose prompts come from its own file brings the cell that writes the file.
    let found = records
        .into_iter()
        .find(|again| again.cell.variant.get(FROM_FILE) == record.cell.variant.get(FROM_FILE));
    found.ok_or_else(|| SuiteError::Usage("its prompts came from a file that is not this run's".to_owned()))
}

/// A plan of one cell, with every setting as recorded. What the record does not say, what else was measured, is
/// taken from the resolved suite beside it.
fn plan(record: &RunRecord, run_dir: &Path) -> Result<Plan, SuiteError> {
    let cell = &record.cell;
    let own = |evaluation: &&Evaluation| evaluation.dataset == cell.dataset;
    let evaluate: Vec<_> = record.evaluations.iter().filter(own).map(|e| e.classes).collect();
    let others = record.evaluations.iter().filter(|e| !own(e)).map(|e| e.dataset.clone());
    let mut evaluate_on: Vec<String> = others.collect();
    evaluate_on.dedup();
    let stored = SuiteFile::stored(&Store::at(run_dir), &cell.suite)?;
    let frame = stored.map_or_else(|| SuiteFile::find("smoke"), Ok)?;
    let from_file = cell.variant.contains_key(FROM_FILE);
    let suite = SuiteFile {
        name: cell.suite.clone(),
        datasets: vec![cell.dataset.clone()],
        evaluate_on,
        methods: vec![cell.method.clone()],
        seeds: cell.seed.into_iter().collect(),
        shots: cell.shots.into_iter().collect(),
        train_classes: cell.train_classes,
        evaluate: if evaluate.is_empty() { frame.evaluate.clone() } else { evaluate },
        prompts: frame.prompts.clone().filter(|_| from_file),
        limit: None,
        set: Default::default(),
        dataset: Default::default(),
        sweep: Default::default(),
        profile: Default::default(),
        ..frame
    };
    let globals = record.switches.iter().filter(|(key, _)| GLOBAL_KEYS.contains(&key.as_str()));
    let settings = record.config.iter().chain(globals);
    let overrides = settings
        .map(|(key, value)| Settings::parse_assignment(&format!("{key}={value}")))
        .collect::<Result<Vec<_>, _>>()?;
    Plan::new(suite, &overrides, cell.limit)
}

/// A folder that goes when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(key: &str) -> Self {
        let name = format!("rpo-bench-verify-{}-{}", std::process::id(), key.get(..12).unwrap_or_default());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that stays is the system's to clean.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
