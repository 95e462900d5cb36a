//! How RPO's image prompts meet its text prompts.

use candle_core::Tensor;
use serde::Deserialize;

use crate::backbone::nn::matmul;
use crate::method::error::MethodError;

/// Which image prompt meets which text prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// The i-th with the i-th (the paper's equation 9).
    Matched,
    /// Each with each.
    All,
}

/// exp(τ)·(1/K)·Σᵢ vᵢ·tᵢ, or exp(τ)·(1/K²)·Σᵢⱼ vᵢ·tⱼ, for readers `[batch, k, joint]` and
/// `[classes, k, joint]`: `[batch, classes]`.
pub fn paired_logits(
    image: &Tensor,
    text: &Tensor,
    scale: &Tensor,
    pairing: Pairing,
) -> Result<Tensor, MethodError> {
    if pairing == Pairing::All {
        return Ok(matmul(&image.mean(1)?, &text.mean(1)?.t()?)?.broadcast_mul(scale)?);
    }
    let k = image.dim(1)?;
    let sums = matmul(&image.flatten_from(1)?, &text.flatten_from(1)?.t()?)?;
    Ok((sums.broadcast_mul(scale)? / k as f64)?)
}
