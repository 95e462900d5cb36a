//! `report NAME`: render again, from records alone.

use super::args::ReportArgs;
use super::exit::{Exit, Failure};
use crate::suite::{SuiteFile, render_report};

pub(super) fn report(args: &ReportArgs) -> Result<Exit, Failure> {
    let suite = SuiteFile::find(&args.name)?;
    let report = render_report(&args.out, &suite, &args.profile)?;
    println!("report: {}", report.dir.join("README.md").display());
    Ok(Exit::Ok)
}
