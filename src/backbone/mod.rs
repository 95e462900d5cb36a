//! The frozen CLIP: configuration, weights, tokens, two differentiable towers and their caches.
//!
//! No file in here knows a method's name: masks, prompts and layouts arrive as values.

mod block;
mod clip;
pub mod config;
pub mod nn;
mod text;
mod text_layout;
mod tower;
mod vision;
pub mod weights;

pub use clip::Clip;
pub use config::{Activation, ClipConfig, TowerConfig};
pub use text::{FrozenTexts, TextTower};
pub use text_layout::{LayoutError, TextLayout};
pub use tower::{TokenCache, Tower};
pub use vision::{FrozenImages, VisionTower};
pub use weights::{Weights, WeightsError};
