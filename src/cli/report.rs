//! `report NAME`: render again, from records alone.

use super::args::ReportArgs;
use super::exit::{Exit, Failure};
use crate::suite::render_report;

pub(super) fn report(args: &ReportArgs) -> Result<Exit, Failure> {
    let report = render_report(&args.out, &args.name, &args.profile)?;
    println!("report: {}", report.dir.join("README.md").display());
    Ok(Exit::Ok)
}
