//! Prompt files from anywhere: ours, which say what they are, and the authors' checkpoints, which do not.
//!
//! Owns the reading of any method's parameters from a file. A file without metadata is told by its tensors' names
//! ([`super::published_layout`]); nothing in a file is ever executed. Sizes in a file are believed only as far as
//! it holds the values.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};

use super::published_layout;
use super::trained::Trained;
use crate::backbone::files::safetensors_file::SafetensorsFile;
use crate::backbone::files::safetensors_write::safetensors_bytes;
use crate::backbone::files::stored::StoredTensor;
use crate::backbone::files::tensor_file::{TensorFile, is_zip};
use crate::backbone::files::torch_file::{TorchArchive, checkpoint_bytes};
use crate::backbone::files::weights_files::refuse_non_finite;
use crate::backbone::files::weights_hash::sha256_of_files;
use crate::backbone::{Clip, LoadError};
use crate::method::{self, ClassTexts, Named};
use crate::record::{Store, Training, ValidationUse};
use crate::suite::error::SuiteError;
use crate::suite::spec::overrides::{Resolved, Settings};

/// The metadata our files carry, and what each entry holds.
pub mod about {
    /// Method id.
    pub const METHOD: &str = "method";
    /// Dataset trained on.
    pub const DATASET: &str = "dataset";
    /// `base`, `new` or `all`.
    pub const TRAIN_CLASSES: &str = "train_classes";
    /// Names of the classes trained on, as a JSON list.
    pub const CLASS_NAMES: &str = "class_names";
    /// Seed of draw, initialisation and views.
    pub const SEED: &str = "seed";
    /// Training images per class.
    pub const SHOTS: &str = "shots";
    /// SHA-256 of the frozen weights.
    pub const WEIGHTS: &str = "weights_sha256";
    /// Resolved settings, as a JSON object of dotted keys.
    pub const CONFIG: &str = "config";
}

/// Parameters read from a file, values as stored.
#[derive(Clone, Debug)]
pub struct SavedPrompts {
    /// Method id.
    pub method: String,
    /// What the file says about itself; empty for a published checkpoint.
    pub metadata: BTreeMap<String, String>,
    /// SHA-256 of the file.
    pub sha256: String,
    tensors: BTreeMap<String, StoredTensor>,
}

impl SavedPrompts {
    /// Reads a torch checkpoint or safetensors. `wanted` is whose they are, where somebody says so: several methods share
    /// the names of their tensors.
    ///
    /// # Errors
    /// [`SuiteError::Load`] for a damaged file, [`SuiteError::Prompts`] when it does not say whose they are, or something
    /// else than is said.
    pub fn read(path: &Path, wanted: Option<&str>) -> Result<Self, SuiteError> {
        let (mut tensors, metadata, marked) = if is_zip(path)? {
            let mut file = TorchArchive::open(path)?;
            let metadata = file.metadata().clone();
            (all_tensors(&mut file, metadata.is_empty())?, metadata, published_layout::marked(&file.names()))
        } else {
            let mut file = SafetensorsFile::open(path)?;
            (all_tensors(&mut file, false)?, file.metadata(), published_layout::marked(&file.names()))
        };
        let sha256 = sha256_of_files(&[path.to_owned()])?;
        let fail = |reason| SuiteError::Prompts { what: name(path), reason };
        let method = match (metadata.get(about::METHOD), wanted) {
            (Some(said), Some(wanted)) if said != wanted => {
                return Err(fail(format!("it is of {said}, wanted are those of {wanted}")));
            }
            (Some(said), _) => said.clone(),
            (None, wanted) => {
                published_layout::method(&mut tensors, marked, wanted).map_err(fail)?.to_owned()
            }
        };
        for (name, stored) in &tensors {
            refuse_non_finite(path, name, stored, &stored.to_f32())?;
        }
        Ok(Self { method, metadata, sha256, tensors })
    }

    /// The settings the file was trained with on top of `settings`, as far as it states them. Numbers of
    /// prompts are those of the prompts themselves.
    ///
    /// # Errors
    /// [`SuiteError::Prompts`] for metadata that is not readable, a setting this program does not have.
    pub fn settings(&self, settings: &Settings) -> Result<Settings, SuiteError> {
        let mut settings = settings.clone();
        for (key, value) in self.config()? {
            let (key, value) = Settings::parse_assignment(&format!("{key}={value}"))?;
            settings = settings.with(&key, &value)?;
        }
        for (key, value) in published_layout::sizes(&self.method, &self.tensors) {
            settings = settings.with(&key, &toml::Value::Integer(value))?;
        }
        Ok(settings)
    }

    /// The settings that the file states.
    fn config(&self) -> Result<BTreeMap<String, String>, SuiteError> {
        let Some(text) = self.metadata.get(about::CONFIG) else { return Ok(BTreeMap::new()) };
        serde_json::from_str(text).map_err(|error| SuiteError::Prompts {
            what: self.method.clone(),
            reason: format!("config: {error}"),
        })
    }

    /// The parameters in the model's own type.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn parameters(&self, clip: &Clip) -> Result<Named, SuiteError> {
        let tensor = |stored: &StoredTensor, device: &Device| {
            Tensor::from_vec(stored.to_f32(), stored.shape.as_slice(), device)?.to_dtype(clip.dtype())
        };
        let named =
            self.tensors.iter().map(|(name, stored)| Ok((name.clone(), tensor(stored, clip.device())?)));
        Ok(Named::new(named.collect::<Result<Vec<_>, SuiteError>>()?))
    }

    /// The parameters, once they have the names and shapes that the method starts from.
    ///
    /// # Errors
    /// [`SuiteError::Prompts`] naming the tensor and both shapes.
    pub fn fitting(&self, resolved: &Resolved, clip: &Clip, texts: &ClassTexts) -> Result<Named, SuiteError> {
        let fail =
            |reason: String| SuiteError::Prompts { what: format!("a file of {}", self.method), reason };
        method::find(&self.method)?;
        if resolved.id != self.method {
            return Err(fail(format!("wanted are those of {}", resolved.id)));
        }
        // Without these, sizes would be whatever the file's settings say, and memory for that many be asked for.
        if let Some(name) = published_layout::unsized_by(&self.method, &self.tensors) {
            return Err(fail(format!("it has no tensor {name:?}")));
        }
        for wanted in resolved.method.shapes(clip, texts)? {
            let name = &wanted.name;
            match self.tensors.get(name).map(|stored| &stored.shape) {
                None => return Err(fail(format!("it has no tensor {name:?}"))),
                Some(shape) if !wanted.fits(shape) => {
                    let wanted = &wanted.shape;
                    return Err(fail(format!(
                        "{name} has shape {shape:?}, this model and these settings need {wanted:?}"
                    )));
                }
                Some(_) => {}
            }
        }
        self.parameters(clip)
    }

    /// The bytes of a file of the authors' layout (`prompt_learner/model.pth.tar-N`), values unchanged, after `epoch`
    /// epochs; without one, after as many as the file says. What our file says of itself stands beside the state, where
    /// only this program looks.
    ///
    /// # Errors
    /// [`SuiteError::Prompts`] where the archive cannot be made.
    pub fn torch_bytes(&self, epoch: Option<u32>) -> Result<Vec<u8>, SuiteError> {
        let theirs = |name: &String| published_layout::their_name(&self.method, name);
        let named = self.tensors.iter().map(|(name, tensor)| (theirs(name), tensor.clone()));
        let said = || self.config().ok()?.get(&format!("{}.epochs", self.method))?.parse().ok();
        let epoch = epoch.or_else(said).unwrap_or(0);
        checkpoint_bytes(&named.collect(), epoch, &self.about()).map_err(|error| SuiteError::Prompts {
            what: self.method.clone(),
            reason: format!("write the archive: {error}"),
        })
    }

    /// The bytes of our safetensors, values unchanged: for a file that this program saved, those of that file.
    pub fn safetensors_bytes(&self) -> Vec<u8> {
        safetensors_bytes(&self.about(), &self.tensors)
    }

    /// What the file says about itself, and whose parameters it holds.
    fn about(&self) -> BTreeMap<String, String> {
        let mut metadata = self.metadata.clone();
        metadata.insert(about::METHOD.to_owned(), self.method.clone());
        metadata
    }

    /// A copy in the run directory, values unchanged, as the training of the cell `key`.
    pub(in crate::suite) fn keep(
        &self,
        store: &Store,
        key: &str,
        parameters: Named,
    ) -> Result<Trained, SuiteError> {
        let path = format!("trained/{key}.safetensors");
        let mut metadata = self.about();
        metadata.insert("source_sha256".to_owned(), self.sha256.clone());
        let parameters_sha256 = store.write(&path, &safetensors_bytes(&metadata, &self.tensors))?;
        let count = |tensor: &StoredTensor| tensor.shape.iter().product::<usize>() as u64;
        let training = Training {
            trainable_parameters: self.tensors.values().map(count).sum(),
            images: 0,
            skipped: 0,
            epochs: Vec::new(),
            parameters_path: path,
            parameters_sha256,
            images_sha256: None,
            validation: ValidationUse::default(),
        };
        Ok(Trained { parameters, training, seconds: 0.0 })
    }
}

/// The tensors under the names this program has for them; of a training checkpoint `published` keeps only what
/// some method trains: its token buffers belong to the class names of the training.
fn all_tensors(
    file: &mut dyn TensorFile,
    published: bool,
) -> Result<BTreeMap<String, StoredTensor>, SuiteError> {
    let mut tensors = BTreeMap::new();
    for name in file.names() {
        let ours = published_layout::our_name(&name);
        if published && ours.is_none() {
            continue;
        }
        let shape = file.shape(&name).unwrap_or_default();
        if shape.contains(&0) {
            let problem = format!("shape {shape:?} holds no value");
            return Err(LoadError::tensor(file.path(), &name, problem).into());
        }
        let tensor = file.read(&name)?;
        tensors.insert(ours.unwrap_or(name), tensor);
    }
    Ok(tensors)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
