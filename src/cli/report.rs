//! `report NAME`: render again, from records alone.

use super::args::ReportArgs;
use super::exit::{Exit, Failure};
use super::named;
use crate::data::{Catalog, DataRoot};
use crate::report::RenderedReport;
use crate::report::terminal::text;
use crate::suite::{SuiteError, render_run};

/// The page is written whatever the predictions are like; where some cannot be used, the exit code says so too.
pub(super) fn report(args: &ReportArgs) -> Result<Exit, Failure> {
    let name = match &args.profile {
        Some(profile) => format!("{}-{profile}", args.name),
        None => args.name.clone(),
    };
    let run = named::find(&args.out, &name, "report")?;
    let target = args.out.join("reports").join(&run.name);
    let catalog = |data: &String| DataRoot::parse(data).and_then(|root| Catalog::new(&root));
    let pictures = args.thumbnails.as_ref().map(catalog).transpose().map_err(SuiteError::from)?;
    let report = render_run(&run.store, (&run.suite, &run.profile), &target, pictures)?;
    match args.json {
        true => println!("{}", document(&report)),
        false => told(&report, args.quiet),
    }
    Ok(if warn(&report) { Exit::Data } else { Exit::Ok })
}

/// Prints what came out, and where the page is; the latter alone where it is to be quiet.
pub(super) fn told(report: &RenderedReport, quiet: bool) {
    if !quiet {
        print!("\n{}", text(&report.outcome));
    }
    println!("report: {}", report.dir.join("README.md").display());
}

/// What came out, and where the page is, as JSON.
pub(super) fn document(report: &RenderedReport) -> serde_json::Value {
    serde_json::json!({ "page": report.dir.join("README.md"), "outcome": report.outcome })
}

/// Names on stderr what could not be tested; true where there is something.
pub(super) fn warn(report: &RenderedReport) -> bool {
    for damage in &report.untested {
        eprintln!("not tested: {}: {}; the suite's command makes it again", damage.path, damage.reason);
    }
    !report.untested.is_empty()
}
