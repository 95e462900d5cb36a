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
use super::stored::StoredTensor;
use super::tensor_file::TensorFile;
use super::tensor_names::expected_tensors;
use super::torch_file::open_torch;
use super::weights::Weights;
use crate::backbone::config::ClipConfig;

/// The names weights have, in the order of preference.
const WEIGHTS: [&str; 3] = ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"];
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
            return Err(no_weights(folder));
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
        refuse_too_few_bytes(&self.folder, &self.paths(), &expected)?;
        let mut tensors = BTreeMap::new();
        for (name, shape) in expected {
            let full_name = format!("{prefix}{name}");
            let file = &mut self.files[self.owner[&full_name]];
            let stored = file.read(&full_name)?;
            let values = stored.to_f32();
            refuse_non_finite(file.path(), &full_name, &stored, &values)?;
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

/// Refuses tensors that share their storage so often that they would ask for far more memory than the files
/// hold; a tied weight or two is nothing against the factor.
///
/// # Errors
/// [`LoadError::Index`] for the model at `place`, with what is wanted and what is there.
pub fn refuse_too_few_bytes(
    place: &Path,
    files: &[PathBuf],
    expected: &[(String, Vec<usize>)],
) -> Result<(), LoadError> {
    const SMALLEST_VALUE_BYTES: u64 = 2;
    const MOST_TIMES: u64 = 2;
    let values = |shape: &Vec<usize>| shape.iter().map(|size| *size as u64).product::<u64>();
    let wanted = expected.iter().map(|(_, shape)| values(shape)).fold(0, u64::saturating_add);
    let mut held = 0u64;
    for file in files {
        let metadata = std::fs::metadata(file).map_err(LoadError::io("open", file))?;
        held = held.saturating_add(metadata.len());
    }
    if wanted.saturating_mul(SMALLEST_VALUE_BYTES) <= held.saturating_mul(MOST_TIMES) {
        return Ok(());
    }
    let problem =
        format!("its configuration implies {wanted} values, for which {held} bytes of weights are too few");
    Err(LoadError::Index { path: place.to_owned(), problem })
}

/// Refuses a tensor with a NaN or an infinity in it: nothing that is computed with it means anything.
///
/// # Errors
/// [`LoadError::Tensor`] with how many values of how many, and the first of them.
pub fn refuse_non_finite(
    path: &Path,
    name: &str,
    stored: &StoredTensor,
    values: &[f32],
) -> Result<(), LoadError> {
    let count = values.iter().filter(|value| !value.is_finite()).count();
    let Some(first) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let problem = format!(
        "{count} of its {} values are not finite numbers, the first is {} at position {first} of shape {:?}; \
         the file is damaged or its training diverged: use another copy",
        values.len(),
        values[first],
        stored.shape
    );
    Err(LoadError::tensor(path, name, problem))
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
    for name in &names {
        if Path::new(name).file_name().is_none_or(|file_name| file_name != name.as_str()) {
            return Err(refuse(format!("shard {name:?} is not a plain file name")));
        }
    }
    let missing: Vec<&str> =
        names.iter().filter(|name| !folder.join(name).exists()).map(|name| name.as_str()).collect();
    if !missing.is_empty() {
        let (gone, all) = (missing.len(), names.len());
        let problem =
            format!("{gone} of its {all} shards are missing: {}; download them too", missing.join(", "));
        return Err(refuse(problem));
    }
    for name in names {
        shards.insert(name, SafetensorsFile::open(&folder.join(name))?);
    }
    for (tensor, shard) in &weight_map {
        if shards.get(shard).is_none_or(|file| file.shape(tensor).is_none()) {
            return Err(refuse(format!("tensor {tensor:?} is not in shard {shard:?}")));
        }
    }
    Ok(shards.into_values().map(|file| Box::new(file) as Box<dyn TensorFile>).collect())
}

/// The error for a folder without weights, or with links to weights that are gone.
fn no_weights(folder: &Path) -> LoadError {
    for name in WEIGHTS {
        let path = folder.join(name);
        if let Ok(target) = std::fs::read_link(&path) {
            let problem =
                format!("it is a link to {}, which is gone; download the model again", target.display());
            return LoadError::Index { path, problem };
        }
    }
    LoadError::NoWeights { folder: folder.to_owned(), looked: WEIGHTS.join(", ") }
}
