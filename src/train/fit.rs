//! The training loop: shuffled epochs, whole batches, SGD under the recipe's schedule.

use super::error::TrainError;
use super::images::TrainingImages;
use super::recipe::Recipe;
use super::sgd::Sgd;
use super::step::loss_and_gradients;
use crate::method::{Head, Parameters};
use crate::rng::Stream;

/// One training run.
pub struct Fit<'a> {
    /// The method, bound to the trained classes.
    pub head: &'a dyn Head,
    /// How to train.
    pub recipe: &'a Recipe,
    /// What to train on.
    pub images: &'a TrainingImages<'a>,
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

/// Trains `parameters` in place and returns one log line per epoch. `done` hears (steps done, steps in all).
///
/// # Errors
/// [`TrainError`]: no image, a number that is not finite, an image that cannot be had, an interruption.
pub fn fit(
    run: &Fit<'_>,
    parameters: &Parameters,
    stop: &dyn Fn() -> bool,
    done: &mut dyn FnMut(usize, usize),
) -> Result<Vec<EpochLog>, TrainError> {
    let count = run.images.len();
    if count == 0 {
        return Err(TrainError::Empty(format!("train on {}: the draw has no image", run.stream[0])));
    }
    let steps = run.recipe.steps(count);
    let (mut sgd, mut log) = (Sgd::default(), Vec::new());
    for epoch in 0..run.recipe.epochs {
        let learning_rate = run.recipe.learning_rate(epoch);
        let order = shuffled(count, run.stream, epoch);
        let mut total = 0.0;
        for (step, indices) in order.chunks(run.recipe.batch_size).take(steps).enumerate() {
            if stop() {
                return Err(TrainError::Interrupted);
            }
            let (images, labels) = run.images.batch(epoch, indices)?;
            let gradients = loss_and_gradients(run.head, parameters, &images, &labels, (epoch, step))?;
            sgd.step(parameters, &gradients, learning_rate)?;
            total += gradients.loss;
            done(epoch * steps + step + 1, run.recipe.epochs * steps);
        }
        log.push(EpochLog { learning_rate, steps: steps as u64, mean_loss: total / steps as f64 });
    }
    Ok(log)
}

/// The order of an epoch's items.
fn shuffled(count: usize, [dataset, seed, method]: [&str; 3], epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    Stream::new(&["order", dataset, seed, method, &epoch.to_string()]).shuffle(&mut order);
    order
}
