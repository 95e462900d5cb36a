//! The frozen CLIP: configuration, weights, tokens, two differentiable towers and their caches.
//!
//! No file in here knows a method's name: masks, prompts and layouts arrive as values.

mod block;
pub mod bpe_train;
pub mod bpe_vocabulary;
mod chunked;
mod clip;
pub mod config;
pub mod export;
pub mod folder;
pub mod halving;
pub mod hf_config;
pub mod load_error;
pub mod nn;
pub mod openai_vocabulary;
pub mod precision;
pub mod prompt_checkpoint;
pub mod safetensors_file;
pub mod safetensors_write;
pub mod stored;
pub mod tensor_file;
pub mod tensor_names;
mod text;
mod text_layout;
pub mod tokenizer;
pub mod tokenizer_error;
pub mod torch_file;
mod tower;
mod vision;
pub mod weights;
pub mod weights_files;
pub mod weights_hash;

pub use bpe_train::train_bpe;
pub use bpe_vocabulary::BpeVocabulary;
pub use chunked::DEFAULT_MAX_ROWS;
pub use clip::{Clip, DEFAULT_GRID};
pub use config::{Activation, ClipConfig, TowerConfig};
pub use export::export_folder;
pub use folder::{ClipFolder, LoadedClip};
pub use load_error::LoadError;
pub use precision::{Precision, PrecisionError};
pub use prompt_checkpoint::PromptCheckpoint;
pub use tensor_names::expected_tensors;
pub use text::{FrozenTexts, TextTower};
pub use text_layout::{LayoutError, TextLayout};
pub use tokenizer::ClipTokenizer;
pub use tokenizer_error::TokenizerError;
pub use tower::{TokenCache, Tower};
pub use vision::{FrozenImages, VisionTower};
pub use weights::{Weights, WeightsError};
