//! One training step: loss and gradients, refused when missing or not finite.

use candle_core::{DType, Tensor};

use super::error::TrainError;
use crate::backbone::nn::cross_entropy;
use crate::method::{Head, ImageBatch, Parameters};

/// Gradients of a step.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// Mean cross-entropy of the batch (nats) before the update.
    pub loss: f64,
    /// Gradient per parameter, in parameter order.
    pub tensors: Vec<Tensor>,
}

/// Mean cross-entropy of a batch and its gradient for every trained parameter. Weight decay is not in it.
/// `at` = (epoch, step), for messages.
///
/// # Errors
/// [`TrainError::NoGradient`] when a parameter got none, [`TrainError::NotFinite`] for NaN or ∞.
pub fn loss_and_gradients(
    head: &dyn Head,
    parameters: &Parameters,
    images: &ImageBatch,
    labels: &Tensor,
    at: (usize, usize),
) -> Result<Gradients, TrainError> {
    // A rectifier turns NaN into 0: a broken parameter need not show in the loss.
    check_finite(parameters, at)?;
    let not_finite = |tensor: String| TrainError::NotFinite { tensor, epoch: at.0, step: at.1 };
    let logits = head.classifier(&parameters.tracked())?.logits(images)?;
    if !total(&logits)?.is_finite() {
        return Err(not_finite("logits".to_owned()));
    }
    let loss = cross_entropy(&logits, labels)?;
    let value = total(&loss)?;
    if !value.is_finite() {
        return Err(not_finite("loss".to_owned()));
    }
    let store = loss.backward()?;
    let mut tensors = Vec::new();
    for (name, var) in parameters.iter() {
        let gradient = store.get(var).ok_or_else(|| TrainError::NoGradient(name.to_owned()))?;
        if !total(gradient)?.is_finite() {
            return Err(not_finite(format!("gradient of {name}")));
        }
        tensors.push(gradient.clone());
    }
    Ok(Gradients { loss: value, tensors })
}

/// Refuses parameters that are not finite.
///
/// # Errors
/// [`TrainError::NotFinite`] with the parameter's name and `at` = (epoch, step).
pub(super) fn check_finite(parameters: &Parameters, at: (usize, usize)) -> Result<(), TrainError> {
    for (name, var) in parameters.iter() {
        if !total(var.as_tensor())?.is_finite() {
            return Err(TrainError::NotFinite { tensor: name.to_owned(), epoch: at.0, step: at.1 });
        }
    }
    Ok(())
}

/// Sum of all numbers; not finite as soon as one of them is not.
fn total(tensor: &Tensor) -> candle_core::Result<f64> {
    tensor.detach().sum_all()?.to_dtype(DType::F64)?.to_scalar()
}
