//! The training loop: shuffled epochs, whole batches, SGD under the recipe's schedule. Several trainings of one head
//! may go in lockstep, in the same products.
//!
//! Every stream of random numbers is named by what it serves (epoch, view, item), so an epoch and a step are
//! all there is to know about the streams' positions: a training taken up again is bit-equal. In lockstep every
//! step has the same number of slots; one whose training is over, failed or elsewhere is filled with another's
//! numbers, so a training's bits depend on the number of slots and its own place alone.

use super::checkpoint::{Keeper, Standing};
use super::error::TrainError;
use super::images::{TrainingImages, joint_batch};
use super::recipe::Recipe;
use super::sgd::Sgd;
use super::step::{Gradients, Slot, check_finite, joint_step};
use crate::backbone::Precision;
use crate::method::{Head, ImageNeed, Parameters};
use crate::util::rng::Stream;

/// How to train.
pub struct Fit<'a> {
    /// The method, bound to the trained classes.
    pub head: &'a dyn Head,
    /// The published schedule.
    pub recipe: &'a Recipe,
    /// What the method reads of an image.
    pub need: ImageNeed,
    /// The format that parameters and momentum are held in.
    pub storage: Precision,
    /// Trainings a step has room for.
    pub slots: usize,
}

/// One training.
pub struct Member<'a> {
    /// Its place among the slots, from 0.
    pub slot: usize,
    /// What to train on.
    pub images: &'a TrainingImages<'a>,
    /// Name of the shuffling stream: dataset, seed, method.
    pub stream: [&'a str; 3],
    /// Trained in place.
    pub parameters: &'a Parameters,
    /// Is asked for a place to go on from, and given one when it is due and when the run stops.
    pub keeper: &'a mut dyn Keeper,
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

/// A training's log, a line an epoch, or its own fault: a number that is not finite, a parameter without gradient.
pub type Outcome = Result<Vec<EpochLog>, TrainError>;

/// Trains every member, in their order. `stop` is asked before every step, `done` hears of every step.
///
/// # Errors
/// What concerns all: no image, an image that cannot be had, a checkpoint that cannot be written, an interruption.
pub fn fit(
    run: &Fit<'_>,
    members: &mut [Member<'_>],
    stop: &dyn Fn() -> bool,
    done: &mut dyn FnMut(),
) -> Result<Vec<Outcome>, TrainError> {
    let mut all =
        members.iter_mut().map(|member| Going::start(run, member)).collect::<Result<Vec<_>, _>>()?;
    while let Some(lead) = lead(&all) {
        let stopping = stop();
        if stopping || all.iter().any(|going| going.member.keeper.due()) {
            all.iter_mut().try_for_each(Going::keep)?;
        }
        if stopping {
            return Err(TrainError::Interrupted);
        }
        step(run, &mut all, lead)?;
        done();
    }
    Ok(all.into_iter().map(|going| going.outcome.unwrap_or_else(|| Ok(going.log))).collect())
}

/// The training that is furthest behind; `None` when all are over.
fn lead(all: &[Going<'_, '_>]) -> Option<usize> {
    let waiting = all.iter().enumerate().filter(|(_, going)| going.outcome.is_none());
    waiting.min_by_key(|(index, going)| (going.at, *index)).map(|(index, _)| index)
}

/// One step of the lead and of those beside it.
fn step(run: &Fit<'_>, all: &mut [Going<'_, '_>], lead: usize) -> Result<(), TrainError> {
    let (at, size) = (all[lead].at, all[lead].indices(run).len());
    let mut places = vec![lead; run.slots];
    for (index, going) in all.iter().enumerate() {
        if going.outcome.is_none() && going.at == at && going.indices(run).len() == size {
            places[going.member.slot] = index;
        }
    }
    let parts: Vec<_> =
        places.iter().map(|place| (all[*place].member.images, all[*place].indices(run))).collect();
    let (images, labels) = joint_batch(&parts, at.0, run.need)?;
    let slots: Vec<_> = places
        .iter()
        .enumerate()
        .map(|(slot, place)| Slot {
            parameters: all[*place].member.parameters,
            labels: (all[*place].member.slot == slot).then_some(&labels[slot]),
        })
        .collect();
    let outcomes = joint_step(run.head, &slots, &images, at)?;
    for (place, outcome) in places.into_iter().zip(outcomes) {
        match outcome {
            Some(Ok(gradients)) => all[place].advance(run, &gradients)?,
            Some(Err(error)) => all[place].outcome = Some(Err(error)),
            None => {}
        }
    }
    Ok(())
}

/// A training on its way: what changes from step to step, beside the parameters.
struct Going<'m, 'a> {
    member: &'m mut Member<'a>,
    /// Epoch and step.
    at: (usize, usize),
    /// Where it began; there is nothing to keep there.
    start: (usize, usize),
    steps: usize,
    order: Vec<usize>,
    loss_total: f64,
    log: Vec<EpochLog>,
    sgd: Sgd,
    outcome: Option<Outcome>,
}

impl<'m, 'a> Going<'m, 'a> {
    /// From the keeper's place, with its values put into the parameters; else from the beginning.
    fn start(run: &Fit<'_>, member: &'m mut Member<'a>) -> Result<Self, TrainError> {
        let count = member.images.len();
        if count == 0 {
            let reason = format!("train on {}: the draw has no image", member.stream[0]);
            return Err(TrainError::Empty(reason));
        }
        let kept = member.keeper.resume(member.parameters)?;
        let (at, loss_total, log, sgd) = match kept {
            None => ((0, 0), 0.0, Vec::new(), Sgd::default()),
            Some(Standing { epoch, step, loss_total, log, parameters, momentum }) => {
                member.parameters.set(&parameters)?;
                ((epoch, step), loss_total, log, Sgd::resume(momentum))
            }
        };
        let (steps, order) = (run.recipe.steps(count), shuffled(count, member.stream, at.0));
        let (sgd, outcome) = (sgd.stored_as(run.storage), None);
        Ok(Self { member, at, start: at, steps, order, loss_total, log, sgd, outcome })
    }

    /// The items of the next step.
    fn indices(&self, run: &Fit<'_>) -> &[usize] {
        self.order.chunks(run.recipe.batch_size).nth(self.at.1).unwrap_or_default()
    }

    fn keep(&mut self) -> Result<(), TrainError> {
        if self.outcome.is_some() || self.at == self.start {
            return Ok(());
        }
        self.member.keeper.keep(&Standing {
            epoch: self.at.0,
            step: self.at.1,
            loss_total: self.loss_total,
            log: self.log.clone(),
            parameters: self.member.parameters.values()?,
            momentum: self.sgd.buffers().to_vec(),
        })
    }

    /// The update, and on to the next step.
    fn advance(&mut self, run: &Fit<'_>, gradients: &Gradients) -> Result<(), TrainError> {
        let (at, learning_rate) = (self.at, run.recipe.learning_rate(self.at.0));
        self.sgd.step(self.member.parameters, gradients, learning_rate)?;
        self.loss_total += gradients.loss;
        self.at.1 += 1;
        if self.at.1 < self.steps {
            return Ok(());
        }
        let mean_loss = std::mem::take(&mut self.loss_total) / self.steps as f64;
        self.log.push(EpochLog { learning_rate, steps: self.steps as u64, mean_loss });
        self.at = (at.0 + 1, 0);
        if self.at.0 < run.recipe.epochs {
            self.order = shuffled(self.member.images.len(), self.member.stream, self.at.0);
            return Ok(());
        }
        // The last update has no following step that would notice.
        let log = std::mem::take(&mut self.log);
        self.outcome = Some(check_finite(self.member.parameters, at).map(|()| log));
        Ok(())
    }
}

/// The order of an epoch's items.
fn shuffled(count: usize, [dataset, seed, method]: [&str; 3], epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    Stream::new(&["order", dataset, seed, method, &epoch.to_string()]).shuffle(&mut order);
    order
}
