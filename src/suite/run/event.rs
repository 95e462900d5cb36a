//! What a run tells while it goes: where trainings and passes stand, what is done, what went wrong on the way.

use crate::data::Classes;
use crate::suite::plan::workload::Workload;
use crate::train::StepDone;

/// Something happened; for progress lines.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The work is known: trainings and cells to come, cells already done.
    Planned {
        /// Trainings to do.
        trainings: u64,
        /// Cells to record.
        cells: u64,
        /// Cells found complete.
        skipped: u64,
        /// What the pieces cost.
        work: Workload,
    },
    /// A training took a step, or several did one together.
    Step(StepNews),
    /// A pass over test images came on.
    Tested(PassNews),
    /// An image could not be read and is left out (`data.broken_images=skip`).
    LeftOut {
        /// The dataset.
        dataset: String,
        /// What is wrong, with the item's path.
        reason: String,
    },
    /// The cache folder could not be written to; the run goes on without.
    CacheFailed {
        /// What the system said.
        reason: String,
    },
    /// A file of a finished cell is missing or damaged, so the cell is run again.
    Damaged {
        /// The file, relative to the run directory.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// One training is over, or was found done.
    TrainingDone {
        /// Dataset trained on.
        dataset: String,
        /// Index into [`Plan::methods`](crate::suite::Plan::methods).
        method: usize,
        /// Training images a class.
        shots: Option<u32>,
    },
    /// One cell is recorded.
    CellDone {
        /// Whether it is recorded as failed.
        failed: bool,
    },
}

/// Where a training stands after a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepNews {
    /// Dataset trained on.
    pub dataset: String,
    /// Method id.
    pub method_id: &'static str,
    /// Training images a class.
    pub shots: Option<u32>,
    /// The trainings that take their steps together: index into [`Plan::methods`](crate::suite::Plan::methods), and seed.
    pub trainings: Vec<(usize, u64)>,
    /// The step.
    pub step: StepDone,
}

/// Where a pass over test images stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassNews {
    /// Dataset tested on.
    pub dataset: String,
    /// Classes that compete.
    pub classes: Classes,
    /// Cells that the pass serves.
    pub cells: u64,
    /// Images done.
    pub done: u64,
    /// Images in all.
    pub of: u64,
}
