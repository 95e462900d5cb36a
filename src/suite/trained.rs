//! Trained parameters on disk: written before any evaluation, so that a kill there loses no training.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::error::SuiteError;
use crate::method::{Named, Parameters};
use crate::record::{Epoch, Store, Training, hex};

/// What the training of a cell left: parameters and log.
#[derive(Clone, Debug)]
pub(super) struct Trained {
    pub parameters: Named,
    pub training: Training,
    pub seconds: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    training: Training,
    seconds: f64,
}

fn paths(key: &str) -> (String, String) {
    (format!("trained/{key}.safetensors"), format!("trained/{key}.json"))
}

/// Writes the parameters, then the note that makes them count.
pub(super) fn save(
    store: &Store,
    key: &str,
    parameters: &Parameters,
    epochs: Vec<Epoch>,
    images: u64,
    seconds: f64,
) -> Result<Trained, SuiteError> {
    let (path, note_path) = paths(key);
    let values = parameters.values()?;
    let tensors: HashMap<String, Tensor> = values.iter().map(|(n, t)| (n.to_owned(), t.clone())).collect();
    let bytes = serialise(&tensors)?;
    let parameters_sha256 = store.write(&path, &bytes)?;
    let training = Training {
        trainable_parameters: parameters.count(),
        images,
        epochs,
        parameters_path: path,
        parameters_sha256,
    };
    let note = Note { training, seconds };
    let text = serde_json::to_string_pretty(&note).map_err(|error| SuiteError::Usage(error.to_string()))?;
    store.write(&note_path, text.as_bytes())?;
    Ok(Trained { parameters: values, training: note.training, seconds })
}

/// Tensors as safetensors, in name order: the same bytes for the same values.
fn serialise(tensors: &HashMap<String, Tensor>) -> Result<Vec<u8>, SuiteError> {
    let mut named: Vec<_> = tensors.iter().collect();
    named.sort_by_key(|(name, _)| name.as_str());
    let named = named.into_iter().map(|(name, tensor)| (name.clone(), tensor));
    safetensors::serialize(named, None)
        .map_err(|error| SuiteError::Usage(format!("write parameters: {error}")))
}

/// The parameters of a finished training; `None` when there are none or they are not what was recorded.
pub(super) fn load(store: &Store, key: &str, device: &Device) -> Result<Option<Trained>, SuiteError> {
    let (path, note_path) = paths(key);
    let (Ok(note), Ok(bytes)) = (store.read(&note_path), store.read(&path)) else { return Ok(None) };
    let Ok(note) = serde_json::from_slice::<Note>(&note) else { return Ok(None) };
    if hex(&<sha2::Sha256 as sha2::Digest>::digest(&bytes)) != note.training.parameters_sha256 {
        return Ok(None);
    }
    let tensors = candle_core::safetensors::load_buffer(&bytes, device)?;
    Ok(Some(Trained { parameters: Named::new(tensors), training: note.training, seconds: note.seconds }))
}
