//! Measurements of a cell besides its accuracy.
//!
//! They are taken once a cell is trained, class half by class half, on the method's own terms: what is measured
//! is asked of the method, never guessed from its name.

use std::collections::BTreeMap;

use super::cost;
use super::lane::{Candidate, Lane, cell_error};
use super::shift;
use crate::record::Measurement;
use crate::suite::error::SuiteError;
use crate::suite::spec::file::Measure;
use crate::suite::world::BenchDataset;

impl<'a> Lane<'a> {
    /// Takes the suite's measurements of every cell that is still sound.
    pub fn measure(
        &self,
        dataset: &BenchDataset,
        candidates: &mut [Candidate<'a>],
    ) -> Result<(), SuiteError> {
        for candidate in candidates.iter_mut() {
            for measure in &self.plan.suite.measure {
                let Ok(trained) = &candidate.trained else { continue };
                let parameters = trained.as_ref().map(|trained| &trained.parameters);
                let taken = match measure {
                    Measure::RepresentationShift => shift::measure(self, dataset, candidate.plan, parameters),
                    Measure::Cost => cost::measure(self, dataset, candidate.plan),
                };
                match taken {
                    Ok(taken) => candidate.measurements.extend(taken),
                    Err(error) => candidate.trained = Err(cell_error(error)?),
                }
            }
        }
        Ok(())
    }
}

/// One number with its place.
pub(in crate::suite) fn number(quantity: &str, place: &[(&str, String)], value: f64) -> Measurement {
    let place: BTreeMap<String, String> =
        place.iter().map(|(key, word)| ((*key).to_owned(), word.clone())).collect();
    Measurement { quantity: quantity.to_owned(), place, value }
}
