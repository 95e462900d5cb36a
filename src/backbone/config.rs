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

/// The convolutions of a ModifiedResNet, OpenAI's RN50 family, in front of its attention pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResNetConfig {
    /// Channels behind the stem; the four stages end with 4, 8, 16 and 32 times as many.
    pub width: usize,
    /// Blocks of the four stages.
    pub layers: [usize; 4],
}

impl ResNetConfig {
    /// Multiply-adds of one image of `side` pixels with a joint space of `joint`: convolutions and attention pool.
    pub fn multiply_adds(&self, side: usize, joint: usize) -> u64 {
        let width = self.width as u64;
        let cells = |divisor: usize| (side / divisor).pow(2) as u64;
        // Three convolutions of 3×3: 3 → w/2 → w/2 → w.
        let mut sum = cells(2) * 9 * (3 * (width / 2) + (width / 2).pow(2) + width / 2 * width);
        let mut inputs = width;
        for (stage, count) in self.layers.into_iter().enumerate() {
            let planes = width << stage;
            for block in 0..count {
                // The first block computes two of its convolutions before the map shrinks.
                let before =
                    if block == 0 && stage > 0 { cells(4 << (stage - 1)) } else { cells(4 << stage) };
                let after = cells(4 << stage);
                sum += before * (inputs * planes + 9 * planes * planes) + after * 4 * planes * planes;
                if block == 0 {
                    sum += after * inputs * 4 * planes;
                }
                inputs = 4 * planes;
            }
        }
        let (embed, tokens) = (32 * width, cells(RESNET_STRIDE) + 1);
        sum + embed * embed * (1 + 2 * tokens) + 2 * tokens * embed + embed * joint as u64
    }
}

/// By what a ModifiedResNet divides the image side: the stem by 4, the last three stages by 2 each.
pub const RESNET_STRIDE: usize = 32;

/// A whole CLIP model. Every width is free: nothing is special-cased for a released model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipConfig {
    /// Vision transformer; for a ResNet its attention pool, one layer without MLP over the cells of the last map.
    pub vision: TowerConfig,
    /// Text transformer.
    pub text: TowerConfig,
    /// Image side in pixels.
    pub image_size: usize,
    /// Patch side in pixels; divides `image_size`. For a ResNet the side of a cell, [`RESNET_STRIDE`].
    pub patch_size: usize,
    /// Number of token embeddings.
    pub vocab_size: usize,
    /// Number of text positions (77 in released models).
    pub context_length: usize,
    /// Width of the joint space.
    pub projection_dim: usize,
    /// The convolutions, where the image tower is a ResNet; absent in a vision transformer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resnet: Option<ResNetConfig>,
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
