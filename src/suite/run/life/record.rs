//! The last step: what became of each cell is written down, and its claim given back.

use std::collections::BTreeMap;

use super::cell::{CellRun, Results, State};
use super::lane::Lane;
use crate::record::{Outcome, RunRecord, SCHEMA_VERSION, Timing};
use crate::suite::disk::{checkpoint, partial};
use crate::suite::error::SuiteError;
use crate::suite::plan::cell::CellPlan;
use crate::suite::run::event::Event;
use crate::suite::run::provenance::provenance;
use crate::suite::world::BenchDataset;

impl Lane<'_> {
    /// Records every cell, and removes what it kept for the case of a kill.
    pub(super) fn record(&self, dataset: &BenchDataset, cells: &mut [CellRun]) -> Result<(), SuiteError> {
        for cell in cells {
            let record = self.record_of(dataset, cell)?;
            let failed = record.outcome != Outcome::Complete;
            // Before the record, because nobody comes back to a recorded cell.
            for target in self.targets(dataset) {
                for classes in &self.plan.suite.evaluate {
                    partial::discard(self.store, &record.key, &target.id, *classes)?;
                }
            }
            if failed {
                // It would fail again at the same step; what it kept is of no use.
                checkpoint::discard(self.store, &cell.plan.training_key)?;
            }
            self.store.save(&record)?;
            cell.recorded()?;
            (self.event)(Event::CellDone { failed });
        }
        Ok(())
    }

    fn record_of(&self, dataset: &BenchDataset, cell: &CellRun) -> Result<RunRecord, SuiteError> {
        let none = Results::default();
        let (outcome, trained, results) = match cell.state() {
            State::Failed(_, error) => (Outcome::Failed { error: self.redactor.text(error) }, None, &none),
            State::Trained(_, trained) => (Outcome::Complete, trained.as_ref(), &none),
            State::Evaluated(_, trained, results) => (Outcome::Complete, trained.as_ref(), results),
            _ => return Err(cell.out_of_order("recorded")),
        };
        let plan = &cell.plan;
        Ok(RunRecord {
            schema_version: SCHEMA_VERSION,
            key: plan.key.clone(),
            cell: plan.cell.clone(),
            outcome,
            config: self.method(plan).config.clone().into(),
            set_for_dataset: plan.set_for_dataset.clone(),
            switches: self.switches(dataset, plan).into(),
            training: trained.map(|trained| trained.training.clone()),
            evaluations: results.evaluations.clone(),
            measurements: results.measurements.clone(),
            provenance: provenance(self.world, dataset, plan.draw_sha256.clone(), self.command, self.slurm),
            timing: Timing { train_secs: trained.map_or(0.0, |trained| trained.seconds), ..cell.timing },
            record_sha256: String::new(),
        })
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
}
