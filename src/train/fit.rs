//! The training loop: shuffled epochs, whole batches, SGD under the recipe's schedule.
//!
//! Every stream of random numbers is named by what it serves (epoch, view, item), so an epoch and a step are
//! all there is to know about the streams' positions: a training taken up again is bit-equal.

use super::checkpoint::{Keeper, Standing};
use super::error::TrainError;
use super::images::TrainingImages;
use super::recipe::Recipe;
use super::sgd::Sgd;
use super::step::{check_finite, loss_and_gradients};
use crate::backbone::Precision;
use crate::method::{Head, ImageNeed, Parameters};
use crate::rng::Stream;

/// One training run.
pub struct Fit<'a> {
    /// The method, bound to the trained classes.
    pub head: &'a dyn Head,
    /// How to train.
    pub recipe: &'a Recipe,
    /// What to train on.
    pub images: &'a TrainingImages<'a>,
    /// What the method reads of an image.
    pub need: ImageNeed,
    /// The format that parameters and momentum are held in.
    pub storage: Precision,
    /// Name of the shuffling stream: dataset, seed, method.
    pub stream: [&'a str; 3],
}

/// What one epoch did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochLog {
    /// Learning rate of the whole epoch.
    pub learning_rate: f64,
    /// Steps taken.
    pub steps: u64,
    /// Mean of the batches' losses (nats), each before its update.
    pub mean_loss: f64,
}

/// Trains `parameters` in place and returns one log line per epoch. `keeper` is asked for a place to go on
/// from, and given one when it is due and when the run stops. `done` hears (steps done, steps in all).
///
/// # Errors
/// [`TrainError`]: no image, a number that is not finite, an image that cannot be had, a checkpoint that cannot
/// be written, an interruption.
pub fn fit(
    run: &Fit<'_>,
    parameters: &Parameters,
    keeper: &mut dyn Keeper,
    stop: &dyn Fn() -> bool,
    done: &mut dyn FnMut(usize, usize),
) -> Result<Vec<EpochLog>, TrainError> {
    let count = run.images.len();
    if count == 0 {
        return Err(TrainError::Empty(format!("train on {}: the draw has no image", run.stream[0])));
    }
    let steps = run.recipe.steps(count);
    let mut loop_state = Loop::start(parameters, keeper)?;
    loop_state.sgd = std::mem::take(&mut loop_state.sgd).stored_as(run.storage);
    let start = (loop_state.epoch, loop_state.step);
    for epoch in start.0..run.recipe.epochs {
        let learning_rate = run.recipe.learning_rate(epoch);
        let order = shuffled(count, run.stream, epoch);
        let first = if epoch == start.0 { start.1 } else { 0 };
        for (step, indices) in order.chunks(run.recipe.batch_size).take(steps).enumerate().skip(first) {
            (loop_state.epoch, loop_state.step) = (epoch, step);
            let stopping = stop();
            if (stopping || keeper.due()) && (epoch, step) != start {
                keeper.keep(&loop_state.standing(parameters)?)?;
            }
            if stopping {
                return Err(TrainError::Interrupted);
            }
            let (images, labels) = run.images.batch(epoch, indices, run.need)?;
            let gradients = loss_and_gradients(run.head, parameters, &images, &labels, (epoch, step))?;
            loop_state.sgd.step(parameters, &gradients, learning_rate)?;
            loop_state.loss_total += gradients.loss;
            done(epoch * steps + step + 1, run.recipe.epochs * steps);
        }
        let mean_loss = std::mem::take(&mut loop_state.loss_total) / steps as f64;
        loop_state.log.push(EpochLog { learning_rate, steps: steps as u64, mean_loss });
    }
    // The last update has no following step that would notice.
    check_finite(parameters, (run.recipe.epochs - 1, steps - 1))?;
    Ok(loop_state.log)
}

/// What changes from step to step, beside the parameters.
#[derive(Default)]
struct Loop {
    epoch: usize,
    step: usize,
    loss_total: f64,
    log: Vec<EpochLog>,
    sgd: Sgd,
}

impl Loop {
    /// From the keeper's place, with its values put into `parameters`; else from the beginning.
    fn start(parameters: &Parameters, keeper: &mut dyn Keeper) -> Result<Self, TrainError> {
        let Some(standing) = keeper.resume(parameters)? else { return Ok(Self::default()) };
        parameters.set(&standing.parameters)?;
        let Standing { epoch, step, loss_total, log, momentum, .. } = standing;
        Ok(Self { epoch, step, loss_total, log, sgd: Sgd::resume(momentum) })
    }

    fn standing(&self, parameters: &Parameters) -> Result<Standing, TrainError> {
        Ok(Standing {
            epoch: self.epoch,
            step: self.step,
            loss_total: self.loss_total,
            log: self.log.clone(),
            parameters: parameters.values()?,
            momentum: self.sgd.buffers().to_vec(),
        })
    }
}

/// The order of an epoch's items.
fn shuffled(count: usize, [dataset, seed, method]: [&str; 3], epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    Stream::new(&["order", dataset, seed, method, &epoch.to_string()]).shuffle(&mut order);
    order
}
