//! The frozen CLIP: configuration, weights, tokens, two differentiable towers and their caches.
//!
//! No file in here knows a method's name: masks, prompts and layouts arrive as values.

pub mod config;
pub mod weights;

pub use config::{Activation, ClipConfig, TowerConfig};
pub use weights::{Weights, WeightsError};
