//! One training step: loss and gradients, refused when missing or not finite.

use candle_core::{DType, Tensor};

use super::error::TrainError;
use crate::backbone::nn::cross_entropy;
use crate::method::{Head, ImageBatch, Parameters, Shares};

/// Gradients of a step.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// Mean cross-entropy of the batch (nats) before the update.
    pub loss: f64,
    /// Gradient per parameter, in parameter order.
    pub tensors: Vec<Tensor>,
}

/// One training's part in a step of several.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    /// Its parameters.
    pub parameters: &'a Parameters,
    /// The labels of its images; `None` where only the place is held, for the sake of the others' last bits.
    pub labels: Option<&'a Tensor>,
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
    let step = joint_step(head, &[Slot { parameters, labels: Some(labels) }], images, at)?;
    step.into_iter().flatten().next().unwrap_or_else(|| Err(TrainError::NoGradient("anything".to_owned())))
}

/// A step of several trainings in the same products; `images` are cut evenly among the slots. `None` for a slot
/// without labels. What one slot computes does not depend on the others' numbers, so a fault is its own.
///
/// # Errors
/// Whatever the method reports for all of them.
pub fn joint_step(
    head: &dyn Head,
    slots: &[Slot<'_>],
    images: &ImageBatch,
    at: (usize, usize),
) -> Result<Vec<Option<Result<Gradients, TrainError>>>, TrainError> {
    let named = slots.iter().map(|slot| match slot.labels {
        Some(_) => Ok(slot.parameters.tracked()),
        None => slot.parameters.values(),
    });
    let named = named.collect::<Result<Vec<_>, _>>()?;
    let logits = head.classifiers(&named)?.logits(images, Shares::Even)?;
    let losses = slots
        .iter()
        .zip(&logits)
        .map(|(slot, logits)| slot.labels.map(|labels| cross_entropy(logits, labels)).transpose());
    let losses = losses.collect::<candle_core::Result<Vec<_>>>()?;
    let mut present = losses.iter().flatten();
    let Some(first) = present.next() else { return Ok(slots.iter().map(|_| None).collect()) };
    // Parameters are apart, so the gradient of the sum is each one's own.
    let sum = present.try_fold(first.clone(), |sum, loss| sum + loss)?;
    let store = sum.backward()?;
    slots
        .iter()
        .zip(logits.iter().zip(&losses))
        .map(|(slot, (logits, loss))| {
            let Some(loss) = loss else { return Ok(None) };
            let mut gradients = Vec::new();
            for (name, var) in slot.parameters.iter() {
                gradients.push((name, store.get(var).cloned()));
            }
            checked(slot.parameters, logits, loss, gradients, at).map(Some)
        })
        .collect()
}

/// Gradients, or what is wrong with them: the first number that is not finite, in the order of computation.
fn checked(
    parameters: &Parameters,
    logits: &Tensor,
    loss: &Tensor,
    gradients: Vec<(&str, Option<Tensor>)>,
    at: (usize, usize),
) -> Result<Result<Gradients, TrainError>, TrainError> {
    // A rectifier turns NaN into 0: a broken parameter need not show in the loss.
    let mut numbers: Vec<(String, &Tensor)> =
        parameters.iter().map(|(name, var)| (name.to_owned(), var.as_tensor())).collect();
    numbers.extend([("logits".to_owned(), logits), ("loss".to_owned(), loss)]);
    let forward = numbers.len();
    for (name, gradient) in &gradients {
        numbers.extend(gradient.as_ref().map(|tensor| (format!("gradient of {name}"), tensor)));
    }
    let totals = totals(numbers.iter().map(|(_, tensor)| *tensor))?;
    let fault = totals.iter().position(|total| !total.is_finite());
    let missing = gradients.iter().find(|(_, gradient)| gradient.is_none());
    Ok(match (fault, missing) {
        (Some(index), None) => Err(not_finite(&numbers[index].0, at)),
        (Some(index), Some(_)) if index < forward => Err(not_finite(&numbers[index].0, at)),
        (_, Some((name, _))) => Err(TrainError::NoGradient((*name).to_owned())),
        (None, None) => {
            let tensors = gradients.into_iter().filter_map(|(_, gradient)| gradient).collect();
            Ok(Gradients { loss: totals[forward - 1], tensors })
        }
    })
}

/// Refuses parameters that are not finite.
///
/// # Errors
/// [`TrainError::NotFinite`] with the parameter's name and `at` = (epoch, step).
pub(super) fn check_finite(parameters: &Parameters, at: (usize, usize)) -> Result<(), TrainError> {
    let totals = totals(parameters.iter().map(|(_, var)| var.as_tensor()))?;
    match parameters.iter().zip(totals).find(|(_, total)| !total.is_finite()) {
        Some(((name, _), _)) => Err(not_finite(name, at)),
        None => Ok(()),
    }
}

fn not_finite(tensor: &str, (epoch, step): (usize, usize)) -> TrainError {
    TrainError::NotFinite { tensor: tensor.to_owned(), epoch, step }
}

/// Sums of all numbers of each tensor; not finite as soon as one of them is not. They come from a device in one
/// transfer, since each would wait for all work before it.
fn totals<'t>(tensors: impl Iterator<Item = &'t Tensor>) -> candle_core::Result<Vec<f64>> {
    let sums = tensors.map(|tensor| tensor.detach().sum_all()?.to_dtype(DType::F64));
    let sums = sums.collect::<candle_core::Result<Vec<_>>>()?;
    if sums.is_empty() { Ok(Vec::new()) } else { Tensor::stack(&sums, 0)?.to_vec1() }
}
