//! The state between two steps, as one safetensors file: weights, moments, step count, and the settings it
//! was made with. A checkpoint of other settings is refused: its pairs and learning rates would not fit on.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor, Var};

use super::adamw::AdamW;
use super::error::PretrainError;

/// Writes the state under a temporary name, then renames it.
pub(super) fn save(
    path: &Path,
    settings: &str,
    vars: &BTreeMap<String, Var>,
    adam: &AdamW,
) -> Result<(), PretrainError> {
    let mut tensors: HashMap<String, Tensor> = HashMap::new();
    for (name, var) in vars {
        tensors.insert(format!("weight.{name}"), var.as_tensor().detach());
    }
    for (name, (m, v)) in &adam.moments {
        tensors.insert(format!("first.{name}"), m.clone());
        tensors.insert(format!("second.{name}"), v.clone());
    }
    tensors.insert("steps".to_owned(), Tensor::new(&[adam.steps as u32], &Device::Cpu)?);
    tensors.insert("settings".to_owned(), Tensor::new(settings.as_bytes(), &Device::Cpu)?);
    let temporary = path.with_extension("partial");
    candle_core::safetensors::save(&tensors, &temporary)?;
    std::fs::rename(&temporary, path).map_err(PretrainError::io("rename", path))
}

/// Puts a saved state into `vars` and returns the optimiser; `None` when there is no checkpoint.
pub(super) fn resume(
    path: &Path,
    settings: &str,
    vars: &BTreeMap<String, Var>,
) -> Result<Option<AdamW>, PretrainError> {
    if !path.is_file() {
        return Ok(None);
    }
    let fail = |reason: String| PretrainError::Checkpoint { path: path.to_owned(), reason };
    let tensors =
        candle_core::safetensors::load(path, &Device::Cpu).map_err(|error| fail(error.to_string()))?;
    let get =
        |name: String| tensors.get(&name).cloned().ok_or_else(|| fail(format!("it has no tensor {name}")));
    let made_with = get("settings".to_owned())?.to_vec1::<u8>()?;
    if made_with != settings.as_bytes() {
        let made_with = String::from_utf8_lossy(&made_with);
        return Err(fail(format!("it was made with {made_with}; asked for were {settings}")));
    }
    let steps = get("steps".to_owned())?.to_vec1::<u32>()?.first().copied().unwrap_or(0);
    let mut adam = AdamW { steps: u64::from(steps), ..AdamW::default() };
    for (name, var) in vars {
        let weight = get(format!("weight.{name}"))?;
        if weight.dims() != var.dims() {
            return Err(fail(format!("{name} has shape {:?}, expected {:?}", weight.dims(), var.dims())));
        }
        var.set(&weight)?;
        adam.moments.insert(name.clone(), (get(format!("first.{name}"))?, get(format!("second.{name}"))?));
    }
    Ok(Some(adam))
}
