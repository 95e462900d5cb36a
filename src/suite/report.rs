//! From a run directory to a report directory: reads records, fills in the report's frame.

use std::path::Path;

use super::error::SuiteError;
use super::file::SuiteFile;
use crate::record::Store;
use crate::report::{RenderedReport, ReportSpec, render};

/// Renders `OUT/reports/SUITE-PROFILE` from the records of `OUT/runs/SUITE-PROFILE` alone.
///
/// # Errors
/// [`SuiteError::Store`] for a record that cannot be read, [`SuiteError::Report`] without records or for a
/// picture that fails.
pub fn render_report(out: &Path, suite: &SuiteFile, profile: &str) -> Result<RenderedReport, SuiteError> {
    let store = Store::new(out, &suite.name, profile);
    // Processes that share an output report one after the other, so the last report holds all records.
    let _lock = store.lock_report()?;
    let records = store.all()?;
    let (suite, deviations) = suite.clone().for_profile(profile);
    let spec = ReportSpec {
        title: suite.title.clone(),
        description: suite.description.clone(),
        sections: suite.sections.clone(),
        banners: Vec::new(),
        deviations,
        expected: Vec::new(),
    };
    let dir = out.join("reports").join(format!("{}-{profile}", suite.name));
    Ok(render(&records, &spec, &dir, &|_, evaluation| store.predictions(evaluation))?)
}
