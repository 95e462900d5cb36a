//! One training step: loss and gradients, refused when missing or not finite.

use candle_core::Tensor;
use candle_core::backprop::GradStore;

use super::error::TrainError;
use super::gradients::{Gradients, not_finite, totals};
use super::guide::project;
use crate::method::{Head, ImageBatch, Objective, Parameters, Shares};

/// One training's part in a step of several.
#[derive(Clone, Copy, Debug)]
pub struct StepPart<'a> {
    /// Its parameters.
    pub parameters: &'a Parameters,
    /// The labels of its images; `None` where only the place is held, for the sake of the others' last bits.
    pub labels: Option<&'a Tensor>,
    /// Names the random numbers of its step, such as dropout's; without it nothing is drawn.
    pub noise: Option<&'a str>,
}

/// The objective of a batch and its gradient for every trained parameter. Weight decay is not in it.
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
    let slot = StepPart { parameters, labels: Some(labels), noise: None };
    let step = joint_step(head, &[slot], images, Shares::Even, at)?;
    step.into_iter().flatten().next().unwrap_or_else(|| Err(TrainError::NoGradient("anything".to_owned())))
}

/// A step of several trainings in the same products: each has its share of `images`, cut evenly among the slots, or sees all
/// of them. `None` for a slot without labels. What one slot computes does not depend on the others' numbers, so a fault is its
/// own; where all see all, nor on how many there are.
///
/// # Errors
/// Whatever the method reports for all of them.
pub fn joint_step(
    head: &dyn Head,
    slots: &[StepPart<'_>],
    images: &ImageBatch,
    shares: Shares,
    at: (usize, usize),
) -> Result<Vec<Option<Result<Gradients, TrainError>>>, TrainError> {
    let named = slots.iter().map(|slot| match slot.labels {
        Some(_) => Ok(slot.parameters.tracked()),
        None => slot.parameters.values(),
    });
    let named = named.collect::<Result<Vec<_>, _>>()?;
    let labels: Vec<Option<&Tensor>> = slots.iter().map(|slot| slot.labels).collect();
    let noise: Vec<Option<&str>> = slots.iter().map(|slot| slot.noise).collect();
    let set = match shares {
        Shares::Even => head.step_classifiers(&named, &noise)?,
        Shares::All => head.alike_classifiers(&named, &noise)?,
    };
    let objectives = set.objectives(images, shares, &labels)?;
    let Some(store) = backward(objectives.iter().flatten().map(|objective| &objective.loss))? else {
        return Ok(slots.iter().map(|_| None).collect());
    };
    let guides = objectives.iter().flatten().filter_map(|objective| objective.guide.as_ref());
    let guide_store = backward(guides.map(|guide| &guide.loss))?;
    let found = |(slot, objective): (&StepPart<'_>, &Option<Objective>)| {
        objective.as_ref().map(|objective| Found::new(slot.parameters, objective, &store))
    };
    let found: Vec<Option<Found>> = slots.iter().zip(&objectives).map(found).collect();
    // The one place where the step waits for its device: all sums of all slots together.
    let numbers = || found.iter().flatten().flat_map(|found| &found.numbers);
    let mut totals = totals(numbers().map(|(_, tensor)| tensor))?.into_iter();
    let mut outcomes = Vec::new();
    for ((slot, objective), found) in slots.iter().zip(&objectives).zip(&found) {
        let (Some(objective), Some(found)) = (objective, found) else {
            outcomes.push(None);
            continue;
        };
        let own: Vec<f64> = totals.by_ref().take(found.numbers.len()).collect();
        let checked = found.checked(&own, at);
        outcomes.push(Some(match (checked, &guide_store, &objective.guide) {
            (Ok(gradients), Some(store), Some(guide)) => {
                project(gradients, slot.parameters, guide, store, at)?
            }
            (checked, ..) => checked,
        }));
    }
    Ok(outcomes)
}

/// Gradients of the sum of losses; `None` where there is none. Trainings' parameters are apart, so the gradient of the sum
/// is each one's own.
fn backward<'t>(mut losses: impl Iterator<Item = &'t Tensor>) -> candle_core::Result<Option<GradStore>> {
    let Some(first) = losses.next() else { return Ok(None) };
    let sum = losses.try_fold(first.clone(), |sum, loss| sum + loss)?;
    sum.backward().map(Some)
}

/// What a slot's step left behind, before anybody has looked at its numbers.
struct Found {
    /// Parameters, logits and loss, then the gradients there are; in the order of computation.
    numbers: Vec<(String, Tensor)>,
    /// How many of them come before the gradients.
    forward: usize,
    /// Per parameter.
    gradients: Vec<(String, Option<Tensor>)>,
}

impl Found {
    fn new(parameters: &Parameters, objective: &Objective, store: &GradStore) -> Self {
        // A rectifier turns NaN into 0: a broken parameter need not show in the loss.
        let mut numbers: Vec<(String, Tensor)> =
            parameters.iter().map(|(name, var)| (name.to_owned(), var.as_tensor().clone())).collect();
        numbers.push(("logits".to_owned(), objective.logits.clone()));
        numbers.push(("loss".to_owned(), objective.loss.clone()));
        let forward = numbers.len();
        let gradients: Vec<(String, Option<Tensor>)> =
            parameters.iter().map(|(name, var)| (name.to_owned(), store.get(var).cloned())).collect();
        for (name, gradient) in &gradients {
            numbers.extend(gradient.as_ref().map(|tensor| (format!("gradient of {name}"), tensor.clone())));
        }
        Self { numbers, forward, gradients }
    }

    /// Gradients, or what is wrong with them: the first number that is not finite, in the order of computation.
    fn checked(&self, totals: &[f64], at: (usize, usize)) -> Result<Gradients, TrainError> {
        let fault = totals.iter().position(|total| !total.is_finite());
        let missing = self.gradients.iter().find(|(_, gradient)| gradient.is_none());
        match (fault, missing) {
            (Some(index), None) => Err(not_finite(&self.numbers[index].0, at)),
            (Some(index), Some(_)) if index < self.forward => Err(not_finite(&self.numbers[index].0, at)),
            (_, Some((name, _))) => Err(TrainError::NoGradient(name.clone())),
            (None, None) => {
                let tensors = self.gradients.iter().filter_map(|(_, gradient)| gradient.clone()).collect();
                Ok(Gradients::plain(totals[self.forward - 1], tensors))
            }
        }
    }
}
