//! The training loop: shuffled epochs, batches, the recipe's optimiser under its schedule. Several trainings of one head
//! may go in lockstep, in the same products.
//!
//! Every stream of random numbers is named by what it serves (epoch, view, item), so an epoch and a step are
//! all there is to know about the streams' positions: a training taken up again is bit-equal. In lockstep every
//! step has the same number of slots; one whose training is over, failed or elsewhere is filled with another's
//! numbers, so a training's bits depend on the number of slots and its own place alone.

use candle_core::Tensor;

use super::checkpoint::{Keeper, Standing};
use super::error::TrainError;
use super::images::{Pick, TrainingImages, joint_batch};
use super::optimiser::Optimiser;
use super::prefetch::Prefetch;
use super::recipe::Recipe;
use super::step::{Gradients, Slot, check_finite, joint_step};
use super::views::TrainingSet;
use crate::backbone::Precision;
use crate::method::{Head, Named, Needs, Parameters};
use crate::util::rng::Stream;

/// How to train.
pub struct Fit<'a> {
    /// The method, bound to the trained classes.
    pub head: &'a dyn Head,
    /// How to train, settled for the number of shots.
    pub recipe: &'a Recipe,
    /// What the method reads of an image.
    pub needs: Needs,
    /// The format that parameters and the optimiser's buffers are held in.
    pub storage: Precision,
    /// Trainings a step has room for.
    pub slots: usize,
    /// Whether the next step's pixels are prepared on another thread: where a GPU computes, this one waits.
    pub ahead: bool,
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
    /// Learning rate of the epoch's first step.
    pub learning_rate: f64,
    /// Steps taken.
    pub steps: u64,
    /// Mean of the batches' objectives (nats), each before its update.
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
    let side = all.first().map_or(0, |going| going.member.images.side());
    let sets: Vec<&TrainingSet<'_>> = all.iter().map(|going| going.member.images.set()).collect();
    std::thread::scope(|scope| {
        let mut prefetch = match run.ahead {
            true => Prefetch::start(scope, side),
            false => Prefetch::none(side),
        };
        while let Some(lead) = lead(&all) {
            let stopping = stop();
            if stopping || all.iter().any(|going| going.member.keeper.due()) {
                all.iter_mut().try_for_each(Going::keep)?;
            }
            if stopping {
                return Err(TrainError::Interrupted);
            }
            step(run, &mut all, lead, (&sets, &mut prefetch))?;
            done();
        }
        Ok(())
    })?;
    Ok(all.into_iter().map(|going| going.outcome.unwrap_or_else(|| Ok(going.log))).collect())
}

/// The training that is furthest behind; `None` when all are over.
fn lead(all: &[Going<'_, '_>]) -> Option<usize> {
    let waiting = all.iter().enumerate().filter(|(_, going)| going.outcome.is_none());
    waiting.min_by_key(|(index, going)| (going.at, *index)).map(|(index, _)| index)
}

/// One step of the lead and of those beside it.
fn step<'t>(
    run: &Fit<'_>,
    all: &mut [Going<'_, '_>],
    lead: usize,
    (sets, prefetch): (&[&'t TrainingSet<'t>], &mut Prefetch<'t>),
) -> Result<(), TrainError> {
    let (at, size) = (all[lead].at, all[lead].picks(run).len());
    let mut places = vec![lead; run.slots];
    for (index, going) in all.iter().enumerate() {
        if going.outcome.is_none() && going.at == at && going.picks(run).len() == size {
            places[going.member.slot] = index;
        }
    }
    let parts: Vec<_> =
        places.iter().map(|place| (all[*place].member.images, all[*place].picks(run))).collect();
    let (images, labels) = joint_batch(&parts, run.needs, prefetch)?;
    if all[lead].member.images.reads_pixels(run.needs) {
        // The same trainings beside each other again, a step further.
        let distinct = places.iter().enumerate().filter(|(slot, place)| !places[..*slot].contains(place));
        let next = distinct.filter_map(|(_, place)| Some((sets[*place], all[*place].next_picks(run)?)));
        prefetch.ask(next);
    }
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
    /// Steps of this epoch.
    steps: usize,
    order: Vec<Pick>,
    loss_total: f64,
    log: Vec<EpochLog>,
    optimiser: Optimiser,
    average: Vec<Tensor>,
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
        let optimiser = Optimiser::new(run.recipe.rule()).stored_as(run.storage);
        let (at, loss_total, log, optimiser, average) = match kept {
            None => ((0, 0), 0.0, Vec::new(), optimiser, Vec::new()),
            Some(standing) => {
                member.parameters.set(&standing.parameters)?;
                let optimiser = optimiser.resume(standing.optimiser);
                let at = (standing.epoch, standing.step);
                (at, standing.loss_total, standing.log, optimiser, standing.average)
            }
        };
        let (steps, order) = (run.recipe.steps(count, at.0), order(run.recipe, member, at.0));
        Ok(Self { member, at, start: at, steps, order, loss_total, log, optimiser, average, outcome: None })
    }

    /// The views of the next step.
    fn picks(&self, run: &Fit<'_>) -> &[Pick] {
        self.order.chunks(run.recipe.batch_size).nth(self.at.1).unwrap_or_default()
    }

    /// The views of the step behind the next one; `None` at the end.
    fn next_picks(&self, run: &Fit<'_>) -> Option<Vec<Pick>> {
        let (epoch, step) = self.at;
        if step + 1 < self.steps {
            return self.order.chunks(run.recipe.batch_size).nth(step + 1).map(<[Pick]>::to_vec);
        }
        let more = epoch + 1 < run.recipe.epochs(self.member.images.len());
        more.then(|| {
            let order = order(run.recipe, self.member, epoch + 1);
            order.chunks(run.recipe.batch_size).next().map(<[Pick]>::to_vec)
        })?
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
            trained: self.member.parameters.iter().count(),
            optimiser: self.optimiser.state(),
            average: self.average.clone(),
        })
    }

    /// Adds the current parameters to their average under this weight.
    fn average(&mut self, weight: Option<f64>) -> Result<(), TrainError> {
        let Some(weight) = weight else { return Ok(()) };
        for (index, (_, var)) in self.member.parameters.iter().enumerate() {
            let share = (var.as_tensor().detach() * weight)?;
            match self.average.get_mut(index) {
                Some(sum) => *sum = (&*sum + share)?,
                None => self.average.push(share),
            }
        }
        Ok(())
    }

    /// The update, and on to the next step.
    fn advance(&mut self, run: &Fit<'_>, gradients: &Gradients) -> Result<(), TrainError> {
        let (at, images) = (self.at, self.member.images.len());
        let learning_rate = run.recipe.learning_rate(images, at);
        self.optimiser.step(self.member.parameters, gradients, learning_rate)?;
        self.loss_total += gradients.loss;
        self.at.1 += 1;
        if self.at.1 < self.steps {
            return Ok(());
        }
        let mean_loss = std::mem::take(&mut self.loss_total) / self.steps as f64;
        let learning_rate = run.recipe.learning_rate(images, (at.0, 0));
        self.log.push(EpochLog { learning_rate, steps: self.steps as u64, mean_loss });
        self.average(run.recipe.average_weight(images, at.0))?;
        self.at = (at.0 + 1, 0);
        if self.at.0 < run.recipe.epochs(images) {
            self.steps = run.recipe.steps(images, self.at.0);
            self.order = order(run.recipe, self.member, self.at.0);
            return Ok(());
        }
        if !self.average.is_empty() {
            let names = self.member.parameters.iter().map(|(name, _)| name.to_owned());
            self.member.parameters.set(&Named::new(names.zip(self.average.iter().cloned())))?;
        }
        // The last update has no following step that would notice.
        let log = std::mem::take(&mut self.log);
        self.outcome = Some(check_finite(self.member.parameters, at).map(|()| log));
        Ok(())
    }
}

/// The order of an epoch's views: one of each image, or the whole pool.
fn order(recipe: &Recipe, member: &Member<'_>, epoch: usize) -> Vec<Pick> {
    let (count, [dataset, seed, method]) = (member.images.len(), member.stream);
    let mut order: Vec<usize> = (0..count * recipe.pool_views.max(1)).collect();
    Stream::new(&["order", dataset, seed, method, &epoch.to_string()]).shuffle(&mut order);
    let view = |place: usize| if recipe.pool_views > 0 { place / count } else { epoch };
    order.into_iter().map(|place| Pick { index: place % count, view: view(place) }).collect()
}
