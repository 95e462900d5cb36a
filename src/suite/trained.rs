//! Trained parameters on disk: written before any evaluation, so that a kill there loses no training.

use std::collections::{BTreeMap, HashMap};

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

/// Writes the parameters, then the note that makes them count. The log comes without the file's name and hash.
pub(super) fn save(
    store: &Store,
    key: &str,
    parameters: &Parameters,
    log: TrainingLog,
) -> Result<Trained, SuiteError> {
    let (path, note_path) = paths(key);
    let values = parameters.values()?;
    let tensors = values.iter().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect();
    let bytes = serialise(tensors, None)?;
    let parameters_sha256 = store.write(&path, &bytes)?;
    let TrainingLog { images, skipped, images_sha256, epochs, seconds } = log;
    let training = Training {
        trainable_parameters: parameters.count(),
        images,
        skipped,
        epochs,
        parameters_path: path,
        parameters_sha256,
        images_sha256: Some(images_sha256),
    };
    let note = Note { training, seconds };
    let text = serde_json::to_string_pretty(&note).map_err(|error| SuiteError::Usage(error.to_string()))?;
    store.write(&note_path, text.as_bytes())?;
    Ok(Trained { parameters: values, training: note.training, seconds })
}

/// What is known of a training beside its parameters.
pub(super) struct TrainingLog {
    pub images: u64,
    pub skipped: u64,
    pub images_sha256: String,
    pub epochs: Vec<Epoch>,
    pub seconds: f64,
}

/// Tensors as safetensors, in name order: the same bytes for the same values. More than one entry of
/// metadata would come in any order.
pub(super) fn serialise(
    tensors: BTreeMap<String, Tensor>,
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, SuiteError> {
    safetensors::serialize(tensors, metadata)
        .map_err(|error| SuiteError::Usage(format!("write tensors: {error}")))
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
