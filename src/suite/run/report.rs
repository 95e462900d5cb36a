//! From a run directory to a report directory: reads records, fills in the report's frame.

use std::path::Path;

use crate::record::Store;
use crate::report::{RenderedReport, ReportSpec, Section, render};
use crate::suite::error::SuiteError;
use crate::suite::plan::cells::Plan;
use crate::suite::plan::scope;
use crate::suite::spec::file::SuiteFile;

/// Renders `OUT/reports/SUITE-PROFILE` from what lies in `OUT/runs/SUITE-PROFILE` alone: the records, and the
/// resolved suite of the last run, which says what was planned.
///
/// # Errors
/// [`SuiteError::Store`] for a record that cannot be read, [`SuiteError::Report`] without records or for a
/// picture that fails, [`SuiteError::Unknown`] for a name without a run and without a suite.
pub fn render_report(out: &Path, name: &str, profile: &str) -> Result<RenderedReport, SuiteError> {
    let store = Store::new(out, name, profile);
    let (suite, expected) = match SuiteFile::stored(&store, name)? {
        Some(suite) => {
            let expected = Plan::new(suite.clone(), &[], None)?.coordinates(profile);
            (suite, expected)
        }
        None => (SuiteFile::find(name)?.for_profile(profile), Vec::new()),
    };
    // Processes that share an output report one after the other, so the last report holds all records.
    let _lock = store.lock_report()?;
    let records = store.all()?;
    let part = scope::part_of_suite(name, profile, &records);
    let spec = ReportSpec {
        title: suite.title,
        description: suite.description,
        sections: Section::of_page(&suite.sections),
        banners: part
            .iter()
            .map(|part| format!("Part of the suite: {part}. Averages are over these alone."))
            .collect(),
        marks: part.into_iter().collect(),
        deviations: suite.deviations,
        expected,
    };
    let dir = out.join("reports").join(format!("{name}-{profile}"));
    Ok(render(&records, &spec, &dir, &|_, evaluation| store.predictions(evaluation))?)
}
