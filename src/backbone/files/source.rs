//! A model in whichever form it lies on disk: what `--clip` accepts.
//!
//! Owns the choice of format, by what is there and never by a file's name alone: a HuggingFace folder, an open_clip
//! export, a single file under OpenAI's names. Where both configurations are there, HuggingFace's is taken.

use std::path::{Path, PathBuf};

use super::bpe_vocabulary::BpeVocabulary;
use super::folder::{ClipFolder, LoadedClip, ModelKind, tokenizer_for};
use super::load_error::LoadError;
use super::open_clip_config::read_open_clip_config;
use super::openai_file::OpenAiFile;
use super::openai_vocabulary::{OPENAI_VOCAB_SIZE, openai_vocabulary};
use super::resolve::{Found, resolve};
use super::resolve_error::ResolveError;
use super::tokenizer::ClipTokenizer;
use super::tokenizer_error::TokenizerError;
use super::weights_hash::sha256_of_files;
use crate::backbone::config::ClipConfig;

/// open_clip's order of preference.
const OPEN_CLIP_WEIGHTS: [&str; 2] = ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"];

enum Files {
    HuggingFace(ClipFolder),
    OpenAi,
    OpenClip { config: Box<ClipConfig>, weights: PathBuf },
}

/// A model that was found and whose form is known.
pub struct ClipSource {
    found: Found,
    files: Files,
}

impl ClipSource {
    /// Finds a model by path or name and reads its configuration, where it has one.
    ///
    /// # Errors
    /// [`LoadError`]: nothing there, several models, a configuration of something else.
    pub fn open(given: &Path) -> Result<Self, LoadError> {
        let mut found = resolve(given)?;
        if found.path.is_file() {
            if found.path.extension().is_some_and(|ending| ending == "json" || ending == "txt") {
                return Err(ResolveError::PartOfAFolder { path: found.path }.into());
            }
            return Ok(Self { found, files: Files::OpenAi });
        }
        let folder = found.path.clone();
        let open_clip = folder.join("open_clip_config.json");
        let has_hf = folder.join("config.json").exists();
        if open_clip.exists() && !(has_hf && ClipFolder::open(&folder).is_ok()) {
            let files = Files::OpenClip {
                config: Box::new(read_open_clip_config(&open_clip)?),
                weights: open_clip_weights(&folder)?,
            };
            return Ok(Self { found, files });
        }
        if !has_hf && let Some(file) = only_torch_file(&folder)? {
            if found.revision.is_none() {
                found.name = file.file_stem().map_or(found.name, |name| name.display().to_string());
            }
            found.path = file;
            return Ok(Self { found, files: Files::OpenAi });
        }
        Ok(Self { files: Files::HuggingFace(ClipFolder::open(&folder)?), found })
    }

    /// Reads everything into memory.
    ///
    /// # Errors
    /// [`LoadError`] naming the file, the tensor and its value.
    pub fn load(&self) -> Result<LoadedClip, LoadError> {
        let loaded = match &self.files {
            Files::HuggingFace(folder) => folder.load()?,
            Files::OpenAi => self.load_openai(ModelKind::OpenAi, &self.found.path, None)?,
            Files::OpenClip { config, weights } => {
                self.load_openai(ModelKind::OpenClip, weights, Some(config))?
            }
        };
        Ok(LoadedClip { name: self.found.name.clone(), revision: self.found.revision.clone(), ..loaded })
    }

    fn load_openai(
        &self,
        kind: ModelKind,
        path: &Path,
        config: Option<&ClipConfig>,
    ) -> Result<LoadedClip, LoadError> {
        let mut file = OpenAiFile::open(path)?;
        let config = match config {
            Some(config) => config.clone(),
            None => file.config()?,
        };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let tokenizer = self.tokenizer(kind, &config, &folder)?;
        let assumed = (kind == ModelKind::OpenAi)
            .then(|| "activation assumed: quick_gelu (OpenAI's format); the file does not say".to_owned());
        Ok(LoadedClip {
            weights: file.load(&config)?,
            config,
            tokenizer,
            weights_sha256: sha256_of_files(&[path.to_owned()])?,
            weights_files: path.file_name().map(|name| name.display().to_string()).into_iter().collect(),
            name: self.found.name.clone(),
            folder,
            kind,
            revision: None,
            assumed,
        })
    }

    /// An export's own tokenizer files, else OpenAI's vocabulary where it has the size. A bare file has no folder of
    /// its own: what lies beside it in a download folder is another model's.
    fn tokenizer(
        &self,
        kind: ModelKind,
        config: &ClipConfig,
        folder: &Path,
    ) -> Result<Option<ClipTokenizer>, TokenizerError> {
        let own = match kind {
            ModelKind::OpenClip => BpeVocabulary::from_folder(folder)?,
            _ => None,
        };
        match own {
            Some(vocabulary) => tokenizer_for(vocabulary, config, folder).map(Some),
            None if config.vocab_size == OPENAI_VOCAB_SIZE => {
                tokenizer_for(openai_vocabulary()?, config, folder).map(Some)
            }
            None => Ok(None),
        }
    }
}

fn open_clip_weights(folder: &Path) -> Result<PathBuf, LoadError> {
    let paths = OPEN_CLIP_WEIGHTS.map(|name| folder.join(name));
    paths.into_iter().find(|path| path.exists()).ok_or_else(|| LoadError::NoWeights {
        folder: folder.to_owned(),
        looked: OPEN_CLIP_WEIGHTS.join(", "),
    })
}

/// The one `.pt` file of a folder without configuration.
fn only_torch_file(folder: &Path) -> Result<Option<PathBuf>, LoadError> {
    let entries = std::fs::read_dir(folder).map_err(LoadError::io("read", folder))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "pt")).collect();
    files.sort();
    match files.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => {
            let names = several.iter().filter_map(|path| Some(path.file_name()?.display().to_string()));
            Err(ResolveError::Several { folder: folder.to_owned(), files: names.collect() }.into())
        }
    }
}
