//! The training loop: shuffled epochs, batches, the recipe's optimiser under its schedule. Several trainings of one head
//! may go in lockstep, in the same products.
//!
//! Every stream of random numbers is named by what it serves (epoch, view, item), so an epoch and a step are
//! all there is to know about the streams' positions: a training taken up again is bit-equal. A head with a second stage
//! goes on with other parameters, a fresh optimiser and a schedule of its own; views and epochs are counted on. In lockstep every
//! step has the same number of slots; one whose training is over, failed or elsewhere is filled with another's
//! numbers, so a training's bits depend on the number of slots and its own place alone. Trainings that are alike take
//! whatever steps they have in common, and their bits depend on nobody.
//!
//! Long because all of a training is here, from its first step to the end of its last stage.

use candle_core::Tensor;

use super::checkpoint_state::{CheckpointState, EpochLog, Keeper, Stepped};
use super::error::TrainError;
use super::gradients::{Gradients, check_finite};
use super::images::{TrainingImages, joint_batch};
use super::optimiser::Optimiser;
use super::prefetch::Prefetch;
use super::recipe::Recipe;
use super::score::Score;
use super::step::{StepPart, joint_step};
use super::views::{Pick, TrainingSet};
use crate::backbone::Precision;
use crate::method::{Head, Named, Needs, Parameters, Shares};
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
    /// Who shares a step.
    pub slots: Slots,
    /// Whether the next step's pixels are prepared on another thread: where a GPU computes, this one waits.
    pub ahead: bool,
}

/// Who shares a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slots {
    /// As many trainings, each with images of its own; a place that nobody has is filled.
    Fixed(usize),
    /// All members, which differ in their initial values alone: they see the same images in the same order. Those that are
    /// as far as the one furthest behind take the step.
    Alike,
}

/// One training.
pub struct Member<'a> {
    /// Its place among fixed slots, from 0.
    pub slot: usize,
    /// What to train on.
    pub images: &'a TrainingImages<'a>,
    /// Name of the shuffling stream: dataset, seed, method.
    pub stream: [&'a str; 3],
    /// Trained in place; a second stage puts its own in their place.
    pub parameters: &'a mut Parameters,
    /// Is asked for a place to go on from, and given one when it is due and when the run stops.
    pub keeper: &'a mut dyn Keeper,
    /// Chooses the epoch whose parameters count, the first of the best; absent where that is the last.
    pub score: Option<&'a Score<'a>>,
}

/// A step that was taken, by one training or by several in lockstep. Epochs and steps count from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepDone {
    /// Epoch.
    pub epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// Step of the epoch.
    pub step: usize,
    /// Steps of the epoch.
    pub steps: usize,
    /// Steps taken in all, those before an interruption counted.
    pub done: usize,
    /// Steps to take in all.
    pub of: usize,
    /// Mean objective of the batches (nats), before the update; `None` where none was computed.
    pub loss: Option<f64>,
    /// Trainings that took it.
    pub trainings: usize,
    /// Images they saw, counted for each of them.
    pub images: usize,
}

/// A training's log, a line an epoch, or its own fault: a number that is not finite, a parameter without gradient.
pub type FitResult = Result<Vec<EpochLog>, TrainError>;

/// Trains every member, in their order. `stop` is asked before every step, `done` hears of every step.
///
/// # Errors
/// What concerns all: no image, an image that cannot be had, a checkpoint that cannot be written, an interruption.
pub fn fit(
    run: &Fit<'_>,
    members: &mut [Member<'_>],
    stop: &dyn Fn() -> bool,
    done: &mut dyn FnMut(StepDone),
) -> Result<Vec<FitResult>, TrainError> {
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
            let taken = step(run, &mut all, lead, (&sets, &mut prefetch))?;
            done(taken);
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
) -> Result<StepDone, TrainError> {
    let (at, size) = (all[lead].at, all[lead].picks().len());
    let beside = |index: &usize| {
        let going = &all[*index];
        let as_far = going.at == at && going.stage == all[lead].stage && going.picks().len() == size;
        as_far && going.outcome.is_none()
    };
    let beside: Vec<usize> = (0..all.len()).filter(beside).collect();
    let (places, shares) = match run.slots {
        Slots::Alike => (beside, Shares::All),
        Slots::Fixed(slots) => {
            let mut places = vec![lead; slots];
            beside.into_iter().for_each(|index| places[all[index].member.slot] = index);
            (places, Shares::Even)
        }
    };
    let own = |slot: usize| shares == Shares::All || all[places[slot]].member.slot == slot;
    let of = |place: &usize| (all[*place].member.images, all[*place].picks());
    let (images, labels) = match shares {
        Shares::All => {
            let (images, labels) = joint_batch(&[of(&lead)], run.needs, prefetch)?;
            (images, vec![labels[0].clone(); places.len()])
        }
        Shares::Even => joint_batch(&places.iter().map(of).collect::<Vec<_>>(), run.needs, prefetch)?,
    };
    if all[lead].member.images.reads_pixels(run.needs) {
        // The same trainings beside each other again, a step further.
        let distinct = places.iter().enumerate().filter(|(slot, place)| !places[..*slot].contains(place));
        let distinct = distinct.filter(|(_, place)| shares == Shares::Even || **place == lead);
        let next = distinct.filter_map(|(_, place)| Some((sets[*place], all[*place].next_picks()?)));
        prefetch.ask(next);
    }
    let noise: Vec<String> = places.iter().map(|place| all[*place].noise()).collect();
    let slots: Vec<_> = places
        .iter()
        .enumerate()
        .map(|(slot, place)| StepPart {
            parameters: all[*place].member.parameters,
            labels: own(slot).then_some(&labels[slot]),
            noise: own(slot).then_some(noise[slot].as_str()),
        })
        .collect();
    let outcomes = joint_step(run.head, &slots, &images, shares, at)?;
    let mut taken = all[lead].standing();
    let mut losses = Vec::new();
    for (place, outcome) in places.into_iter().zip(outcomes) {
        match outcome {
            Some(Ok(gradients)) => {
                losses.push(gradients.loss);
                all[place].advance(run, &gradients)?;
            }
            Some(Err(error)) => all[place].outcome = Some(Err(error)),
            None => continue,
        }
        taken.trainings += 1;
        taken.images += size;
    }
    taken.loss = (!losses.is_empty()).then(|| losses.iter().sum::<f64>() / losses.len() as f64);
    Ok(taken)
}

/// A training on its way: what changes from step to step, beside the parameters.
struct Going<'m, 'a> {
    member: &'m mut Member<'a>,
    /// Epoch and step.
    at: (usize, usize),
    /// Where it began; there is nothing to keep there.
    start: (usize, usize),
    /// The recipe of each stage.
    stages: Vec<Recipe>,
    stage: usize,
    /// The epoch with which the stage began.
    begun: usize,
    /// Steps of this epoch.
    steps: usize,
    order: Vec<Pick>,
    loss_total: f64,
    log: Vec<EpochLog>,
    optimiser: Optimiser,
    /// The average over epochs, or the parameters of the best epoch so far.
    average: Vec<Tensor>,
    /// How many images the best epoch got right.
    best: Option<u64>,
    outcome: Option<FitResult>,
}

impl<'m, 'a> Going<'m, 'a> {
    /// From the keeper's place, with its values put into the parameters; else from the beginning.
    fn start(run: &Fit<'_>, member: &'m mut Member<'a>) -> Result<Self, TrainError> {
        let count = member.images.len();
        if count == 0 {
            let reason = format!("train on {}: the draw has no image", member.stream[0]);
            return Err(TrainError::Empty(reason));
        }
        let share = run.head.second_stage().map_or(1.0, |second| second.first_share());
        let stages = run.recipe.stages(count, share);
        let optimiser = Optimiser::new(run.recipe.rule()).stored_as(run.storage);
        let mut going = Self {
            member,
            at: (0, 0),
            start: (0, 0),
            stages,
            stage: 0,
            begun: 0,
            steps: 0,
            order: Vec::new(),
            loss_total: 0.0,
            log: Vec::new(),
            optimiser,
            average: Vec::new(),
            best: None,
            outcome: None,
        };
        if let Some(standing) = going.member.keeper.resume(going.member.parameters)? {
            going.take_up(run, standing)?;
        }
        going.begin_epoch();
        Ok(going)
    }

    /// Goes on from a standing; one of another stage than there is, or with other shapes, is none.
    fn take_up(&mut self, run: &Fit<'_>, standing: CheckpointState) -> Result<(), TrainError> {
        match (standing.stage, run.head.second_stage()) {
            (0, _) => {}
            (1, Some(second)) if self.stages.len() > 1 => {
                let parameters = second.start(&standing.parameters)?;
                if !standing.fits(&parameters) {
                    return Ok(());
                }
                *self.member.parameters = parameters;
                self.begun = self.stages[0].epochs(self.member.images.len());
            }
            _ => return Ok(()),
        }
        self.member.parameters.set(&standing.parameters)?;
        let optimiser = Optimiser::new(run.recipe.rule()).stored_as(run.storage);
        self.optimiser = optimiser.resume(standing.optimiser);
        (self.stage, self.at) = (standing.stage, (standing.epoch, standing.step));
        self.start = self.at;
        (self.loss_total, self.log, self.average) = (standing.loss_total, standing.log, standing.average);
        if let Some(score) = self.member.score.filter(|_| !self.average.is_empty()) {
            self.best = Some(score.correct(&self.with_average())?);
        }
        Ok(())
    }

    fn recipe(&self) -> &Recipe {
        &self.stages[self.stage]
    }

    /// The views of the step behind the next one, if this stage has one.
    fn next_picks(&self) -> Option<Vec<Pick>> {
        let (recipe, (epoch, step)) = (self.recipe(), self.at);
        if step + 1 < self.steps {
            return self.order.chunks(recipe.batch_size).nth(step + 1).map(<[Pick]>::to_vec);
        }
        if epoch + 1 - self.begun >= recipe.epochs(self.member.images.len()) {
            return None;
        }
        let order = order(recipe, self.member, epoch + 1);
        order.chunks(recipe.batch_size).next().map(<[Pick]>::to_vec)
    }

    /// Settles the steps and the order of the epoch at hand.
    fn begin_epoch(&mut self) {
        self.steps = self.recipe().steps(self.member.images.len(), self.at.0 - self.begun);
        self.order = order(self.recipe(), self.member, self.at.0);
    }

    /// Names the random numbers of the next step.
    fn noise(&self) -> String {
        let [dataset, seed, method] = self.member.stream;
        format!("{dataset} {seed} {method} {} {}", self.at.0, self.at.1)
    }

    /// The step that is next, as if it were taken by nobody.
    fn standing(&self) -> StepDone {
        let images = self.member.images.len();
        let (epoch, step) = self.at;
        let steps_of =
            |stages: &[Recipe]| stages.iter().map(|stage| stage.total_steps(images)).sum::<usize>();
        let in_stage = (epoch - self.begun) * self.recipe().full_steps(images) + step;
        let done = steps_of(&self.stages[..self.stage]) + in_stage + 1;
        StepDone {
            epoch: epoch + 1,
            epochs: self.stages.iter().map(|stage| stage.epochs(images)).sum(),
            step: step + 1,
            steps: self.steps,
            done,
            of: steps_of(&self.stages).max(done),
            loss: None,
            trainings: 0,
            images: 0,
        }
    }

    /// The views of the next step.
    fn picks(&self) -> &[Pick] {
        self.order.chunks(self.recipe().batch_size).nth(self.at.1).unwrap_or_default()
    }

    fn keep(&mut self) -> Result<(), TrainError> {
        if self.outcome.is_some() || self.at == self.start {
            return Ok(());
        }
        self.member.keeper.keep(&CheckpointState {
            epoch: self.at.0,
            step: self.at.1,
            stage: self.stage,
            loss_total: self.loss_total,
            log: self.log.clone(),
            parameters: self.member.parameters.values()?,
            trained: self.member.parameters.iter().map(|(name, _)| name.to_owned()).collect(),
            optimiser: self.optimiser.state(),
            average: self.average.clone(),
        })
    }

    /// The parameters with the average, or the best epoch's values, in place of the current ones.
    fn with_average(&self) -> Named {
        let parameters = &*self.member.parameters;
        let fixed = parameters.fixed().iter().map(|(name, value)| (name.to_owned(), value.clone()));
        let names = parameters.iter().map(|(name, _)| name.to_owned());
        Named::new(fixed.chain(names.zip(self.average.iter().cloned())))
    }

    /// Keeps the epoch's parameters if they are better than those of every epoch before.
    fn choose(&mut self, score: &Score<'_>) -> Result<(), TrainError> {
        let correct = score.correct(&self.member.parameters.values()?)?;
        if self.best.is_none_or(|best| correct > best) {
            self.best = Some(correct);
            let copies = self.member.parameters.iter().map(|(_, var)| var.as_tensor().detach().copy());
            self.average = copies.collect::<Result<_, _>>()?;
        }
        Ok(())
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
        let epoch = at.0 - self.begun;
        let learning_rate = self.recipe().learning_rate(images, (epoch, at.1));
        self.optimiser.step(self.member.parameters, gradients, learning_rate)?;
        self.loss_total += gradients.loss;
        let used = |pick: &Pick| Pick { view: self.member.images.view_of(pick.view), ..*pick };
        let picks: Vec<Pick> = self.picks().iter().map(used).collect();
        self.member.keeper.stepped(&Stepped { at, learning_rate, loss: gradients.loss, picks: &picks });
        self.at.1 += 1;
        if self.at.1 < self.steps {
            return Ok(());
        }
        let mean_loss = std::mem::take(&mut self.loss_total) / self.steps as f64;
        let learning_rate = self.recipe().learning_rate(images, (epoch, 0));
        self.log.push(EpochLog { learning_rate, steps: self.steps as u64, mean_loss });
        match self.member.score {
            Some(score) => self.choose(score)?,
            None => self.average(self.recipe().average_weight(images, epoch))?,
        }
        self.at = (at.0 + 1, 0);
        if epoch + 1 < self.recipe().epochs(images) {
            self.begin_epoch();
            return Ok(());
        }
        self.end_stage(run, at)
    }

    /// The average, or the best epoch, takes the parameters' place, and another stage begins or the training is over.
    fn end_stage(&mut self, run: &Fit<'_>, at: (usize, usize)) -> Result<(), TrainError> {
        if !self.average.is_empty() {
            self.member.parameters.set(&self.with_average())?;
            self.average.clear();
            self.best = None;
        }
        // The last update has no following step that would notice.
        let finite = check_finite(self.member.parameters, at);
        match (finite, run.head.second_stage()) {
            (Ok(()), Some(second)) if self.stage + 1 < self.stages.len() => {
                *self.member.parameters = second.start(&self.member.parameters.values()?)?;
                self.optimiser = Optimiser::new(run.recipe.rule()).stored_as(run.storage);
                (self.stage, self.begun) = (self.stage + 1, self.at.0);
                self.begin_epoch();
            }
            (finite, _) => {
                let log = std::mem::take(&mut self.log);
                self.outcome = Some(finite.map(|()| log));
            }
        }
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
