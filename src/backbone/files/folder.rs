//! A HuggingFace CLIP folder: configuration, weights and tokenizer under one name.
//!
//! Owns what `--clip DIR` accepts. Weights are f32 in memory whatever the file holds; the tokenizer is optional
//! here, because a model can be checked without one, and asking for a missing one is an error of its own. Files
//! may be symbolic links (HuggingFace's snapshot folders).

use std::path::{Path, PathBuf};

use super::bpe_vocabulary::BpeVocabulary;
use super::hf_config::read_config;
use super::load_error::LoadError;
use super::openai_vocabulary::{OPENAI_VOCAB_SIZE, openai_vocabulary};
use super::tokenizer::ClipTokenizer;
use super::tokenizer_error::TokenizerError;
use super::torch_file::TorchArchive;
use super::weights::Weights;
use super::weights_files::{WeightsFiles, torch_archive_in};
use super::weights_hash::sha256_of_files;
use crate::backbone::config::ClipConfig;

/// A model folder whose configuration has been read and checked.
#[derive(Clone, Debug)]
pub struct ClipFolder {
    path: PathBuf,
    name: String,
    config: ClipConfig,
}

/// A whole model in memory.
#[derive(Clone, Debug)]
pub struct LoadedClip {
    /// Shape of the model.
    pub config: ClipConfig,
    /// Every tensor of the configuration, f32, on the CPU.
    pub weights: Weights,
    /// Text to tokens; see [`LoadedClip::tokenizer`].
    pub tokenizer: Option<ClipTokenizer>,
    /// Hex SHA-256 over the bytes of `weights_files`, one after the other.
    pub weights_sha256: String,
    /// Names of the weight files, in the order they are hashed.
    pub weights_files: Vec<String>,
    /// Name of the folder.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
}

impl LoadedClip {
    /// The tokenizer.
    ///
    /// # Errors
    /// [`TokenizerError::NoVocabulary`] where the folder has none.
    pub fn tokenizer(&self) -> Result<&ClipTokenizer, TokenizerError> {
        self.tokenizer.as_ref().ok_or_else(|| TokenizerError::NoVocabulary {
            folder: self.folder.clone(),
            vocab_size: self.config.vocab_size,
        })
    }
}

impl ClipFolder {
    /// Reads the folder's config.json.
    ///
    /// # Errors
    /// Without a config.json [`LoadError::TorchScript`] where an OpenAI archive was given or lies in the folder,
    /// else [`LoadError::NotAFolder`]; with one, what is wrong with it.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let config = path.join("config.json");
        if !config.exists() {
            return Err(not_a_model(path)?);
        }
        Ok(Self { path: path.to_owned(), name: folder_name(path)?, config: read_config(&config)? })
    }

    /// The configuration.
    pub fn config(&self) -> &ClipConfig {
        &self.config
    }

    /// Name of the folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tokenizer: from the folder's files, or OpenAI's where there are none and the vocabulary has its size.
    ///
    /// # Errors
    /// [`TokenizerError`] where the files are damaged, or hold more tokens than the model has embeddings.
    pub fn tokenizer(&self) -> Result<Option<ClipTokenizer>, TokenizerError> {
        let vocabulary = match BpeVocabulary::from_folder(&self.path)? {
            Some(vocabulary) => vocabulary,
            None if self.config.vocab_size == OPENAI_VOCAB_SIZE => openai_vocabulary()?,
            None => return Ok(None),
        };
        if vocabulary.eos() as usize >= self.config.vocab_size {
            return Err(TokenizerError::Vocabulary {
                path: self.path.clone(),
                problem: format!(
                    "its highest id is {}, but config.json has text_config.vocab_size = {}",
                    vocabulary.eos(),
                    self.config.vocab_size
                ),
            });
        }
        ClipTokenizer::new(vocabulary, self.config.context_length, &self.path).map(Some)
    }

    /// Reads everything into memory.
    ///
    /// # Errors
    /// [`LoadError`] naming the file, the tensor and its value.
    pub fn load(&self) -> Result<LoadedClip, LoadError> {
        let tokenizer = self.tokenizer()?;
        let mut files = WeightsFiles::open(&self.path)?;
        let weights = files.load(&self.config)?;
        let paths = files.paths();
        Ok(LoadedClip {
            config: self.config.clone(),
            weights,
            tokenizer,
            weights_sha256: sha256_of_files(&paths)?,
            weights_files: paths
                .iter()
                .filter_map(|path| Some(path.file_name()?.display().to_string()))
                .collect(),
            name: self.name.clone(),
            folder: self.path.clone(),
        })
    }
}

/// The error for a path without config.json.
fn not_a_model(path: &Path) -> Result<LoadError, LoadError> {
    if let Some(inner) = nested(path) {
        return Ok(LoadError::Nested { path: path.to_owned(), inner });
    }
    if path.is_dir()
        && let Some(archive) = torch_archive_in(path)?
    {
        return Ok(LoadError::TorchScript { path: archive });
    }
    Ok(match path.is_file().then(|| TorchArchive::open(path)) {
        Some(Err(error @ LoadError::TorchScript { .. })) => error,
        _ => LoadError::NotAFolder { path: path.to_owned() },
    })
}

/// The one subfolder with a config.json, as unpacking into a folder of the same name leaves it.
fn nested(path: &Path) -> Option<PathBuf> {
    let below = std::fs::read_dir(path).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut models = below.filter(|inner| inner.join("config.json").is_file());
    models.next().filter(|_| models.next().is_none())
}

/// The last part of the path as it was given; of the real path where that is `.` or `..`.
fn folder_name(path: &Path) -> Result<String, LoadError> {
    if let Some(name) = path.file_name() {
        return Ok(name.display().to_string());
    }
    let real = path.canonicalize().map_err(LoadError::io("open", path))?;
    Ok(real.file_name().map_or_else(|| "model".to_owned(), |name| name.display().to_string()))
}
