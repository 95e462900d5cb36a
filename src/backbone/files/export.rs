//! Writes a model as a HuggingFace folder.
//!
//! Owns the seven files and their fields. `CLIPModel`, `CLIPTokenizer` and `CLIPImageProcessor` of the Python
//! package transformers open the folder without a missing or unexpected key (checked with 5.23.0), and so does
//! [`crate::backbone::ClipFolder`].

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};

use super::bpe_vocabulary::{BOS, BpeVocabulary, EOS};
use super::hf_config::config_json;
use super::load_error::LoadError;
use super::safetensors_write::{write_atomically, write_safetensors};
use super::stored::StoredTensor;
use super::weights::Weights;
use crate::backbone::config::ClipConfig;

/// Mean of OpenAI's training pixels, per channel.
const IMAGE_MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
/// Their standard deviation.
const IMAGE_STD: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];

/// Writes config.json, model.safetensors (f32), vocab.json, merges.txt, tokenizer_config.json,
/// special_tokens_map.json and preprocessor_config.json into `folder`, which is created. The same model gives the
/// same bytes.
///
/// # Errors
/// [`LoadError::Io`], or [`LoadError::Candle`] where a tensor cannot be copied to the CPU.
pub fn export_folder(
    folder: &Path,
    config: &ClipConfig,
    weights: &Weights,
    vocabulary: &BpeVocabulary,
) -> Result<(), LoadError> {
    std::fs::create_dir_all(folder).map_err(LoadError::io("create", folder))?;
    let (bos, eos) = (vocabulary.bos() as usize, vocabulary.eos() as usize);
    write_json(&folder.join("config.json"), &config_json(config, bos, eos))?;
    write_weights(&folder.join("model.safetensors"), weights)?;
    write_text(&folder.join("vocab.json"), &vocabulary.vocab_json())?;
    write_text(&folder.join("merges.txt"), &vocabulary.merges_txt())?;
    write_json(&folder.join("tokenizer_config.json"), &tokenizer_config(config))?;
    write_json(&folder.join("special_tokens_map.json"), &special_tokens())?;
    write_json(&folder.join("preprocessor_config.json"), &preprocessor_config(config))
}

fn write_weights(path: &Path, weights: &Weights) -> Result<(), LoadError> {
    let mut tensors = BTreeMap::new();
    for (name, tensor) in weights.iter() {
        let stored = stored(tensor).map_err(|source| LoadError::Candle { path: path.to_owned(), source })?;
        tensors.insert(name.to_owned(), stored);
    }
    // transformers refuses a file that does not name its framework.
    let metadata = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
    write_safetensors(path, &metadata, &tensors)
}

fn stored(tensor: &Tensor) -> candle_core::Result<StoredTensor> {
    let values = tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    Ok(StoredTensor::from_f32(tensor.dims().to_vec(), &values))
}

fn write_json(path: &Path, value: &Value) -> Result<(), LoadError> {
    write_text(path, &format!("{value:#}\n"))
}

fn write_text(path: &Path, text: &str) -> Result<(), LoadError> {
    write_atomically(path, |file| file.write_all(text.as_bytes()))
}

fn tokenizer_config(config: &ClipConfig) -> Value {
    json!({
        "tokenizer_class": "CLIPTokenizer",
        "bos_token": BOS,
        "eos_token": EOS,
        "unk_token": EOS,
        "pad_token": EOS,
        "errors": "replace",
        "do_lower_case": true,
        "add_prefix_space": false,
        "model_max_length": config.context_length,
    })
}

fn special_tokens() -> Value {
    json!({ "bos_token": BOS, "eos_token": EOS, "unk_token": EOS, "pad_token": EOS })
}

/// Resize the short side, bicubic (3 in Pillow's numbering), centre crop, scale to [0, 1], normalise.
fn preprocessor_config(config: &ClipConfig) -> Value {
    let side = config.image_size;
    json!({
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": true,
        "do_resize": true,
        "size": { "shortest_edge": side },
        "resample": 3,
        "do_center_crop": true,
        "crop_size": { "height": side, "width": side },
        "do_rescale": true,
        "rescale_factor": 1.0 / 255.0,
        "do_normalize": true,
        "image_mean": IMAGE_MEAN,
        "image_std": IMAGE_STD,
    })
}
