//! Reads a fixture folder and dispatches its parts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use super::check::{ParityError, ParityReport};
use super::methods::{MethodCase, check_method};
use crate::backbone::files::hf_config;
use crate::backbone::{Clip, TextLayout, Weights};
use crate::method;

/// `parity.json`; keys it does not know belong to other programs.
#[derive(Debug, Deserialize)]
pub(super) struct Settings {
    pub k: usize,
    pub n_ctx: usize,
    pub learning_rate: f64,
    pub momentum: f64,
    pub weight_decay: f64,
    pub steps: usize,
}

/// A fixture's tensors, all f32 or integers as stored.
pub(super) struct Fixture {
    pub settings: Settings,
    pub inputs: BTreeMap<String, Tensor>,
    pub expected: BTreeMap<String, Tensor>,
    /// Token ids BOS … EOS of every class.
    pub prompts: Vec<Vec<u32>>,
}

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

fn read_tensors(path: &Path, device: &Device) -> Result<BTreeMap<String, Tensor>, ParityError> {
    let tensors =
        candle_core::safetensors::load(path, device).map_err(|error| ParityError::read(path, error))?;
    Ok(tensors.into_iter().collect())
}

fn prompts(token_ids: &Tensor, path: &Path) -> Result<Vec<Vec<u32>>, ParityError> {
    let rows = token_ids.to_dtype(DType::U32)?.to_vec2::<u32>()?;
    rows.into_iter()
        .map(|row| {
            // EOS is the highest id of a row; everything behind it is padding.
            let end = row.iter().enumerate().max_by_key(|(i, id)| (**id, usize::MAX - i)).map(|(i, _)| i);
            let end = end.ok_or_else(|| ParityError::read(path, "token_ids has an empty row"))?;
            Ok(row[..=end].to_vec())
        })
        .collect()
}

fn check_model(dir: &Path, device: &Device, report: &mut ParityReport) -> Result<(), ParityError> {
    let settings_path = dir.join("parity.json");
    let settings: Settings = serde_json::from_str(&read_text(&settings_path)?)
        .map_err(|error| ParityError::read(&settings_path, error))?;
    if settings.momentum != crate::train::MOMENTUM || settings.weight_decay != crate::train::WEIGHT_DECAY {
        return Err(ParityError::read(&settings_path, "momentum must be 0.9 and weight_decay 5e-4"));
    }
    let model = dir.join("model.safetensors");
    let config = hf_config::read_config(&dir.join("config.json"))
        .map_err(|error| ParityError::read(&dir.join("config.json"), error))?;
    let weights = Weights::new("model.safetensors", read_tensors(&model, device)?).to(device, DType::F32)?;
    let clip = Arc::new(Clip::new(config, &weights)?);
    let inputs_path = dir.join("inputs.safetensors");
    let inputs = read_tensors(&inputs_path, device)?;
    let token_ids =
        inputs.get("token_ids").ok_or_else(|| ParityError::read(&inputs_path, "no tensor token_ids"))?;
    let fixture = Fixture {
        prompts: prompts(token_ids, &inputs_path)?,
        settings,
        expected: read_tensors(&dir.join("expected.safetensors"), device)?,
        inputs,
    };
    check_frozen(&clip, &fixture, &inputs_path, report)?;
    for id in fixture.methods() {
        match method::find(&id) {
            Ok(entry) => check_method(&MethodCase { entry, clip: &clip, fixture: &fixture }, report)?,
            Err(_) => report.skipped.push(id),
        }
    }
    Ok(())
}

impl Fixture {
    /// Names with logits, in name order.
    fn methods(&self) -> Vec<String> {
        self.expected.keys().filter_map(|name| name.strip_suffix(".logits")).map(str::to_owned).collect()
    }

    /// An input tensor.
    pub fn input(&self, name: &str) -> Result<&Tensor, ParityError> {
        let path = Path::new("inputs.safetensors");
        self.inputs.get(name).ok_or_else(|| ParityError::read(path, format!("no tensor {name}")))
    }
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
