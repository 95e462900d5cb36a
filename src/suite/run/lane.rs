//! One dataset from draw to records: train what is missing, evaluate all of it together, record.
//!
//! Whatever goes wrong with one cell is that cell's record; only what concerns everybody stops the lane.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::event::Event;
use super::measure::number;
use super::provenance::{CommandLine, provenance};
use crate::backbone::halving::halvings;
use crate::data::Classes;
use crate::method::ClassTexts;
use crate::record::{
    Evaluation, Measurement, Outcome, Redactor, RunRecord, SCHEMA_VERSION, SlurmTask, Store, Timing,
};
use crate::suite::disk::trained::Trained;
use crate::suite::disk::{checkpoint, partial};
use crate::suite::error::SuiteError;
use crate::suite::plan::cells::{CellPlan, Plan};
use crate::suite::spec::overrides::Resolved;
use crate::suite::world::{BenchDataset, World};
use crate::train::{FeatureStore, TrainError};

/// Everything a dataset's work needs.
pub(in crate::suite) struct Lane<'a> {
    pub world: &'a World,
    pub plan: &'a Plan,
    pub store: &'a Store,
    /// Further datasets that every cell is tested on.
    pub others: &'a [Arc<BenchDataset>],
    /// Trains again what is trained already.
    pub fresh: bool,
    pub command: &'a CommandLine,
    /// The Slurm task this is, for the records.
    pub slurm: Option<&'a SlurmTask>,
    pub redactor: &'a Redactor,
    /// Pooled features of views, shared by lanes.
    pub features: &'a FeatureStore,
    /// Time between two checkpoints of a training.
    pub checkpoint_every: Duration,
    pub stop: &'a (dyn Fn() -> bool + Sync),
    pub event: &'a (dyn Fn(Event) + Sync),
}

/// A cell on its way: trained, or failed with the error to record.
pub(in crate::suite) struct Candidate<'a> {
    pub plan: &'a CellPlan,
    pub trained: Result<Option<Trained>, String>,
    pub evaluations: Vec<Evaluation>,
    pub measurements: Vec<Measurement>,
    pub timing: Timing,
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

impl<'a> Lane<'a> {
    /// Runs the pending cells of a dataset.
    pub fn run(&self, dataset: &BenchDataset, pending: &'a [CellPlan]) -> Result<(), SuiteError> {
        let before = halvings();
        let mut candidates = self.train_all(dataset, pending)?;
        for target in std::iter::once(dataset).chain(self.others.iter().map(Arc::as_ref)) {
            for classes in &self.plan.suite.evaluate {
                self.evaluate_half(target, *classes, &mut candidates)?;
            }
        }
        self.measure(dataset, &mut candidates)?;
        let halved = halvings() - before;
        for candidate in candidates {
            let training_key = candidate.plan.training_key.as_str();
            let mut record = self.record(dataset, candidate);
            if halved > 0 {
                record.measurements.push(number("out_of_memory_halvings", &[], halved as f64));
            }
            // First, because nobody comes back to a recorded cell.
            for target in std::iter::once(dataset).chain(self.others.iter().map(Arc::as_ref)) {
                for classes in &self.plan.suite.evaluate {
                    partial::discard(self.store, &record.key, &target.id, *classes)?;
                }
            }
            if record.outcome != Outcome::Complete {
                // It would fail again at the same step; what it kept is of no use.
                checkpoint::discard(self.store, training_key)?;
            }
            self.store.save(&record)?;
            (self.event)(Event::CellDone { failed: record.outcome != Outcome::Complete });
        }
        Ok(())
    }

    pub fn method(&self, cell: &CellPlan) -> &Resolved {
        &self.plan.methods[cell.method]
    }

    /// Token ids of the wordings of a half's classes, as a method words them.
    pub fn texts(
        &self,
        dataset: &BenchDataset,
        method: &Resolved,
        classes: Classes,
    ) -> Result<ClassTexts, SuiteError> {
        self.world.class_texts(dataset, &method.style, classes)
    }

    /// The method's switches, and whether somebody else's draws were used: seeds of two kinds of draw are no
    /// seeds of one mean.
    fn switches(&self, dataset: &BenchDataset, cell: &CellPlan) -> BTreeMap<String, String> {
        let mut switches = self.method(cell).switches.clone();
        if dataset.draw_files.is_some() && cell.draw_sha256.is_some() {
            switches.insert("data.draws".to_owned(), "published".to_owned());
        }
        switches
    }

    fn record(&self, dataset: &BenchDataset, candidate: Candidate<'_>) -> RunRecord {
        let resolved = self.method(candidate.plan);
        let (outcome, trained) = match candidate.trained {
            Ok(trained) => (Outcome::Complete, trained),
            Err(error) => (Outcome::Failed { error: self.redactor.text(&error) }, None),
        };
        let complete = outcome == Outcome::Complete;
        let train_secs = trained.as_ref().map_or(0.0, |trained| trained.seconds);
        RunRecord {
            schema_version: SCHEMA_VERSION,
            key: candidate.plan.key.clone(),
            cell: candidate.plan.cell.clone(),
            outcome,
            config: resolved.config.clone(),
            set_for_dataset: candidate.plan.set_for_dataset.clone(),
            switches: self.switches(dataset, candidate.plan),
            training: trained.map(|trained| trained.training),
            evaluations: if complete { candidate.evaluations } else { Vec::new() },
            measurements: if complete { candidate.measurements } else { Vec::new() },
            provenance: provenance(
                self.world,
                dataset,
                candidate.plan.draw_sha256.clone(),
                self.command,
                self.slurm,
            ),
            timing: Timing { train_secs, ..candidate.timing },
            record_sha256: String::new(),
        }
    }
}

impl<'a> Candidate<'a> {
    pub fn new(plan: &'a CellPlan, trained: Result<Option<Trained>, String>) -> Self {
        let (evaluations, measurements) = (Vec::new(), Vec::new());
        Self { plan, trained, evaluations, measurements, timing: Timing::default() }
    }
}
