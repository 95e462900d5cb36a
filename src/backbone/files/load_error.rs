//! Why a model folder, a weights file or a prompt file could not be read or written.
//!
//! Owns the messages only; the rules live beside the readers. Every variant names the file, and no file content
//! is ever executed to find out more about it.

use std::path::{Path, PathBuf};

use super::resolve_error::ResolveError;
use super::tokenizer_error::TokenizerError;
use super::torch_file::PickleError;
use crate::util::mistaken::{self, Mistake, TextError, json_reason};

/// Python that turns whatever the package transformers can open into a folder this program can open.
macro_rules! conversion_hint {
    () => {
        "convert it once in Python: `from transformers import CLIPModel, CLIPProcessor; n = \
         \"openai/clip-vit-base-patch16\"; CLIPModel.from_pretrained(n).save_pretrained(\"DIR\"); \
         CLIPProcessor.from_pretrained(n).save_pretrained(\"DIR\")`, then pass --clip DIR"
    };
}

/// Why a model or prompt file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The operating system refused.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried: "open", "read", "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A text file is far larger than its kind ever is.
    #[error("read {}: {bytes} bytes, but at most {limit} are read of such a file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The most that is read.
        limit: u64,
    },
    /// Not JSON, or not the JSON it should be.
    #[error("parse {}: {}", path.display(), json_reason(source))]
    Json {
        /// The file.
        path: PathBuf,
        /// Position and reason.
        source: serde_json::Error,
    },
    /// `config.json` describes something else.
    #[error("use {} as a CLIP configuration: {found}; expected \"model_type\": \"clip\" with text_config and vision_config", path.display())]
    NotClip {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// A configuration value is missing, of the wrong kind or out of bounds.
    #[error("use {field} = {value} of {}: {problem}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// Field with its section, for example `vision_config.patch_size`.
        field: String,
        /// The value as it stands in the file.
        value: String,
        /// What would be accepted.
        problem: String,
    },
    /// The folder holds no weights in a format this program reads.
    #[error(
        "find weights in {}: none of {looked} is there",
        folder.display()
    )]
    NoWeights {
        /// The folder.
        folder: PathBuf,
        /// The names looked for.
        looked: String,
    },
    /// The path is not a folder.
    #[error("open {} as a model: it is not a folder with a config.json; {}", path.display(), conversion_hint!())]
    NotAFolder {
        /// What was given.
        path: PathBuf,
    },
    /// The model lies one folder further down.
    #[error("open {} as a model: it has no config.json, the model lies in a folder below; pass --clip {}", path.display(), inner.display())]
    Nested {
        /// What was given.
        path: PathBuf,
        /// Where the model is.
        inner: PathBuf,
    },
    /// Neither a zip archive nor the format torch.save wrote before version 1.6.
    #[error("read {}: not a torch file (neither a zip archive with a data.pkl nor the format before torch 1.6); either damaged, or of torch 0.1: save it again with a newer torch, or {}", path.display(), conversion_hint!())]
    NotATorchZip {
        /// The file.
        path: PathBuf,
    },
    /// Weights under names of another kind of model.
    #[error("use {} as a CLIP under OpenAI's names: no tensor \"visual.conv1.weight\" is there; {found}", path.display())]
    NotOpenAi {
        /// The file.
        path: PathBuf,
        /// What is there instead, and what to do.
        found: String,
    },
    /// A shape from which the number of heads does not follow.
    #[error("use {} without a configuration: a width of {width} is not a multiple of 64, so the file does not say how many heads; put its open_clip_config.json beside it and give the folder", path.display())]
    Heads {
        /// The file.
        path: PathBuf,
        /// The width.
        width: usize,
    },
    /// Half a model.
    #[error("use {}: only the {half} half of a CLIP ({model_type}); the whole model is needed", path.display())]
    Half {
        /// The file.
        path: PathBuf,
        /// `vision` or `text`.
        half: &'static str,
        /// What the configuration says.
        model_type: String,
    },
    /// What was given leads to no model.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// A download page, a git-lfs pointer, an empty file or the like instead of the file.
    #[error("read {}: {mistake}", path.display())]
    Mistaken {
        /// The file.
        path: PathBuf,
        /// What lies there, and the cure.
        mistake: Mistake,
    },
    /// A text file that is no UTF-8.
    #[error("read {}: {reason}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// Where it is not.
        reason: String,
    },
    /// A safetensors header length that cannot be true.
    #[error("read {}: its header claims {claimed} bytes, but the file has {file_bytes} and a header at most {limit}; copy or download it again", path.display())]
    HeaderLength {
        /// The file.
        path: PathBuf,
        /// Length in the first eight bytes.
        claimed: u64,
        /// Size of the file.
        file_bytes: u64,
        /// The longest header that is accepted.
        limit: u64,
    },
    /// Fewer or more bytes than the header promises.
    #[error("read {}: {found} bytes, but its header implies {expected}; copy or download it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Size of the file.
        found: u64,
        /// Size the header implies.
        expected: u64,
    },
    /// The zip directory of a torch file is damaged.
    #[error("read the zip archive {}: {source}; copy or download it again", path.display())]
    Zip {
        /// The file.
        path: PathBuf,
        /// The reader's reason.
        source: zip::result::ZipError,
    },
    /// The pickle inside a torch file is damaged or holds something unexpected.
    #[error("read the pickle in {}: {source}", path.display())]
    Pickle {
        /// The file.
        path: PathBuf,
        /// Position and reason.
        source: PickleError,
    },
    /// The shard list and the shards disagree.
    #[error("use {}: {problem}", path.display())]
    Index {
        /// The index file.
        path: PathBuf,
        /// Tensor and shard concerned.
        problem: String,
    },
    /// A tensor the configuration implies is not in the file.
    #[error("find tensor {tensor:?} in {}: not there; {hint}", path.display())]
    TensorMissing {
        /// File or folder searched.
        path: PathBuf,
        /// Its name.
        tensor: String,
        /// What is there instead, and what to do.
        hint: String,
    },
    /// A tensor has another shape than the configuration implies.
    #[error("use tensor {tensor:?} of {}: shape {found:?}, but its configuration implies {expected:?}", path.display())]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// Its name.
        tensor: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape implied.
        expected: Vec<usize>,
    },
    /// A tensor is there but cannot be read.
    #[error("read tensor {tensor:?} of {}: {problem}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// Its name.
        tensor: String,
        /// What is wrong, with the value.
        problem: String,
    },
    /// The vocabulary files could not be used.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// candle refused an operation.
    #[error("build the tensors of {}: {source}", path.display())]
    Candle {
        /// The file.
        path: PathBuf,
        /// candle's reason.
        source: candle_core::Error,
    },
}

impl LoadError {
    /// For `map_err`: an input or output error with what was tried on which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// A [`LoadError::Tensor`].
    pub(crate) fn tensor(path: &Path, tensor: &str, problem: impl Into<String>) -> Self {
        Self::Tensor { path: path.to_owned(), tensor: tensor.to_owned(), problem: problem.into() }
    }
}

/// The text of a small file: at most `limit` bytes, UTF-8.
pub(in crate::backbone) fn read_text(path: &Path, limit: u64) -> Result<String, LoadError> {
    let path_buf = || path.to_owned();
    mistaken::read_text(path, limit).map_err(|error| match error {
        TextError::Io(source) => LoadError::io("read", path)(source),
        TextError::Mistaken(mistake) => LoadError::Mistaken { path: path_buf(), mistake },
        TextError::TooLarge { bytes, limit } => LoadError::TooLarge { path: path_buf(), bytes, limit },
        TextError::NotUtf8 { .. } => LoadError::Text { path: path_buf(), reason: error.to_string() },
    })
}

/// Refuses what is no file of the wanted kind before its format is looked at.
pub(in crate::backbone) fn refuse_mistaken(path: &Path) -> Result<(), LoadError> {
    match Mistake::of_file(path) {
        Some(mistake) => Err(LoadError::Mistaken { path: path.to_owned(), mistake }),
        None => Ok(()),
    }
}
