//! The attention pool: the mean of the last map's cells asks all cells, and itself, for the image's feature.

use candle_core::{D, Result, Tensor};

use crate::backbone::config::ClipConfig;
use crate::backbone::files::weights::{Weights, WeightsError};
use crate::backbone::nn::{Linear, matmul};

#[derive(Clone, Debug)]
pub(super) struct AttentionPool {
    /// `[cells + 1, width]`.
    positions: Tensor,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
}

impl AttentionPool {
    /// Reads `visual.attnpool`.
    pub fn load(weights: &Weights, config: &ClipConfig) -> std::result::Result<Self, WeightsError> {
        let width = config.vision.width;
        let linear = |part: &str, outputs: usize| -> std::result::Result<Linear, WeightsError> {
            let name = format!("visual.attnpool.{part}_proj");
            let weight = weights.get(&format!("{name}.weight"), &[outputs, width])?;
            Ok(Linear::new(weight, Some(weights.get(&format!("{name}.bias"), &[outputs])?)))
        };
        let positions =
            weights.get("visual.attnpool.positional_embedding", &[config.image_tokens(), width])?;
        Ok(Self {
            positions,
            query: linear("q", width)?,
            key: linear("k", width)?,
            value: linear("v", width)?,
            output: linear("c", config.projection_dim)?,
            heads: config.vision.heads,
        })
    }

    /// Maps `[batch, width, h, h]` to features `[batch, joint]`.
    pub fn forward(&self, map: &Tensor) -> Result<Tensor> {
        let cells = map.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
        let cells = Tensor::cat(&[&cells.mean_keepdim(1)?, &cells], 1)?.broadcast_add(&self.positions)?;
        let (batch, tokens, width) = cells.dims3()?;
        let (heads, head_width) = (self.heads, width / self.heads);
        let in_heads = |rows: Tensor, tokens: usize| {
            rows.reshape((batch, tokens, heads, head_width))?.transpose(1, 2)?.contiguous()
        };
        let rows = cells.reshape((batch * tokens, width))?;
        let first = cells.narrow(1, 0, 1)?.contiguous()?.reshape((batch, width))?;
        let query = (in_heads(self.query.forward(&first)?, 1)? / (head_width as f64).sqrt())?;
        let keys = in_heads(self.key.forward(&rows)?, tokens)?;
        let values = in_heads(self.value.forward(&rows)?, tokens)?;
        let scores = matmul(&query, &keys.transpose(2, 3)?.contiguous()?)?;
        let weights = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?)?.exp()?;
        let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
        self.output.forward(&matmul(&weights, &values)?.reshape((batch, width))?)
    }
}
