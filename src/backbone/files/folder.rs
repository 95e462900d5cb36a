//! A HuggingFace CLIP folder: configuration, weights and tokenizer under one name.
//!
//! Owns one of the forms `--clip` accepts. Weights are f32 in memory whatever the file holds; the tokenizer is optional
//! here, because a model can be checked without one, and asking for a missing one is an error of its own. Files
//! may be symbolic links (HuggingFace's snapshot folders).

use std::path::{Path, PathBuf};

use super::bpe_vocabulary::BpeVocabulary;
use super::hf_config::read_config;
use super::load_error::LoadError;
use super::openai_vocabulary::{OPENAI_VOCAB_SIZE, openai_vocabulary};
use super::tokenizer::ClipTokenizer;
use super::tokenizer_error::TokenizerError;
use super::weights::Weights;
use super::weights_files::WeightsFiles;
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
    /// What it is called: a hub id, a file's or a folder's name.
    pub name: String,
    /// The folder of its files.
    pub folder: PathBuf,
    /// The form it was read from.
    pub kind: ModelKind,
    /// The commit, of a model in HuggingFace's cache.
    pub revision: Option<String>,
    /// What the files do not say and was assumed, in words.
    pub assumed: Option<String>,
}

impl LoadedClip {
    /// The name as a part of a path: of a hub id what follows the owner.
    pub fn short_name(&self) -> &str {
        self.name.rsplit_once('/').map_or(self.name.as_str(), |(_, name)| name)
    }

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
    /// Without a config.json [`LoadError::Nested`] or [`LoadError::NotAFolder`]; with one, what is wrong with it.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let config = path.join("config.json");
        if !config.exists() {
            return Err(match nested(path) {
                Some(inner) => LoadError::Nested { path: path.to_owned(), inner },
                None => LoadError::NotAFolder { path: path.to_owned() },
            });
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
        tokenizer_for(vocabulary, &self.config, &self.path).map(Some)
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
            kind: ModelKind::HuggingFace,
            revision: None,
            assumed: None,
        })
    }
}

/// A tokenizer of a vocabulary that fits the model.
pub(super) fn tokenizer_for(
    vocabulary: BpeVocabulary,
    config: &ClipConfig,
    folder: &Path,
) -> Result<ClipTokenizer, TokenizerError> {
    if vocabulary.eos() as usize >= config.vocab_size {
        return Err(TokenizerError::Vocabulary {
            path: folder.to_owned(),
            problem: format!(
                "its highest id is {}, but config.json has text_config.vocab_size = {}",
                vocabulary.eos(),
                config.vocab_size
            ),
        });
    }
    ClipTokenizer::new(vocabulary, config.context_length, folder)
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

/// The form a model was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelKind {
    /// config.json and weights under HuggingFace's names.
    HuggingFace,
    /// One file under OpenAI's names, without a configuration.
    OpenAi,
    /// open_clip_config.json and weights under OpenAI's names.
    OpenClip,
    /// The model in this program.
    Pocket,
}

impl ModelKind {
    /// The word for files.
    pub fn id(self) -> &'static str {
        match self {
            Self::HuggingFace => "huggingface",
            Self::OpenAi => "openai",
            Self::OpenClip => "open_clip",
            Self::Pocket => "pocket",
        }
    }
}
