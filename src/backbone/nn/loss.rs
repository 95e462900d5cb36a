//! Cross-entropy and unit-length features.

use candle_core::{D, Result, Tensor};

/// Mean cross-entropy (nats) of logits `[n, classes]` against labels `[n]` (u32).
///
/// # Errors
/// Whatever candle reports, in particular a label outside the classes.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let top = logits.max_keepdim(D::Minus1)?.detach();
    let shifted = logits.broadcast_sub(&top)?;
    let log_sum = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    let picked = shifted.gather(&labels.unsqueeze(1)?, 1)?;
    (log_sum - picked)?.mean_all()
}

/// x/‖x‖ over the last dimension, as `x / x.norm(dim=-1, keepdim=True)`: a zero vector gives NaN.
///
/// # Errors
/// Whatever candle reports.
pub fn l2_normalise(x: &Tensor) -> Result<Tensor> {
    x.broadcast_div(&x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?)
}

/// Logarithm of the softmax of logits `[n, classes]`.
///
/// # Errors
/// Whatever candle reports.
pub fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    let top = logits.max_keepdim(D::Minus1)?.detach();
    let shifted = logits.broadcast_sub(&top)?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)
}
