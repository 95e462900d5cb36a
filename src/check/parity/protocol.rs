//! The rules outside the model: learning-rate schedule, random numbers and draws, pixels.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::check::{Check, ParityError, ParityReport};
use super::draws::check_draws;
use super::pixels::check_pixels;
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
    let schedules: Option<Vec<Schedule>> = read_json(&dir.join("lr_schedule.json"))?;
    for case in schedules.iter().flatten() {
        let ours: Vec<f64> =
            (0..case.epochs).map(|epoch| learning_rate(case.base_lr, case.epochs, epoch)).collect();
        let name = format!("lr_schedule.{}x{}", case.base_lr, case.epochs);
        report.checks.push(Check::numbers(&name, &ours, &case.lr, |scale| SCHEDULE_TOLERANCE * scale));
    }
    let draws = read_json(&dir.join("python_random.json"))?;
    if let Some(golden) = &draws {
        check_draws(golden, report);
    }
    let pixel_dir = dir.join("pixels");
    let pixels = read_json(&pixel_dir.join("cases.json"))?;
    if let Some(cases) = &pixels {
        check_pixels(&pixel_dir, cases, report)?;
    }
    Ok(schedules.is_some() || draws.is_some() || pixels.is_some())
}

/// Parses a file; `None` where there is none.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ParityError> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(|error| ParityError::read(path, error))?;
    serde_json::from_str(&text).map(Some).map_err(|error| ParityError::read(path, error))
}
