//! The frozen CLIP: configuration, weights, tokens, two differentiable towers and their caches.
//!
//! No file in here knows a method's name: masks, prompts and layouts arrive as values.

mod block;
pub mod changes;
mod chunked;
mod clip;
pub mod config;
mod device;
pub mod files;
mod frozen_images;
pub mod halving;
mod identity;
mod image_tower;
pub mod nn;
mod parts;
pub mod pieces;
pub mod precision;
mod resnet;
mod text;
mod text_layout;
mod tower;
mod vision;

pub use changes::{BlockChanges, LowRank, Norm, Projection, TextChanges, TextRows, VisionChanges};
pub use chunked::DEFAULT_MAX_ROWS;
pub use clip::{Clip, DEFAULT_GRID};
pub use config::{Activation, ClipConfig, ResNetConfig, TowerConfig};
pub use device::open_card;
pub use files::bpe_train::train_bpe;
pub use files::bpe_vocabulary::BpeVocabulary;
pub use files::export::export_folder;
pub use files::folder::{ClipFolder, LoadedClip, ModelKind};
pub use files::load_error::LoadError;
pub use files::prompt_checkpoint::PromptCheckpoint;
pub use files::resolve_error::ResolveError;
pub use files::source::ClipSource;
pub use files::tensor_names::expected_tensors;
pub use files::tokenizer::ClipTokenizer;
pub use files::tokenizer_error::TokenizerError;
pub use files::weights::{Weights, WeightsError};
pub use frozen_images::{EnteringTokens, FrozenImages};
pub use identity::ModelIdentity;
pub use image_tower::{ImageTower, NO_TOKENS};
pub use parts::PART_ROWS;
pub use precision::{Precision, PrecisionError};
pub use text::{FrozenTexts, TextTower};
pub use text_layout::{LayoutError, TextLayout};
pub use tower::{TokenCache, Tower};
pub use vision::VisionTower;
