//! Where a training stands between two steps, and who keeps that. Files are the business of whoever implements
//! [`Keeper`].

use candle_core::Tensor;

use super::error::TrainError;
use super::optimiser::OptimiserState;
use super::views::Pick;
use crate::method::{Named, Parameters};

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

/// A training before step `step` of epoch `epoch`.
#[derive(Clone, Debug)]
pub struct CheckpointState {
    /// Epoch, from 0.
    pub epoch: usize,
    /// Step within the epoch, from 0.
    pub step: usize,
    /// Which stage of the training, from 0.
    pub stage: usize,
    /// Sum of the losses (nats) of the epoch's earlier steps.
    pub loss_total: f64,
    /// Finished epochs.
    pub log: Vec<EpochLog>,
    /// Parameters, those that are not trained at this stage among them.
    pub parameters: Named,
    /// Names of the trained ones, in order.
    pub trained: Vec<String>,
    /// What the optimiser remembers.
    pub optimiser: OptimiserState,
    /// The weighted average over the finished epochs so far, in parameter order; empty without one.
    pub average: Vec<Tensor>,
}

impl CheckpointState {
    /// Whether it is one of a training of these parameters: their names in order, their shapes.
    pub fn fits(&self, parameters: &Parameters) -> bool {
        let fits = |name: &str, dims: &[usize]| self.parameters.get(name, dims).is_ok();
        self.trained.iter().map(String::as_str).eq(parameters.iter().map(|(name, _)| name))
            && parameters.iter().all(|(name, var)| fits(name, var.dims()))
    }
}

/// Keeps the standing of one training.
pub trait Keeper {
    /// Where to go on from, if that was kept. In the first stage its tensors fit `parameters` in names and shapes.
    ///
    /// # Errors
    /// [`TrainError`]; a damaged checkpoint is none at all.
    fn resume(&mut self, parameters: &Parameters) -> Result<Option<CheckpointState>, TrainError>;

    /// Whether the next standing should be kept.
    fn due(&self) -> bool;

    /// Keeps a standing in place of the one before.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`].
    fn keep(&mut self, standing: &CheckpointState) -> Result<(), TrainError>;

    /// Hears of every step that was taken.
    fn stepped(&mut self, _: &Stepped<'_>) {}
}

/// One step that was taken.
#[derive(Clone, Copy, Debug)]
pub struct Stepped<'a> {
    /// Epoch and step, from 0.
    pub at: (usize, usize),
    /// Its learning rate.
    pub learning_rate: f64,
    /// Its objective (nats), before the update.
    pub loss: f64,
    /// The views of its batch; a bank's are those it has.
    pub picks: &'a [Pick],
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCheckpoints;

impl Keeper for NoCheckpoints {
    fn resume(&mut self, _: &Parameters) -> Result<Option<CheckpointState>, TrainError> {
        Ok(None)
    }

    fn due(&self) -> bool {
        false
    }

    fn keep(&mut self, _: &CheckpointState) -> Result<(), TrainError> {
        Ok(())
    }
}
