//! The rules outside the model: learning-rate schedule.

use std::path::Path;

use serde::Deserialize;

use super::check::{Check, ParityError, ParityReport};
use crate::train::learning_rate;

/// The schedule is f64 arithmetic: this share of the largest rate.
const SCHEDULE_TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct Schedule {
    base_lr: f64,
    epochs: usize,
    lr: Vec<f64>,
}

/// Checks the protocol files that lie in `dir`; true when there was one.
pub(super) fn check_protocol(dir: &Path, report: &mut ParityReport) -> Result<bool, ParityError> {
    let path = dir.join("lr_schedule.json");
    if !path.is_file() {
        return Ok(false);
    }
    for case in read_json::<Vec<Schedule>>(&path)? {
        let ours: Vec<f64> =
            (0..case.epochs).map(|epoch| learning_rate(case.base_lr, case.epochs, epoch)).collect();
        let name = format!("lr_schedule.{}x{}", case.base_lr, case.epochs);
        report.checks.push(Check::numbers(&name, &ours, &case.lr, |scale| SCHEDULE_TOLERANCE * scale));
    }
    Ok(true)
}

pub(super) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ParityError> {
    let text = std::fs::read_to_string(path).map_err(|error| ParityError::read(path, error))?;
    serde_json::from_str(&text).map_err(|error| ParityError::read(path, error))
}
