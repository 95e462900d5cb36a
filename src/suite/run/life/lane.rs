//! One dataset from draw to records: claim what is free, train what is missing, evaluate all of it together, record.
//!
//! Whatever goes wrong with one cell is that cell's record; only what concerns everybody stops the lane.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::cell::CellRun;
use super::claim::Claiming;
use crate::backbone::halving::halvings;
use crate::data::Classes;
use crate::method::ClassTexts;
use crate::record::{Measurement, Redactor, SlurmTask, Store};
use crate::suite::error::SuiteError;
use crate::suite::plan::cell::CellPlan;
use crate::suite::plan::resolve::Plan;
use crate::suite::run::event::Event;
use crate::suite::run::provenance::CommandLine;
use crate::suite::spec::overrides::Resolved;
use crate::suite::world::{BenchDataset, World};
use crate::train::FeatureStore;

/// Everything a dataset's work needs.
pub(in crate::suite) struct Lane<'a> {
    pub world: &'a World,
    pub plan: &'a Plan,
    pub store: &'a Store,
    pub claiming: &'a Claiming<'a>,
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

impl Lane<'_> {
    /// The life of cells of one dataset. Those that another process is working on come back as they were; `listed`
    /// looks at listings of claims first.
    ///
    /// # Errors
    /// What concerns every cell, and an interruption: what was recorded stays, all claims are given back.
    pub fn run(
        &self,
        dataset: &BenchDataset,
        planned: Vec<CellRun>,
        listed: bool,
    ) -> Result<Vec<CellRun>, SuiteError> {
        let (mut cells, elsewhere) = self.claiming.divide(planned, listed)?;
        if !cells.is_empty() {
            let before = halvings();
            self.train(dataset, &mut cells)?;
            self.evaluate(dataset, &mut cells)?;
            self.measure(dataset, &mut cells)?;
            let halved = halvings() - before;
            if halved > 0 {
                for cell in cells.iter_mut().filter(|cell| cell.is_sound()) {
                    cell.measured(vec![Measurement {
                        quantity: "out_of_memory_halvings".to_owned(),
                        place: BTreeMap::new(),
                        value: halved as f64,
                    }])?;
                }
            }
            self.record(dataset, &mut cells)?;
        }
        Ok(elsewhere)
    }

    /// The datasets that the cells of `dataset` are tested on: itself first.
    pub(super) fn targets<'d>(&'d self, dataset: &'d BenchDataset) -> impl Iterator<Item = &'d BenchDataset> {
        std::iter::once(dataset).chain(self.others.iter().map(Arc::as_ref))
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
}
