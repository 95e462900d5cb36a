//! `import`: results of other programs become marked records of a run.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::args::{ImportCommand, Into};
use super::exit::{Exit, Failure};
use super::named::{self, Run};
use crate::data::Classes;
use crate::handout::{DatasetLists, HandoutError};
use crate::import::dassl::{Given, LogOutcome, collect};
use crate::import::error::read;
use crate::import::{Evidence, ImportError, ImportedResult, Importer, Kept, names, predictions, table};
use crate::suite::CommandLine;
use crate::util::hex;
use crate::util::utc;

pub(super) fn import(command: &ImportCommand) -> Result<Exit, Failure> {
    match command {
        ImportCommand::Predictions { file, into, .. } => import_predictions(command, file, into),
        ImportCommand::Dassl { dir, method, dataset, seed, shots, into } => {
            let given = Given {
                method: method.clone(),
                dataset: dataset.as_deref().map(names::dataset),
                seed: *seed,
                shots: *shots,
            };
            dassl(dir, &given, into)
        }
        ImportCommand::Table { file, shots, into } => {
            let bytes = read(file)?;
            let found = table::read(&bytes, (&name(file), &sha256(&bytes)), *shots)?;
            keep_all(&found, into)
        }
    }
}

fn import_predictions(command: &ImportCommand, file: &Path, into: &Into) -> Result<Exit, Failure> {
    let ImportCommand::Predictions {
        method,
        dataset,
        seed,
        shots,
        classes,
        train_dataset,
        train_classes,
        ..
    } = command
    else {
        return Ok(Exit::Ok);
    };
    if seed.is_some() != shots.is_some() {
        let message =
            "import predictions: give --seed and --shots, or neither for a method that draws nothing";
        return Err(Failure::new(Exit::Usage, message));
    }
    let method = checked_method(method)?;
    let run = run(into)?;
    let dataset = names::dataset(dataset);
    let lists = lists(&run, into, &dataset)?;
    let bytes = read(file)?;
    let rows = predictions::check(&as_csv(&bytes, file)?, &name(file), &lists, *classes)?;
    let trained = if *classes == Classes::All { Classes::All } else { Classes::Base };
    let found = ImportedResult {
        method,
        train_dataset: train_dataset.as_deref().map_or_else(|| dataset.clone(), names::dataset),
        dataset,
        seed: *seed,
        shots: *shots,
        classes: *classes,
        train_classes: train_classes.unwrap_or(trained),
        class_count: lists.labels(*classes).labels().len() as u64,
        class_names: Some(lists.names(*classes)),
        split_sha256: lists.split_sha256,
        evidence: Evidence::Predictions(rows),
        measurements: Vec::new(),
        source: name(file),
        source_sha256: sha256(&bytes),
    };
    keep_all(&[found], into)
}

fn dassl(dir: &Path, given: &Given, into: &Into) -> Result<Exit, Failure> {
    let run = run(into)?;
    let logs = collect(dir, given, &|dataset| lists(&run, into, dataset).ok())?;
    let (mut found, mut refused) = (Vec::new(), 0);
    for (path, outcome) in logs {
        match outcome {
            LogOutcome::Found(result) => found.push(*result),
            LogOutcome::Unfinished(reason) => eprintln!("not finished: {path}: {reason}"),
            LogOutcome::Refused(reason) => {
                refused += 1;
                eprintln!("not imported: {path}: {reason}");
            }
        }
    }
    if found.is_empty() {
        return Err(Failure::new(Exit::Data, format!("import {}: no finished run in it", dir.display())));
    }
    let kept = keep_all(&found, into)?;
    Ok(if refused == 0 { kept } else { Exit::Data })
}

/// Writes the records and says what became of each.
fn keep_all(found: &[ImportedResult], into: &Into) -> Result<Exit, Failure> {
    let run = run(into)?;
    let command = CommandLine::new(std::env::args());
    let now = utc::now();
    let keeper = Importer {
        store: &run.store,
        run: &run.name,
        suite: &run.suite,
        profile: &run.profile,
        command: command.as_str(),
        now: &now,
    };
    for one in found {
        let word = match keeper.keep(one)? {
            Kept::New => "imported",
            Kept::Before => "there already",
        };
        let accuracy = match &one.evidence {
            Evidence::Predictions(rows) => {
                let correct = rows.iter().filter(|row| row.label == row.predicted).count();
                format!("{correct} / {}", rows.len())
            }
            Evidence::Counted { correct, total } => format!("{correct} / {total}"),
            Evidence::Percent(percent) => format!("{percent} % as reported"),
        };
        println!("{word}: {}: {accuracy}", one.words());
    }
    println!("`rpo-bench report {}` shows them, marked, beside the run's own results", run.name);
    Ok(Exit::Ok)
}

/// The run that results join; one without records yet may be named in full.
fn run(into: &Into) -> Result<Run, Failure> {
    match named::find(&into.out, &into.run, "import") {
        Err(failure) if failure.exit == Exit::Data && into.data.is_none() => {
            // Nothing has run yet: without --data it can only be the embedded world's.
            named::planned(&into.out, &into.run)
        }
        other => other,
    }
}

/// The lists of the run's data.
fn lists(run: &Run, into: &Into, dataset: &str) -> Result<DatasetLists, Failure> {
    match (&into.data, run.profile.as_str()) {
        (None, profile) if profile != "pocket" => {
            let message = format!("hold results of {} against its lists: give --data DIR", run.name);
            Err(Failure::new(Exit::Usage, message))
        }
        (data, _) => Ok(DatasetLists::open(data.as_deref(), dataset)?),
    }
}

fn checked_method(text: &str) -> Result<String, Failure> {
    let id = names::method(text);
    let is_word = !id.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.+-".contains(c));
    match is_word {
        true => Ok(id),
        false => Err(Failure::new(
            Exit::Usage,
            format!("--method {text:?}: expected a word of letters, digits, _ . + -"),
        )),
    }
}

/// Parquet as CSV, everything else as it is.
fn as_csv(bytes: &[u8], file: &Path) -> Result<Vec<u8>, Failure> {
    if !bytes.starts_with(b"PAR1") {
        return Ok(bytes.to_vec());
    }
    #[cfg(feature = "parquet")]
    return crate::frame::parquet_as_csv(bytes)
        .map_err(|error| Failure::new(Exit::Data, format!("read {}: {error}", file.display())));
    #[cfg(not(feature = "parquet"))]
    Err(Failure::new(
        Exit::Usage,
        format!("read {}: Parquet needs a build with --features parquet; or write CSV", file.display()),
    ))
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

impl From<HandoutError> for Failure {
    fn from(error: HandoutError) -> Self {
        let exit = match &error {
            HandoutError::Unknown { .. } | HandoutError::WholeOnly { .. } => Exit::Usage,
            HandoutError::Data(_) => Exit::Data,
        };
        Self::new(exit, error)
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Handout(error) => error.into(),
            error => Self::new(Exit::Data, error),
        }
    }
}
