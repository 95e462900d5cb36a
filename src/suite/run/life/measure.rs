//! Measurements of a cell besides its accuracy.
//!
//! They are taken once a cell is trained, class half by class half, on the method's own terms: what is measured
//! is asked of the method, never guessed from its name.

use super::cell::CellRun;
use super::cost;
use super::lane::Lane;
use super::shift;
use crate::suite::error::SuiteError;
use crate::suite::spec::file::Measure;
use crate::suite::world::BenchDataset;

impl Lane<'_> {
    /// Takes the suite's measurements of every cell that is still sound.
    pub(super) fn measure(&self, dataset: &BenchDataset, cells: &mut [CellRun]) -> Result<(), SuiteError> {
        for cell in cells.iter_mut() {
            for measure in &self.plan.suite.measure {
                if !cell.is_sound() {
                    continue;
                }
                let parameters = cell.training().map(|trained| &trained.parameters);
                let taken = match measure {
                    Measure::RepresentationShift => shift::measure(self, dataset, &cell.plan, parameters),
                    Measure::Cost => cost::measure(self, dataset, &cell.plan),
                };
                match taken {
                    Ok(taken) => cell.measured(taken)?,
                    Err(error) => cell.fail_with(error)?,
                }
            }
        }
        Ok(())
    }
}
