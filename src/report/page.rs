//! The page: banners, sections in order, and the files beside it.
//!
//! Everything is rendered before anything is written, so a report that cannot be made leaves the old one
//! untouched. The same records give the same bytes, whatever their order.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::ReportError;
use super::explorer::index_html;
use super::files::write_atomically;
use super::layout::{contents, with_long_tables_folded};
use super::legend::{names, words};
use super::markdown::folded;
use super::material::{Material, PredictionSource};
use super::number::count;
use super::opening::what_was_run;
use super::outcome::{OutcomeTable, RunOutcome};
use super::part::Part;
use super::section;
use super::spec::{Damage, ReportSpec, Section};
use crate::record::RunRecord;

/// A report that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderedReport {
    /// Directory it lies in.
    pub dir: PathBuf,
    /// Names of the files written, in order; the first is `README.md`.
    pub files: Vec<String>,
    /// Predictions that could not be used: tests that need them were left out, and the page says so.
    pub untested: Vec<Damage>,
    /// What came out, in short.
    pub outcome: RunOutcome,
}

/// As [`render_with`], from records and predictions alone.
///
/// # Errors
/// As [`render_with`].
pub fn render(
    records: &[RunRecord],
    spec: &ReportSpec,
    out_dir: &Path,
    predictions: PredictionSource<'_>,
) -> Result<RenderedReport, ReportError> {
    render_with(records, spec, out_dir, Material::of(predictions))
}

/// Renders `records` to `out_dir`: `README.md`, pictures as PNG and SVG, `results.csv`, `summary.csv`, `measures.csv`,
/// and what the sections add.
///
/// # Errors
/// [`ReportError`]: no record, contradictory records, a picture or a file that fails.
pub fn render_with(
    records: &[RunRecord],
    spec: &ReportSpec,
    out_dir: &Path,
    material: Material<'_>,
) -> Result<RenderedReport, ReportError> {
    let context = Context::new(records, spec, material)?;
    let mut parts = Vec::new();
    let mut beside = section::other_settings(&context);
    for section in &spec.sections {
        if Section::CLOSING.contains(section) {
            parts.extend(beside.take());
        }
        parts.push(section::render(*section, &context)?);
    }
    parts.extend(beside);
    let outcome = RunOutcome::of(&context);
    let mut files = vec![("README.md".to_owned(), page(&context, &parts, &outcome).into_bytes())];
    files.extend(tables(&context)?);
    files.push(("index.html".to_owned(), index_html(&context, banners(&context)).into_bytes()));
    for part in parts {
        for picture in part.pictures {
            files.push((format!("{}.png", picture.name), picture.png));
            files.push((format!("{}.svg", picture.name), picture.svg.into_bytes()));
        }
        files.extend(part.files.into_iter().map(|(name, text)| (name, text.into_bytes())));
    }
    for (name, bytes) in &files {
        write_atomically(out_dir, name, bytes)?;
    }
    let files = files.into_iter().map(|(name, _)| name).collect();
    Ok(RenderedReport { dir: out_dir.to_owned(), files, untested: spec.damaged.clone(), outcome })
}

fn tables(context: &Context<'_>) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    let (mut results, mut summary, mut measures) = (Vec::new(), Vec::new(), Vec::new());
    context.frame.write_results_csv(&mut results)?;
    context.frame.write_summary_csv(&mut summary)?;
    context.frame.write_measures_csv(&mut measures, context.measured().rows())?;
    let mut files = vec![
        ("measures.csv".to_owned(), measures),
        ("results.csv".to_owned(), results),
        ("summary.csv".to_owned(), summary),
    ];
    #[cfg(feature = "parquet")]
    {
        let mut parquet = Vec::new();
        context.frame.write_results_parquet(&mut parquet)?;
        files.push(("results.parquet".to_owned(), parquet));
    }
    files.sort();
    Ok(files)
}

/// The question, the answer, what its words mean and what was run; then the sections.
fn page(context: &Context<'_>, parts: &[Part], outcome: &RunOutcome) -> String {
    let mut out = format!("# {}\n\n", context.titled(&context.spec.title));
    for banner in banners(context) {
        out.push_str(&format!("> **{banner}**\n\n"));
    }
    if !context.spec.description.is_empty() {
        out.push_str(&format!("**What was asked.** {}\n\n", context.spec.description.trim_end()));
    }
    out.push_str(&what_came_out(outcome));
    out.push_str(&format!("{}\n\n{}\n\n", words(context), what_was_run(context)));
    let headings: Vec<String> = parts.iter().map(|part| context.titled(&part.heading)).collect();
    out.push_str(&format!("{}\n\n{}\n", contents(&headings), names(context)));
    for (part, heading) in parts.iter().zip(&headings) {
        out.push_str(&format!("## {heading}\n\n{}\n\n", with_long_tables_folded(&part.body).trim_end()));
    }
    out.push_str(&folded("Files", &files(parts)));
    out
}

/// The verdicts, a list where there are several tables.
fn what_came_out(outcome: &RunOutcome) -> String {
    let several = outcome.tables.len() > 1;
    let of = |table: &OutcomeTable| {
        let shots =
            table.shots.filter(|_| several).map(|shots| format!("{}: ", count(shots as usize, "shot")));
        format!("{}{}", shots.unwrap_or_default(), table.page_verdicts.join(" "))
    };
    match &outcome.tables[..] {
        [] => String::new(),
        [one] => format!("**What came out.** {}\n\n", of(one)),
        all => {
            let items: String = all.iter().map(|table| format!("- {}\n", of(table))).collect();
            format!("**What came out.**\n\n{items}\n")
        }
    }
}

/// What lies beside the page.
fn files(parts: &[Part]) -> String {
    let mut text = "[`index.html`](index.html) is this report to sort, filter and look into, in any browser. [`results.csv`](results.csv) has one line per dataset, method, seed, shots and evaluated \
                    classes, [`measures.csv`](measures.csv) the further measures of the same; [`summary.csv`](summary.csv) has means and sample standard deviations over seeds. \
                    Their columns are described in `reports/README.md`. Every picture lies here as PNG and SVG."
        .to_owned();
    for (name, _) in parts.iter().flat_map(|part| &part.files) {
        text.push_str(&format!(" [`{name}`]({name}) is the table for a paper."));
    }
    text
}

fn banners(context: &Context<'_>) -> Vec<String> {
    let mut banners = context.spec.banners.clone();
    if context.is_pocket() {
        banners.push(
            "Pocket run: drawn pictures and a miniature CLIP. These numbers are not comparable with any \
                paper."
                .to_owned(),
        );
    }
    for limit in context.limits() {
        banners.push(format!(
            "Limited run: at most {limit} test images a class were evaluated. These numbers are not comparable \
                with full runs."
        ));
    }
    let imported = context.every_record().filter(|record| record.imported().is_some()).count();
    if imported > 0 {
        banners.push(format!(
            "Imported: {} were made by other programs and are not verified. They are marked `imported=` wherever \
             they stand; `as_reported` ones have no counts behind them, so no interval over images.",
            count(imported, "result")
        ));
    }
    let damaged = context.spec.damaged.len();
    if damaged > 0 {
        banners.push(format!(
            "Not tested: predictions of {} are missing or damaged; tests over images that need them were left \
             out (listed under failed and missing cells).",
            count(damaged, "evaluation")
        ));
    }
    let failed = context.failed().count();
    if failed > 0 {
        banners.push(format!(
            "Incomplete: {} failed. Means are over the seeds that are there (†); averages leave out datasets on which a \
             method has none.",
            count(failed, "cell")
        ));
    }
    banners
}
