//! Files of trained RPO prompts: the authors' torch checkpoints and our safetensors.
//!
//! Owns the names of the two tensors. Values are carried as stored: the published files are half precision and
//! stay so, bit for bit. Optimiser state and whatever else a checkpoint holds are left behind, and nothing in it
//! is executed.

use std::collections::BTreeMap;
use std::path::Path;

use super::load_error::LoadError;
use super::safetensors_file::SafetensorsFile;
use super::safetensors_write::write_safetensors;
use super::stored::StoredTensor;
use super::tensor_file::{TensorFile, is_zip};
use super::torch_file::TorchArchive;

/// Names of the text prompts' tensor; the first is written.
const TEXT_NAMES: [&str; 1] = ["text_prompt"];
/// Names of the image prompts' tensor; the first is written.
const IMAGE_NAMES: [&str; 2] = ["img_prompt", "visual_prompt"];

/// The prompts of one training run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptCheckpoint {
    /// `[K, d_t]`.
    pub text_prompt: StoredTensor,
    /// `[K, d_v]`.
    pub img_prompt: StoredTensor,
    /// What the file says about itself; empty for checkpoints of other programs.
    pub metadata: BTreeMap<String, String>,
}

impl PromptCheckpoint {
    /// Reads a torch checkpoint or our safetensors, told apart by their first bytes.
    ///
    /// # Errors
    /// [`LoadError`] naming the file: damaged, without one of the tensors, or with shapes that are not `[K, width]`
    /// with one K of at least 1.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        if is_zip(path)? {
            let mut file = TorchArchive::open(path)?;
            let metadata = file.metadata().clone();
            return Self::from_file(&mut file, metadata);
        }
        let mut file = SafetensorsFile::open(path)?;
        let metadata = file.metadata();
        Self::from_file(&mut file, metadata)
    }

    /// Writes our safetensors: `text_prompt`, `img_prompt` and the metadata. The same content gives the same bytes.
    ///
    /// # Errors
    /// [`LoadError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), LoadError> {
        let tensors = BTreeMap::from([
            (TEXT_NAMES[0].to_owned(), self.text_prompt.clone()),
            (IMAGE_NAMES[0].to_owned(), self.img_prompt.clone()),
        ]);
        write_safetensors(path, &self.metadata, &tensors)
    }

    /// Number of prompts, K.
    pub fn prompts(&self) -> usize {
        self.text_prompt.shape.first().copied().unwrap_or_default()
    }

    fn from_file(file: &mut dyn TensorFile, metadata: BTreeMap<String, String>) -> Result<Self, LoadError> {
        let (text_name, k) = find(file, &TEXT_NAMES)?;
        let (img_name, img_k) = find(file, &IMAGE_NAMES)?;
        if img_k != k {
            let problem = format!("{img_k} prompts, but {text_name:?} has {k}");
            return Err(LoadError::tensor(file.path(), img_name, problem));
        }
        Ok(Self { text_prompt: file.read(text_name)?, img_prompt: file.read(img_name)?, metadata })
    }
}

/// The first of the names that is there, and its K.
fn find(file: &dyn TensorFile, names: &[&'static str]) -> Result<(&'static str, usize), LoadError> {
    let Some((name, shape)) = names.iter().find_map(|name| Some((*name, file.shape(name)?))) else {
        return Err(LoadError::TensorMissing {
            path: file.path().to_owned(),
            tensor: names[0].to_owned(),
            hint: format!("accepted names are {names:?}, the file has {:?}", first_names(file)),
        });
    };
    match shape {
        [k, width] if *k > 0 && *width > 0 => Ok((name, *k)),
        _ => Err(LoadError::tensor(file.path(), name, format!("shape {shape:?}, expected [K, width]"))),
    }
}

/// Enough names to recognise what kind of file it is.
fn first_names(file: &dyn TensorFile) -> Vec<String> {
    const SHOWN: usize = 5;
    file.names().into_iter().take(SHOWN).collect()
}
