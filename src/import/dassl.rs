//! Output folders of programs built on Dassl: every `log.txt` below a folder becomes a result, or a line that says why
//! not.
//!
//! What a log says of itself counts; folder names (`eurosat/shots_16/CoOp/CONFIG/seed1`, `train_base`, `test_new`)
//! stand in where it says nothing, and where the two differ nothing is imported. A folder proves nothing by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::{ImportError, read};
use super::keep::{Evidence, ImportedResult};
use super::log::{Log, LogFault, Tally};
use super::names;
use crate::data::Classes;
use crate::handout::DatasetLists;
use crate::method::BASELINE;
use crate::record::Measurement;
use crate::util::hex;

/// What was typed, which stands above logs and folders.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// `--method`.
    pub method: Option<String>,
    /// `--dataset`.
    pub dataset: Option<String>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--shots`.
    pub shots: Option<u32>,
}

/// One log: what was found in it.
#[derive(Clone, Debug, PartialEq)]
pub enum LogOutcome {
    /// A result.
    Found(Box<ImportedResult>),
    /// A run that was cut off or is still going on.
    Unfinished(String),
    /// A log that contradicts itself, its folders or the lists.
    Refused(String),
}

/// Logs below `dir`: path relative to it, and what was found. Of several logs in one folder the last counts.
///
/// # Errors
/// [`ImportError`] for a folder that cannot be read, or one without a log. `lists` gives the lists of a dataset, where
/// they can be had.
pub fn collect(
    dir: &Path,
    given: &Given,
    lists: &dyn Fn(&str) -> Option<DatasetLists>,
) -> Result<Vec<(String, LogOutcome)>, ImportError> {
    let mut logs = Vec::new();
    walk(dir, &mut logs)?;
    if logs.is_empty() {
        let reason = "there is no log.txt below it".to_owned();
        return Err(ImportError::File { file: dir.display().to_string(), reason });
    }
    let one = |path: &PathBuf| {
        let bytes = read(path)?;
        let relative = path.strip_prefix(dir).unwrap_or(path).to_string_lossy().replace('\\', "/");
        // The folders above the given one may say what those below do not.
        let whole = dir.join(&relative).to_string_lossy().replace('\\', "/");
        let log = Log::parse(&String::from_utf8_lossy(&bytes));
        let source = (relative.as_str(), hex(&Sha256::digest(&bytes)));
        let outcome = match result(&log, &Folders::of(&whole), given, source, lists) {
            Ok(found) => LogOutcome::Found(Box::new(found)),
            Err(LogFault::Unfinished(reason)) => LogOutcome::Unfinished(reason),
            Err(LogFault::Contradiction(reason)) => LogOutcome::Refused(reason),
        };
        Ok((relative, outcome))
    };
    logs.iter().map(one).collect()
}

/// The last log of every folder, in the order of paths: Dassl starts a new one as `log.txt-TIME`.
fn walk(dir: &Path, logs: &mut Vec<PathBuf>) -> Result<(), ImportError> {
    let io = |source| ImportError::Io { path: dir.to_owned(), source };
    let mut entries: Vec<PathBuf> = std::fs::read_dir(dir)
        .map_err(io)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(io)?;
    entries.sort();
    let is_log = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_file() && name.starts_with("log.txt")
    };
    logs.extend(entries.iter().rfind(is_log).cloned());
    // A link may lead back to where it stands.
    for folder in entries.iter().filter(|path| path.is_dir() && !path.is_symlink()) {
        walk(folder, logs)?;
    }
    Ok(())
}

/// What the names of folders say.
#[derive(Debug, Default, PartialEq)]
struct Folders {
    dataset: Option<String>,
    seed: Option<u64>,
    shots: Option<u32>,
    classes: Option<Classes>,
    method: Option<String>,
}

impl Folders {
    fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').collect();
        let number = |word: &str| {
            let rest = parts.iter().rev().find_map(|part| part.strip_prefix(word))?;
            rest.trim_start_matches('_').parse::<u64>().ok()
        };
        let has = |word: &str| parts.contains(&word);
        let after_shots =
            parts.iter().position(|part| part.starts_with("shots")).and_then(|at| parts.get(at + 1));
        Self {
            dataset: names::dataset_in(path),
            seed: number("seed"),
            shots: number("shots").and_then(|shots| u32::try_from(shots).ok()),
            classes: match (has("train_base") || has("test_base"), has("test_new")) {
                (true, false) => Some(Classes::Base),
                (false, true) => Some(Classes::New),
                _ => None,
            },
            method: after_shots.filter(|part| !part.starts_with("log.txt")).map(|part| (*part).to_owned()),
        }
    }
}

/// What was typed, or else the log's word, or else the folder's.
fn settle<T: PartialEq + std::fmt::Debug>(
    what: &str,
    given: Option<T>,
    log: Option<T>,
    folder: Option<T>,
) -> Result<Option<T>, LogFault> {
    match (given, log, folder) {
        (Some(given), ..) => Ok(Some(given)),
        (None, Some(log), Some(folder)) if log != folder => Err(LogFault::Contradiction(format!(
            "its {what} is {log:?}, its folder says {folder:?}; --{what} decides"
        ))),
        (None, log, folder) => Ok(log.or(folder)),
    }
}

fn result(
    log: &Log,
    folders: &Folders,
    given: &Given,
    (source, source_sha256): (&str, String),
    lists: &dyn Fn(&str) -> Option<DatasetLists>,
) -> Result<ImportedResult, LogFault> {
    let tally = log.finished()?;
    let missing = |what: &str| LogFault::Contradiction(format!("nothing says its {what}; give --{what}"));
    let named = log.dataset.as_deref().map(names::dataset);
    let dataset = settle("dataset", given.dataset.clone(), named, folders.dataset.clone())?;
    let dataset = dataset.ok_or_else(|| missing("dataset"))?;
    let method = given.method.clone().or(log.trainer.clone()).or(folders.method.clone());
    let method = names::method(&method.ok_or_else(|| missing("method"))?);
    let drawn = method != BASELINE;
    let seed = settle("seed", given.seed, log.seed, folders.seed)?.filter(|_| drawn);
    let shots = settle("shots", given.shots, log.shots, folders.shots)?.filter(|_| drawn);
    if drawn && (seed.is_none() || shots.is_none()) {
        return Err(missing(if seed.is_none() { "seed" } else { "shots" }));
    }
    let classes = settle("classes", None, log.classes, folders.classes)?.unwrap_or(Classes::All);
    let trained_on = log.weights.as_deref().and_then(names::dataset_in);
    let lists = lists(&dataset);
    if let Some(lists) = &lists {
        against(&tally, log, (&dataset, classes), lists)?;
    }
    let class_names = lists.as_ref().map(|lists| lists.names(classes));
    Ok(ImportedResult {
        method,
        train_dataset: trained_on.unwrap_or_else(|| dataset.clone()),
        dataset,
        seed,
        shots,
        classes,
        train_classes: if classes == Classes::All { Classes::All } else { Classes::Base },
        class_count: class_names
            .as_ref()
            .map_or(log.class_count, |names| Some(names.len() as u64))
            .unwrap_or(0),
        class_names,
        split_sha256: lists.map_or_else(String::new, |lists| lists.split_sha256),
        evidence: Evidence::Counted { correct: tally.correct, total: tally.total },
        measurements: measurements(&tally, log),
        source: source.to_owned(),
        source_sha256,
    })
}

/// Holds the counts against lists.
fn against(
    tally: &Tally,
    log: &Log,
    (dataset, classes): (&str, Classes),
    lists: &DatasetLists,
) -> Result<(), LogFault> {
    let (images, count) = (lists.test(classes).len() as u64, lists.labels(classes).labels().len() as u64);
    let differs = |what: &str, theirs: u64, ours: u64| {
        Err(LogFault::Contradiction(format!(
            "it has {theirs} {what} of the {classes} classes of {dataset}, these lists have {ours}"
        )))
    };
    if tally.total != images {
        return differs("test images", tally.total, images);
    }
    match log.class_count.filter(|theirs| *theirs != count) {
        Some(theirs) => differs("classes", theirs, count),
        None => Ok(()),
    }
}

/// Macro F1 and the number of epochs, as the log says them.
fn measurements(tally: &Tally, log: &Log) -> Vec<Measurement> {
    let of = |quantity: &str, value: f64| Measurement {
        quantity: quantity.to_owned(),
        place: BTreeMap::new(),
        value,
    };
    let macro_f1 = tally.macro_f1_pct.map(|value| of("macro_f1_pct", value));
    macro_f1.into_iter().chain(log.epoch.map(|(_, planned)| of("epochs", planned as f64))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_say_what_logs_leave_out() {
        let found = Folders::of("out/base2new/train_base/eurosat/shots_16/CoOp/vit_b16/seed3/log.txt");
        assert_eq!(
            found,
            Folders {
                dataset: Some("eurosat".into()),
                seed: Some(3),
                shots: Some(16),
                classes: Some(Classes::Base),
                method: Some("CoOp".into()),
            }
        );
        assert_eq!(Folders::of("x/log.txt"), Folders::default());
        assert!(settle("seed", None, Some(1), Some(2)).is_err());
        assert_eq!(settle("seed", Some(3), Some(1), Some(2)), Ok(Some(3)));
    }
}
