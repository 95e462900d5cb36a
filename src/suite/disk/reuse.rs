//! Cells and trainings of other suites under the same output: the same key means the same numbers.
//!
//! What is reused is copied, so that every run directory stays whole by itself. A record that was copied keeps
//! its own provenance: the command and the time are those of the run that made it.

use std::path::Path;

use crate::record::{RunRecord, Store};
use crate::suite::error::SuiteError;
use crate::suite::plan::cell::CellPlan;
use crate::suite::plan::keys::trained_paths;

/// The run directories of other suites with the same profile.
pub(in crate::suite) fn siblings(out: &Path, suite: &str, profile: &str) -> Vec<Store> {
    let Ok(entries) = std::fs::read_dir(out.join("runs")) else { return Vec::new() };
    let ending = format!("-{profile}");
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(&ending).map(str::to_owned))
        .filter(|name| name != suite)
        .collect();
    names.sort();
    names.iter().map(|name| Store::new(out, name, profile)).collect()
}

/// Copies the cell, if a sibling has it whole; true when it did.
///
/// # Errors
/// A target that cannot be written. A sibling that cannot be read has nothing to offer.
pub(in crate::suite) fn cell(store: &Store, siblings: &[Store], plan: &CellPlan) -> Result<bool, SuiteError> {
    for sibling in siblings {
        let Ok(Some(record)) = sibling.find(&plan.key) else { continue };
        if !sibling.damage(&record).is_empty()
            || (record.training.is_some() && !training(store, std::slice::from_ref(sibling), plan)?)
        {
            continue;
        }
        for evaluation in &record.evaluations {
            store.write(&evaluation.predictions_path, &sibling.read(&evaluation.predictions_path)?)?;
            store.copy_class_names(sibling, evaluation)?;
        }
        store.save(&RunRecord {
            cell: plan.cell.clone(),
            set_for_dataset: plan.set_for_dataset.clone(),
            ..record
        })?;
        return Ok(true);
    }
    Ok(false)
}

/// Copies the training of a cell, unless it is there; true when it is there now. Whether the copy is sound is
/// seen when it is loaded.
///
/// # Errors
/// A target that cannot be written.
pub(in crate::suite) fn training(
    store: &Store,
    siblings: &[Store],
    plan: &CellPlan,
) -> Result<bool, SuiteError> {
    let paths = trained_paths(&plan.training_key);
    if paths.iter().all(|path| store.dir().join(path).is_file()) {
        return Ok(true);
    }
    for sibling in siblings {
        let [parameters, note] = paths.each_ref().map(|path| sibling.read(path));
        if let (Ok(parameters), Ok(note)) = (parameters, note) {
            store.write(&paths[0], &parameters)?;
            store.write(&paths[1], &note)?;
            return Ok(true);
        }
    }
    Ok(false)
}
