//! Reads a fixture folder and dispatches its parts.

use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device};

use super::case::CaseFile;
use super::check::{ParityError, ParityReport};
use super::fixture::{Fixture, read_tensors};
use super::methods::{MethodCase, check_method};
use crate::backbone::files::hf_config;
use crate::backbone::{Clip, TextLayout, Weights};
use crate::method;

/// Checks whatever golden numbers lie in `dir`.
///
/// # Errors
/// [`ParityError`] when a file cannot be read or nothing is there; a difference is no error.
pub fn check_folder(dir: &Path, device: &Device) -> Result<ParityReport, ParityError> {
    let mut report = ParityReport::default();
    let mut found = super::protocol::check_protocol(dir, &mut report)?;
    if dir.join("parity.json").is_file() {
        check_model(dir, device, &mut report)?;
        found = true;
    }
    if !found {
        return Err(ParityError::Nothing { path: dir.to_owned() });
    }
    Ok(report.finish())
}

fn read_text(path: &Path) -> Result<String, ParityError> {
    std::fs::read_to_string(path).map_err(|error| ParityError::read(path, error))
}

fn check_model(dir: &Path, device: &Device, report: &mut ParityReport) -> Result<(), ParityError> {
    let path = dir.join("parity.json");
    let file: CaseFile =
        serde_json::from_str(&read_text(&path)?).map_err(|error| ParityError::read(&path, error))?;
    let clip = read_clip(&dir.join(file.model()), device)?;
    let fixture = Fixture::read(dir, &dir.join(file.model()), device)?;
    report.wide = matches!(file, CaseFile::Named { .. });
    if !report.wide {
        check_frozen(&clip, &fixture, &path, report)?;
    }
    let cases = file.cases(&fixture.cases());
    for case in &cases {
        match method::find(&case.method) {
            Ok(entry) => check_method(&MethodCase { entry, case, clip: &clip, fixture: &fixture }, report)?,
            Err(_) => report.skipped.push(case.name.clone()),
        }
    }
    let covered = |id: &&str| cases.iter().any(|case| case.method == **id);
    report.without_numbers = method::ids().filter(|id| !covered(id)).map(str::to_owned).collect();
    let untouched = fixture.expected.keys().filter(|name| !report.seen.contains(*name));
    let of_skipped = |name: &&String| {
        report
            .skipped
            .iter()
            .any(|case| name.strip_prefix(case.as_str()).is_some_and(|rest| rest.starts_with('.')))
    };
    let untouched: Vec<String> = untouched.filter(|name| !of_skipped(name)).cloned().collect();
    report.skipped.extend(untouched);
    Ok(())
}

fn read_clip(dir: &Path, device: &Device) -> Result<Arc<Clip>, ParityError> {
    let config = hf_config::read_config(&dir.join("config.json"))
        .map_err(|error| ParityError::read(&dir.join("config.json"), error))?;
    let model = read_tensors(&dir.join("model.safetensors"), device)?;
    let weights = Weights::new("model.safetensors", model).to(device, DType::F32)?;
    Ok(Arc::new(Clip::new(config, &weights)?))
}

fn check_frozen(
    clip: &Clip,
    fixture: &Fixture,
    path: &Path,
    report: &mut ParityReport,
) -> Result<(), ParityError> {
    let images = clip.vision.encode(fixture.input("images")?, false)?;
    let name = "frozen.image_features";
    report.tensor(name, &images.features, fixture.expected.get(name))?;
    let layout = TextLayout::shared(&fixture.prompts, clip.config.context_length)
        .map_err(|error| ParityError::read(path, error))?;
    let name = "frozen.text_features";
    report.tensor(name, &clip.text.encode(&layout)?.features, fixture.expected.get(name))?;
    Ok(())
}
