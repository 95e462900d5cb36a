//! Does a record agree with itself and with the files beside it? Nothing is run, no model is opened.
//!
//! Easy to get wrong: a forger can compute hashes anew, so counts, classes and probabilities are also held
//! against each other.

use std::path::{Path, PathBuf};

use super::finding::CellVerdict;
use crate::backbone::files::safetensors_file::SafetensorsFile;
use crate::backbone::files::tensor_file::TensorFile;
use crate::method;
use crate::record::{
    Evaluation, Outcome, Prediction, RunRecord, Seal, Store, StoreError, Training, parse_predictions,
    parse_record,
};
use crate::util::hex;

/// The variant that says that prompts came from a file.
pub(super) const FROM_FILE: &str = "prompts";

/// A record that parses, its run directory, and what was found.
pub type Quick = (CellVerdict, Option<(RunRecord, PathBuf)>);

/// Checks one record: seal, name, counts against predictions, hashes against files.
///
/// # Errors
/// [`StoreError::Io`] for a record file that cannot be read. One that is no record is a fault, not an error.
pub fn quick(path: &Path) -> Result<Quick, StoreError> {
    let mut verdict = CellVerdict { record_path: path.display().to_string(), ..CellVerdict::default() };
    let (record, seal) = match parse_record(path) {
        Ok(parsed) => parsed,
        Err(StoreError::Record { reason, .. }) => {
            verdict.faults.push(format!("it is no record: {reason}"));
            return Ok((verdict, None));
        }
        Err(error) => return Err(error),
    };
    verdict.cell = words(&record);
    let run_dir = path.parent().and_then(Path::parent).unwrap_or(Path::new("")).to_owned();
    verdict.imported = record.imported().is_some();
    let faults = &mut verdict.faults;
    if seal == Seal::Broken {
        faults.push("it was changed after it was saved: its record_sha256 is another".to_owned());
    }
    if path.file_stem().is_none_or(|stem| stem != record.key.as_str()) {
        faults.push(format!("its key is {}, its file name says otherwise", record.key));
    }
    let imported = record.imported().is_some();
    if !imported {
        outcome(&record, faults);
    }
    let store = Store::at(&run_dir);
    for evaluation in record.evaluations.iter().filter(|evaluation| evaluation.has_predictions()) {
        predictions(&store, evaluation, imported, faults);
    }
    if let Some(training) = &record.training {
        parameters(&store, &record.cell.method, training, faults);
    }
    Ok((verdict, Some((record, run_dir))))
}

/// Suite, dataset, method, variant, seed and shots in words.
fn words(record: &RunRecord) -> String {
    let cell = &record.cell;
    let number = |name: &str, value: Option<u64>| value.map_or_else(String::new, |n| format!(" {name} {n}"));
    let (seed, shots) = (number("seed", cell.seed), number("shots", cell.shots.map(u64::from)));
    let variant: String = cell.variant.iter().map(|(key, value)| format!(" {key}={value}")).collect();
    format!("{} {} {}{variant}{seed}{shots}", cell.suite, cell.dataset, cell.method)
}

fn outcome(record: &RunRecord, faults: &mut Vec<String>) {
    let complete = record.outcome == Outcome::Complete;
    if complete == record.evaluations.is_empty() {
        let state = if complete { "complete" } else { "failed" };
        faults.push(format!("it is {state} and has {} evaluations", record.evaluations.len()));
    }
    if complete && record.training.is_some() != record.cell.seed.is_some() {
        faults.push("training and seed do not go together".to_owned());
    }
    // Prompts that came from a file were drawn for by somebody else.
    let drawn = record.cell.seed.is_some() && !record.cell.variant.contains_key(FROM_FILE);
    if drawn && record.provenance.draw_sha256.is_none() {
        faults.push("it has a seed and no draw_sha256".to_owned());
    }
}

fn predictions(store: &Store, evaluation: &Evaluation, imported: bool, faults: &mut Vec<String>) {
    let name = format!("{} {}", evaluation.dataset, evaluation.classes);
    let mut fault = |text: String| faults.push(format!("{name}: {text}"));
    let path = &evaluation.predictions_path;
    if !is_inside(path) {
        return fault(format!("predictions_path {path} leaves the run directory"));
    }
    let Ok(bytes) = store.read(path) else { return fault(format!("{path} cannot be read")) };
    if sha256(&bytes) != evaluation.predictions_sha256 {
        fault(format!("{path} has another SHA-256 than recorded"));
    }
    let Some(rows) = parse_predictions(&bytes) else {
        return fault(format!("{path} is no list of predictions"));
    };
    let correct = rows.iter().filter(|row| row.label == row.predicted).count() as u64;
    if rows.len() as u64 != evaluation.total {
        fault(format!("total is {}, {path} has {} rows", evaluation.total, rows.len()));
    }
    if correct != evaluation.correct {
        fault(format!("correct is {}, {path} has {correct} correct rows", evaluation.correct));
    }
    if let Some(row) = rows
        .iter()
        .find(|row| !is_possible(&stated(row, imported, evaluation.class_count), evaluation.class_count))
    {
        let Prediction { path: image, label, predicted, p_true, .. } = row;
        let sure = row
            .confidence
            .map_or_else(String::new, |c| format!(", p_predicted {}, margin {}", c.p_predicted, c.margin));
        fault(format!(
            "{image}: label {label}, predicted {predicted}, p_true {p_true}{sure} cannot be among {} classes",
            evaluation.class_count
        ));
    }
}

/// Rounding of a probability that was written as f32.
const ROUNDING: f64 = 1e-6;

/// The row with a possible number wherever another program did not state one; the rows of this program state all.
fn stated(row: &Prediction, imported: bool, class_count: u64) -> Prediction {
    let mut row = row.clone();
    if !imported {
        return row;
    }
    let average = 1.0 / class_count.max(1) as f32;
    if row.p_true.is_nan() {
        let sure = row.confidence.filter(|_| row.label == row.predicted).map(|sure| sure.p_predicted);
        row.p_true = sure.unwrap_or(if row.label == row.predicted { average } else { 0.0 });
    }
    if let Some(sure) = row.confidence.as_mut().filter(|sure| sure.margin.is_nan()) {
        sure.margin = 0.0;
    }
    row
}

/// A right prediction has at least the average probability, a wrong one at most half; so does the predicted class, and
/// the second one has neither more than it nor less than nothing.
fn is_possible(row: &Prediction, class_count: u64) -> bool {
    let p_true = f64::from(row.p_true);
    let known = u64::from(row.label) < class_count && u64::from(row.predicted) < class_count;
    let range = match row.label == row.predicted {
        true => 1.0 / class_count as f64..=1.0,
        false => 0.0..=0.5,
    };
    let confident = row.confidence.is_none_or(|sure| {
        let (p, margin) = (f64::from(sure.p_predicted), f64::from(sure.margin));
        let least = if row.label == row.predicted { p_true } else { 1.0 / class_count as f64 };
        p >= least.max(p_true) - ROUNDING
            && p <= 1.0 + ROUNDING
            && margin >= -ROUNDING
            && margin <= p + ROUNDING
    });
    known && confident && p_true >= range.start() - ROUNDING && p_true <= range.end() + ROUNDING
}

fn parameters(store: &Store, method: &str, training: &Training, faults: &mut Vec<String>) {
    let path = &training.parameters_path;
    let mut fault = |text: String| faults.push(format!("training: {text}"));
    if !is_inside(path) {
        return fault(format!("parameters_path {path} leaves the run directory"));
    }
    let Ok(bytes) = store.read(path) else { return fault(format!("{path} cannot be read")) };
    if sha256(&bytes) != training.parameters_sha256 {
        fault(format!("{path} has another SHA-256 than recorded"));
    }
    match SafetensorsFile::open(&store.dir().join(path)) {
        Err(error) => fault(error.to_string()),
        Ok(file) => {
            let elements =
                |name: &String| file.shape(name).map_or(0, |shape| shape.iter().product::<usize>());
            let count = file.names().iter().map(elements).sum::<usize>() as u64;
            let recorded = training.trainable_parameters;
            let more = method::look_up(method).and_then(|entry| entry.with_defaults().ok());
            let more = count > recorded && more.is_some_and(|method| method.keeps_more());
            if count != recorded && !more {
                fault(format!("trainable_parameters is {recorded}, {path} holds {count} numbers"));
            }
        }
    }
    if training.epochs.iter().any(|epoch| !(epoch.mean_loss.is_finite() && epoch.mean_loss >= 0.0)) {
        fault("a mean_loss is no cross-entropy".to_owned());
    }
}

fn is_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

fn sha256(bytes: &[u8]) -> String {
    hex(&<sha2::Sha256 as sha2::Digest>::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Confidence;

    #[test]
    fn impossible_rows_are_seen() {
        let row = |label, predicted, p_true| Prediction {
            path: "a".into(),
            label,
            predicted,
            p_true,
            confidence: None,
        };
        let sure = |p_predicted, margin| Prediction {
            confidence: Some(Confidence { p_predicted, margin }),
            ..row(1, 2, 0.25)
        };
        assert!(is_possible(&sure(0.5, 0.25), 4));
        for bad in [sure(0.2, 0.1), sure(0.5, 0.6), sure(0.5, -0.1), sure(1.1, 0.1), sure(f32::NAN, 0.1)] {
            assert!(!is_possible(&bad, 4), "{bad:?}");
        }
        assert!(is_possible(&row(1, 1, 0.25), 4) && is_possible(&row(1, 2, 0.5), 4));
        for bad in [row(1, 1, 0.2), row(1, 2, 0.6), row(4, 1, 0.1), row(1, 4, 0.1), row(1, 1, f32::NAN)] {
            assert!(!is_possible(&bad, 4), "{bad:?}");
        }
    }

    #[test]
    fn only_imported_rows_may_leave_probabilities_unsaid() {
        let row = |label, p_predicted| Prediction {
            path: "a".into(),
            label,
            predicted: 1,
            p_true: f32::NAN,
            confidence: Some(crate::data::Confidence { p_predicted, margin: f32::NAN }),
        };
        for label in [1, 2] {
            assert!(is_possible(&stated(&row(label, 0.7), true, 4), 4));
            assert!(!is_possible(&stated(&row(label, 0.7), false, 4), 4));
        }
        assert!(!is_possible(&stated(&row(1, 1.7), true, 4), 4), "what is stated must be possible");
    }

    #[test]
    fn paths_stay_inside() {
        assert!(is_inside("predictions/a.csv"));
        assert!(!is_inside("/etc/passwd") && !is_inside("../a") && !is_inside("a/../../b"));
    }
}
