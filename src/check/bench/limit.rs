//! The floating-point operations a step cannot skip, given the read-only mask and causality.
//!
//! It is a lower bound to compare with, not a count of what is executed. Only matrix products with frozen
//! weights and the readers' attention are counted; a backward pass to the input costs its forward again.

use crate::backbone::{ClipConfig, TowerConfig};

/// Counts operations of one model shape, in GFLOP.
#[derive(Clone, Copy, Debug)]
pub struct Limit<'a> {
    config: &'a ClipConfig,
}

/// Weights of one block: queries and output, keys and values, MLP.
fn block_weights(tower: &TowerConfig) -> [f64; 3] {
    let (d, hidden) = (tower.width as f64, tower.mlp_width as f64);
    [2.0 * d * d, 2.0 * d * d, 2.0 * d * hidden]
}

/// Attention of one row over `keys` keys: scores and weighted sum.
fn attention(tower: &TowerConfig, keys: usize) -> f64 {
    4.0 * keys as f64 * tower.width as f64
}

impl<'a> Limit<'a> {
    /// For models of this configuration.
    pub fn new(config: &'a ClipConfig) -> Self {
        Self { config }
    }

    /// One frozen image: every token in all blocks but the last, where tokens are keys and values only and
    /// the class token alone goes on.
    pub fn image(&self) -> f64 {
        let (tower, tokens) = (&self.config.vision, self.config.image_tokens());
        let [q_out, kv, mlp] = block_weights(tower);
        let row = 2.0 * (q_out + mlp) + attention(tower, tokens);
        let patch = 2.0 * (3 * self.config.patch_size.pow(2) * tower.width) as f64;
        let full = tokens as f64 * (2.0 * kv + row);
        let last = tokens as f64 * 2.0 * kv + row;
        let blocks = tower.layers.saturating_sub(1) as f64 * full + last;
        1e-9 * (blocks + self.config.patches() as f64 * patch)
    }

    /// One text row forward; its attention over a handful of keys is not counted.
    pub fn text_row(&self) -> f64 {
        let tower = &self.config.text;
        1e-9 * tower.layers as f64 * 2.0 * block_weights(tower).iter().sum::<f64>()
    }

    /// One text reader forward: it needs no keys and values of its own.
    pub fn text_reader(&self) -> f64 {
        let tower = &self.config.text;
        let [q_out, _, mlp] = block_weights(tower);
        1e-9 * tower.layers as f64 * 2.0 * (q_out + mlp)
    }

    /// One vision reader forward, attention over all image tokens included.
    pub fn vision_reader(&self) -> f64 {
        let tower = &self.config.vision;
        let [q_out, _, mlp] = block_weights(tower);
        1e-9 * tower.layers as f64 * (2.0 * (q_out + mlp) + attention(tower, self.config.image_tokens()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::Shape;
    use super::*;

    /// ViT-B/16 by hand: 12 blocks of 24·d² operations a row, 20·d² for a reader.
    #[test]
    fn vit_b_16_agrees_with_the_count_by_hand() {
        let config = Shape::find("vit-b-16").unwrap().config();
        let limit = Limit::new(&config);
        let close = |ours: f64, expected: f64| assert!((ours - expected).abs() < 0.005 * expected, "{ours}");
        close(limit.image(), 32.7);
        close(limit.text_row(), 0.0755);
        close(limit.text_reader(), 0.0629);
        close(limit.vision_reader(), 0.149);
    }
}
