//! The shape of a CLIP model, as HuggingFace's `config.json` states it.

use serde::{Deserialize, Serialize};

/// Non-linearity of the MLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x·σ(1.702x), OpenAI's weights.
    QuickGelu,
    /// The exact GELU, x·Φ(x), OpenCLIP's weights.
    Gelu,
}

/// The transformer of one tower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TowerConfig {
    /// Width of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Attention heads; divides `width`.
    pub heads: usize,
    /// Width of the MLP's hidden layer.
    pub mlp_width: usize,
    /// Non-linearity of the MLP.
    pub activation: Activation,
    /// ε of every LayerNorm.
    pub layer_norm_eps: f64,
}

impl TowerConfig {
    /// Width of one attention head.
    pub fn head_dim(&self) -> usize {
        self.width / self.heads
    }
}

/// A whole CLIP model. Every width is free: nothing is special-cased for a released model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipConfig {
    /// Vision transformer.
    pub vision: TowerConfig,
    /// Text transformer.
    pub text: TowerConfig,
    /// Image side in pixels.
    pub image_size: usize,
    /// Patch side in pixels; divides `image_size`.
    pub patch_size: usize,
    /// Number of token embeddings.
    pub vocab_size: usize,
    /// Number of text positions (77 in released models).
    pub context_length: usize,
    /// Width of the joint space.
    pub projection_dim: usize,
}

impl ClipConfig {
    /// Number of image patches.
    pub fn patches(&self) -> usize {
        (self.image_size / self.patch_size).pow(2)
    }

    /// Length of the frozen vision sequence: CLS and the patches.
    pub fn image_tokens(&self) -> usize {
        self.patches() + 1
    }
}
