//! The weights of a model folder: one file or several shards, under HuggingFace's names with or without a prefix.
//!
//! Owns the choice of files and the check that everything the configuration implies is there in the right shape,
//! before any tensor is read. Tensors beyond that (`position_ids`, a classifier) are ignored. The order of
//! preference is model.safetensors, model.safetensors.index.json, pytorch_model.bin.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::Deserialize;

use super::load_error::{LoadError, read_text};
use super::safetensors_file::SafetensorsFile;
use super::tensor_file::TensorFile;
use super::tensor_names::expected_tensors;
use super::torch_file::open_torch;
use super::weights::Weights;
use crate::backbone::config::ClipConfig;

const MAX_INDEX_BYTES: u64 = 64 << 20;
/// A tensor every CLIP model has once; whatever stands before it is the prefix of all names.
const ANCHOR: &str = "vision_model.embeddings.class_embedding";
/// A tensor of OpenAI's and OpenCLIP's own naming.
const FOREIGN: &str = "visual.conv1.weight";

/// The open weight files of one model.
pub struct WeightsFiles {
    folder: PathBuf,
    files: Vec<Box<dyn TensorFile>>,
    /// File index of each tensor.
    owner: BTreeMap<String, usize>,
}

impl WeightsFiles {
    /// Opens the folder's weights; headers and names are read, tensors are not.
    ///
    /// # Errors
    /// [`LoadError::NoWeights`], or whatever is wrong with a file.
    pub fn open(folder: &Path) -> Result<Self, LoadError> {
        let single = folder.join("model.safetensors");
        let index = folder.join("model.safetensors.index.json");
        let torch = folder.join("pytorch_model.bin");
        let files: Vec<Box<dyn TensorFile>> = if single.exists() {
            vec![Box::new(SafetensorsFile::open(&single)?)]
        } else if index.exists() {
            open_shards(folder, &index)?
        } else if torch.exists() {
            vec![open_torch(&torch)?]
        } else {
            let looked = "model.safetensors, model.safetensors.index.json, pytorch_model.bin".to_owned();
            return Err(LoadError::NoWeights { folder: folder.to_owned(), looked });
        };
        let mut owner = BTreeMap::new();
        for (at, file) in files.iter().enumerate() {
            owner.extend(file.names().into_iter().map(|name| (name, at)));
        }
        Ok(Self { folder: folder.to_owned(), files, owner })
    }

    /// The files, in name order.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| file.path().to_owned()).collect()
    }

    /// Every tensor the configuration implies, in f32 on the CPU, under its name without prefix.
    ///
    /// # Errors
    /// [`LoadError::TensorMissing`] and [`LoadError::TensorShape`] before anything is read, then
    /// [`LoadError::Tensor`] for a type that is not floating-point.
    pub fn load(&mut self, config: &ClipConfig) -> Result<Weights, LoadError> {
        let prefix = self.prefix();
        let expected = expected_tensors(config);
        for (name, shape) in &expected {
            self.check(&format!("{prefix}{name}"), shape)?;
        }
        let mut tensors = BTreeMap::new();
        for (name, shape) in expected {
            let full_name = format!("{prefix}{name}");
            let file = &mut self.files[self.owner[&full_name]];
            let values = file.read(&full_name)?.to_f32();
            let tensor = Tensor::from_vec(values, shape, &Device::Cpu)
                .map_err(|source| LoadError::Candle { path: file.path().to_owned(), source })?;
            tensors.insert(name, tensor);
        }
        Ok(Weights::new(self.folder.display().to_string(), tensors))
    }

    /// What stands before HuggingFace's names, as in `clip.vision_model…` or `module.vision_model…`.
    fn prefix(&self) -> String {
        let prefixes = self.owner.keys().filter_map(|name| name.strip_suffix(ANCHOR));
        let whole = prefixes.filter(|prefix| prefix.is_empty() || prefix.ends_with('.'));
        whole.min_by_key(|prefix| prefix.len()).unwrap_or_default().to_owned()
    }

    fn check(&self, name: &str, expected: &[usize]) -> Result<(), LoadError> {
        let Some(file) = self.owner.get(name).map(|at| &self.files[*at]) else {
            return Err(self.missing(name));
        };
        match file.shape(name) {
            Some(found) if found == expected => Ok(()),
            // One element is a scalar, whatever its rank.
            Some([1]) if expected.is_empty() => Ok(()),
            found => Err(LoadError::TensorShape {
                path: file.path().to_owned(),
                tensor: name.to_owned(),
                found: found.unwrap_or_default().to_vec(),
                expected: expected.to_vec(),
            }),
        }
    }

    fn missing(&self, name: &str) -> LoadError {
        let hint = match self.owner.keys().next() {
            None => "the file holds no tensors".to_owned(),
            Some(_) if self.owner.contains_key(FOREIGN) => {
                "the names are OpenAI's: give this file itself, or put its open_clip_config.json in the place of config.json"
                    .to_owned()
            }
            Some(first) => format!(
                "{} tensors are there, the first is {first:?}; is this a CLIPModel of this config.json?",
                self.owner.len()
            ),
        };
        let path = match self.files.as_slice() {
            [file] => file.path().to_owned(),
            _ => self.folder.clone(),
        };
        LoadError::TensorMissing { path, tensor: name.to_owned(), hint }
    }
}

#[derive(Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

/// Opens the shards in name order and checks that each holds what the index says.
fn open_shards(folder: &Path, index: &Path) -> Result<Vec<Box<dyn TensorFile>>, LoadError> {
    let ShardIndex { weight_map } = serde_json::from_str(&read_text(index, MAX_INDEX_BYTES)?)
        .map_err(|source| LoadError::Json { path: index.to_owned(), source })?;
    let refuse = |problem| LoadError::Index { path: index.to_owned(), problem };
    let names: BTreeSet<&String> = weight_map.values().collect();
    let mut shards: BTreeMap<&String, SafetensorsFile> = BTreeMap::new();
    for name in names {
        if Path::new(name).file_name().is_none_or(|file_name| file_name != name.as_str()) {
            return Err(refuse(format!("shard {name:?} is not a plain file name")));
        }
        shards.insert(name, SafetensorsFile::open(&folder.join(name))?);
    }
    for (tensor, shard) in &weight_map {
        if shards.get(shard).is_none_or(|file| file.shape(tensor).is_none()) {
            return Err(refuse(format!("tensor {tensor:?} is not in shard {shard:?}")));
        }
    }
    Ok(shards.into_values().map(|file| Box::new(file) as Box<dyn TensorFile>).collect())
}
