//! What a step computes for the optimiser, and the check that all of it is a number.

use candle_core::{DType, Tensor};

use super::error::TrainError;
use crate::method::Parameters;

/// Gradients of a step.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// The objective of the batch before the update: mean cross-entropy (nats) and whatever the method adds.
    pub loss: f64,
    /// Gradient per trained parameter, in parameter order.
    pub tensors: Vec<Tensor>,
    /// What a second loss did to them, where there is one.
    pub guided: Option<Guided>,
}

impl Gradients {
    /// Gradients of one loss alone.
    pub fn plain(loss: f64, tensors: Vec<Tensor>) -> Self {
        Self { loss, tensors, guided: None }
    }
}

/// What a guide did to a step.
#[derive(Clone, Debug)]
pub struct Guided {
    /// The guiding loss before the update.
    pub loss: f64,
    /// The objective's own gradients, in parameter order.
    pub own: Vec<Tensor>,
    /// The guide's gradients, in parameter order.
    pub guide: Vec<Tensor>,
    /// Per parameter, whether the two opposed each other.
    pub opposed: Vec<bool>,
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

pub(super) fn not_finite(tensor: &str, (epoch, step): (usize, usize)) -> TrainError {
    TrainError::NotFinite { tensor: tensor.to_owned(), epoch, step }
}

/// Sums of all numbers of each tensor; not finite as soon as one of them is not. They come from a device in one
/// transfer, since each would wait for all work before it.
pub(super) fn totals<'t>(tensors: impl Iterator<Item = &'t Tensor>) -> candle_core::Result<Vec<f64>> {
    let sums = tensors.map(|tensor| tensor.detach().sum_all()?.to_dtype(DType::F64));
    let sums = sums.collect::<candle_core::Result<Vec<_>>>()?;
    if sums.is_empty() { Ok(Vec::new()) } else { Tensor::stack(&sums, 0)?.to_vec1() }
}
