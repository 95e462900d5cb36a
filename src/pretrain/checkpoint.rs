//! The state between two steps, as one safetensors file: weights, moments, step count.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor, Var};

use super::adamw::AdamW;
use super::error::PretrainError;

/// Writes the state under a temporary name, then renames it.
pub(super) fn save(path: &Path, vars: &BTreeMap<String, Var>, adam: &AdamW) -> Result<(), PretrainError> {
    let mut tensors: HashMap<String, Tensor> = HashMap::new();
    for (name, var) in vars {
        tensors.insert(format!("weight.{name}"), var.as_tensor().detach());
    }
    for (name, (m, v)) in &adam.moments {
        tensors.insert(format!("first.{name}"), m.clone());
        tensors.insert(format!("second.{name}"), v.clone());
    }
    tensors.insert("steps".to_owned(), Tensor::new(&[adam.steps as u32], &Device::Cpu)?);
    let temporary = path.with_extension("partial");
    candle_core::safetensors::save(&tensors, &temporary)?;
    std::fs::rename(&temporary, path).map_err(PretrainError::io("rename", path))
}

/// Puts a saved state into `vars` and returns the optimiser; `None` when there is no checkpoint.
pub(super) fn resume(path: &Path, vars: &BTreeMap<String, Var>) -> Result<Option<AdamW>, PretrainError> {
    if !path.is_file() {
        return Ok(None);
    }
    let fail = |reason: String| PretrainError::Checkpoint { path: path.to_owned(), reason };
    let tensors =
        candle_core::safetensors::load(path, &Device::Cpu).map_err(|error| fail(error.to_string()))?;
    let get =
        |name: String| tensors.get(&name).cloned().ok_or_else(|| fail(format!("it has no tensor {name}")));
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
