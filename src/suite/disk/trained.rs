//! Trained parameters on disk: written before any evaluation, so that a kill there loses no training.
//!
//! The file is what `evaluate --prompts` reads: it says by itself what was trained, on which classes and for
//! which weights. A training without its note beside it does not count.

use std::collections::{BTreeMap, HashMap};

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::backbone::files::safetensors_write::safetensors_bytes;
use crate::backbone::files::stored::StoredTensor;
use crate::method::{Named, Parameters};
use crate::record::{Epoch, Store, Training, ValidationUse};
use crate::suite::error::SuiteError;
use crate::suite::plan::keys::trained_paths;
use crate::util::hex;

/// What the training of a cell left: parameters and log.
#[derive(Clone, Debug)]
pub(in crate::suite) struct Trained {
    pub parameters: Named,
    pub training: Training,
    pub seconds: f64,
}

/// What is known of a training beside its parameters.
pub(in crate::suite) struct TrainingLog {
    pub images: u64,
    pub skipped: u64,
    pub images_sha256: String,
    pub validation: ValidationUse,
    pub epochs: Vec<Epoch>,
    pub seconds: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    training: Training,
    seconds: f64,
}

/// Writes the parameters, then the note that makes them count. `about` is what the file says of itself.
pub(in crate::suite) fn save(
    store: &Store,
    key: &str,
    parameters: &Parameters,
    about: &BTreeMap<String, String>,
    log: TrainingLog,
) -> Result<Trained, SuiteError> {
    let [path, note_path] = trained_paths(key);
    let values = parameters.values()?;
    let parameters_sha256 = store.write(&path, &safetensors_bytes(about, &stored(&values)?))?;
    let training = Training {
        trainable_parameters: parameters.count(),
        images: log.images,
        skipped: log.skipped,
        epochs: log.epochs,
        parameters_path: path,
        parameters_sha256,
        images_sha256: Some(log.images_sha256),
        validation: log.validation,
    };
    let note = Note { training, seconds: log.seconds };
    let text = serde_json::to_string_pretty(&note).map_err(|error| SuiteError::Usage(error.to_string()))?;
    store.write(&note_path, text.as_bytes())?;
    Ok(Trained { parameters: values, training: note.training, seconds: log.seconds })
}

/// Plain tensors as f32, by name.
pub(in crate::suite) fn stored(values: &Named) -> Result<BTreeMap<String, StoredTensor>, SuiteError> {
    values
        .iter()
        .map(|(name, tensor)| {
            let numbers: Vec<f32> = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
            Ok((name.to_owned(), StoredTensor::from_f32(tensor.dims().to_vec(), &numbers)))
        })
        .collect()
}

/// Tensors as safetensors, in name order: the same bytes for the same values.
pub(in crate::suite) fn serialise(
    tensors: BTreeMap<String, Tensor>,
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, SuiteError> {
    let metadata: BTreeMap<String, String> = metadata.into_iter().flatten().collect();
    let stored = tensors.iter().map(|(name, tensor)| Ok((name.clone(), StoredTensor::from_tensor(tensor)?)));
    Ok(safetensors_bytes(&metadata, &stored.collect::<Result<_, SuiteError>>()?))
}

/// The parameters of a finished training; `None` when there are none or they are not what was recorded.
pub(in crate::suite) fn load(
    store: &Store,
    key: &str,
    device: &Device,
) -> Result<Option<Trained>, SuiteError> {
    let [path, note_path] = trained_paths(key);
    let (Ok(note), Ok(bytes)) = (store.read(&note_path), store.read(&path)) else { return Ok(None) };
    let Ok(note) = serde_json::from_slice::<Note>(&note) else { return Ok(None) };
    if hex(&<sha2::Sha256 as sha2::Digest>::digest(&bytes)) != note.training.parameters_sha256 {
        return Ok(None);
    }
    let tensors = candle_core::safetensors::load_buffer(&bytes, device)?;
    Ok(Some(Trained { parameters: Named::new(tensors), training: note.training, seconds: note.seconds }))
}
