//! One cell on its way through a run, and the states it can be in.
//!
//! A state holds what is known by then and nothing else, so that no step can read what an earlier one has not made. The
//! claim goes from state to state with it: it is given back when the record is written, or when the run stops.

use crate::record::{Evaluation, Held, Measurement, Timing};
use crate::suite::disk::trained::Trained;
use crate::suite::error::SuiteError;
use crate::suite::plan::cell::CellPlan;
use crate::train::TrainError;

/// A cell, what it takes so far, and how far it is.
pub(in crate::suite) struct CellRun {
    pub plan: CellPlan,
    pub timing: Timing,
    state: State,
}

/// How far a cell is.
pub(in crate::suite) enum State {
    /// Its keys are known.
    Planned,
    /// This process may run it, and no other does.
    Claimed(Held),
    /// Its parameters are there; `None` where its method trains nothing, or nothing is evaluated.
    Trained(Held, Option<Trained>),
    /// It was tested on one half after the other, and measured.
    Evaluated(Held, Option<Trained>, Results),
    /// Something went wrong that is its own alone; its record will say what.
    Failed(Held, String),
    /// Its record is written.
    Recorded,
}

/// What a cell's evaluation left.
#[derive(Default)]
pub(in crate::suite) struct Results {
    pub evaluations: Vec<Evaluation>,
    pub measurements: Vec<Measurement>,
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Claimed(_) => "claimed",
            Self::Trained(..) => "trained",
            Self::Evaluated(..) => "evaluated",
            Self::Failed(..) => "failed",
            Self::Recorded => "recorded",
        }
    }
}

impl CellRun {
    /// A cell of which nothing is done.
    pub fn new(plan: CellPlan) -> Self {
        Self { plan, timing: Timing::default(), state: State::Planned }
    }

    /// How far it is.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether it has parameters, or needs none, and nothing went wrong.
    pub fn is_sound(&self) -> bool {
        matches!(self.state, State::Trained(..) | State::Evaluated(..))
    }

    /// What its training left.
    pub fn training(&self) -> Option<&Trained> {
        match &self.state {
            State::Trained(_, trained) | State::Evaluated(_, trained, _) => trained.as_ref(),
            _ => None,
        }
    }

    /// Planned → claimed.
    ///
    /// # Errors
    /// [`SuiteError::Step`] from any other state, here and below: a fault of this program.
    pub fn claim(&mut self, held: Held) -> Result<(), SuiteError> {
        self.step("claimed", |state| match state {
            State::Planned => (State::Claimed(held), true),
            other => (other, false),
        })
    }

    /// Claimed → trained.
    pub fn trained(&mut self, trained: Option<Trained>) -> Result<(), SuiteError> {
        self.step("trained", |state| match state {
            State::Claimed(held) => (State::Trained(held, trained), true),
            other => (other, false),
        })
    }

    /// Trained → evaluated, or one evaluation more.
    pub fn evaluated(&mut self, evaluation: Evaluation) -> Result<(), SuiteError> {
        self.results("evaluated", |results| results.evaluations.push(evaluation))
    }

    /// Trained → evaluated, or further measurements.
    pub fn measured(&mut self, measurements: Vec<Measurement>) -> Result<(), SuiteError> {
        self.results("measured", |results| results.measurements.extend(measurements))
    }

    /// To failed, from wherever it was after it was claimed.
    pub fn fail(&mut self, error: String) -> Result<(), SuiteError> {
        self.step("failed", |state| match state {
            State::Claimed(held)
            | State::Trained(held, _)
            | State::Evaluated(held, ..)
            | State::Failed(held, _) => (State::Failed(held, error), true),
            other => (other, false),
        })
    }

    /// The same, for an error that concerns this cell alone; any other error comes back, and stops the lane.
    ///
    /// # Errors
    /// The error itself where it is not the cell's.
    pub fn fail_with(&mut self, error: SuiteError) -> Result<(), SuiteError> {
        let text = cell_error(error)?;
        self.fail(text)
    }

    /// To recorded, whether it went well or failed. The claim is given back.
    pub fn recorded(&mut self) -> Result<(), SuiteError> {
        self.step("recorded", |state| match state {
            State::Trained(..) | State::Evaluated(..) | State::Failed(..) => (State::Recorded, true),
            other => (other, false),
        })
    }

    fn results(&mut self, to: &'static str, add: impl FnOnce(&mut Results)) -> Result<(), SuiteError> {
        self.step(to, |state| {
            let (held, trained, mut results) = match state {
                State::Trained(held, trained) => (held, trained, Results::default()),
                State::Evaluated(held, trained, results) => (held, trained, results),
                other => return (other, false),
            };
            add(&mut results);
            (State::Evaluated(held, trained, results), true)
        })
    }

    /// The error of a step that does not follow from the state.
    pub fn out_of_order(&self, to: &'static str) -> SuiteError {
        SuiteError::Step { key: self.plan.key.clone(), from: self.state.name(), to }
    }

    /// Goes on by `next`, which says whether the step follows from the state, and gives the state back where not.
    fn step(
        &mut self,
        to: &'static str,
        next: impl FnOnce(State) -> (State, bool),
    ) -> Result<(), SuiteError> {
        let (state, taken) = next(std::mem::replace(&mut self.state, State::Planned));
        self.state = state;
        if taken { Ok(()) } else { Err(self.out_of_order(to)) }
    }
}

/// Errors that concern one cell go into its record; everything else stops the lane.
pub(in crate::suite) fn cell_error(error: SuiteError) -> Result<String, SuiteError> {
    match error {
        SuiteError::Train(
            TrainError::NotFinite { .. }
            | TrainError::NoGradient(_)
            | TrainError::Logits { .. }
            | TrainError::Method(_),
        )
        | SuiteError::Method(_)
        | SuiteError::Load(_)
        | SuiteError::Prompts { .. }
        | SuiteError::Touched { .. } => Ok(error.to_string()),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::Classes;
    use crate::record::{Cell, Claims, Holder};
    use crate::suite::plan::cell::Origin;

    fn planned() -> CellRun {
        let cell = Cell {
            suite: "s".into(),
            profile: "p".into(),
            dataset: "d".into(),
            method: "m".into(),
            variant: Default::default(),
            seed: None,
            shots: None,
            train_classes: Classes::Base,
            limit: None,
        };
        let (training_key, key, set_for_dataset) = ("t".to_owned(), "k".to_owned(), Default::default());
        let origin = Origin::Frozen;
        CellRun::new(CellPlan {
            cell,
            method: 0,
            origin,
            set_for_dataset,
            training_key,
            key,
            draw_sha256: None,
        })
    }

    #[test]
    fn a_cell_lives_in_order_and_in_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let claims = Claims::open(dir.path(), Holder::this_process(), Arc::new(|_| false)).unwrap();
        let held = || claims.take("k", None).unwrap().ok().unwrap();
        let mut cell = planned();
        for step in [
            &mut |cell: &mut CellRun| cell.trained(None) as Result<(), _>,
            &mut |cell: &mut CellRun| cell.measured(Vec::new()),
            &mut |cell: &mut CellRun| cell.fail("x".into()),
            &mut |cell: &mut CellRun| cell.recorded(),
        ] as [&mut dyn FnMut(&mut CellRun) -> Result<(), SuiteError>; 4]
        {
            let said = step(&mut cell).unwrap_err().to_string();
            assert!(said.contains("is planned"), "{said}");
        }
        cell.claim(held()).unwrap();
        assert!(cell.recorded().is_err() && cell.measured(Vec::new()).is_err() && !cell.is_sound());
        assert!(claims.take("k", None).unwrap().is_err(), "it is ours");
        cell.trained(None).unwrap();
        assert!(cell.is_sound() && cell.trained(None).is_err());
        cell.measured(Vec::new()).unwrap();
        cell.fail("x".into()).unwrap();
        assert!(!cell.is_sound() && cell.measured(Vec::new()).is_err());
        cell.recorded().unwrap();
        assert!(cell.recorded().is_err());
        assert!(claims.take("k", None).unwrap().is_ok(), "the claim was given back");
    }
}
