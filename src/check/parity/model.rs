//! Reads a fixture folder and dispatches its parts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use super::case::CaseFile;
use super::check::{ParityError, ParityReport};
use super::methods::{MethodCase, check_method};
use crate::backbone::files::hf_config;
use crate::backbone::{Clip, TextLayout, Weights};
use crate::method;

/// A fixture's tensors, all f32 or integers as stored.
pub(super) struct Fixture {
    pub inputs: BTreeMap<String, Tensor>,
    pub expected: BTreeMap<String, Tensor>,
    /// Token ids BOS … EOS of every class.
    pub prompts: Vec<Vec<u32>>,
    /// Other wordings, of every class.
    pub wordings: Vec<Vec<Vec<u32>>>,
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

impl Fixture {
    /// The tensors of a folder, and those inputs of the model's folder that it does not have itself.
    fn read(dir: &Path, model: &Path, device: &Device) -> Result<Self, ParityError> {
        let path = dir.join("inputs.safetensors");
        let mut inputs = read_tensors(&model.join("inputs.safetensors"), device)?;
        if dir != model && path.is_file() {
            inputs.extend(read_tensors(&path, device)?);
        }
        let ids = inputs.get("token_ids").ok_or_else(|| ParityError::read(&path, "no tensor token_ids"))?;
        let wordings = match inputs.get("template_token_ids") {
            Some(all) => (0..all.dim(0)?).map(|i| prompts(&all.get(i)?, &path)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        let expected = read_tensors(&dir.join("expected.safetensors"), device)?;
        Ok(Self { prompts: prompts(ids, &path)?, wordings, inputs, expected })
    }

    /// Names with logits, in name order.
    fn cases(&self) -> Vec<String> {
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
