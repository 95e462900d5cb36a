//! Do confidences say how often a prediction is right? ECE, NLL and Brier score for base and new classes and the pair of
//! them, and reliability diagrams.
//!
//! Nothing is bold here: a calibration error has no test of its own, it has an interval.

use super::measure_tables::{averages, cells, halves, shared, titled, untrained};
use super::views::{ShownGrid, over_shots, views, which_shots};
use crate::data::Classes;
use crate::report::context::Context;
use crate::report::error::ReportError;
use crate::report::families::legend;
use crate::report::grid::Grid;
use crate::report::guide::{Anchor, explained};
use crate::report::looks::looks;
use crate::report::markdown::folded;
use crate::report::number::{comma_shots, count};
use crate::report::part::Part;
use crate::report::plot::paint;
use crate::report::plot::reliability::{ReliabilityPanel, draw};
use crate::report::valued::Shown;
use crate::stats::measures::{BINS, Bin, NamedMeasure};

const MEASURES: [NamedMeasure; 4] =
    [NamedMeasure::Ece, NamedMeasure::AdaptiveEce, NamedMeasure::Nll, NamedMeasure::Brier];

/// The section: tables and a picture per half at the highest number of shots, and ECE over shots where they are several.
///
/// # Errors
/// [`ReportError`] where a picture cannot be drawn.
pub fn render(context: &Context<'_>) -> Result<Part, ReportError> {
    let mut part = Part { heading: "Calibration".to_owned(), ..Part::default() };
    for view in views(context) {
        if !view.words.is_empty() {
            part.body.push_str(&format!("### {}\n\n", context.titled(&view.words)));
        }
        block(context, &view, &mut part)?;
    }
    if part.body.is_empty() {
        part.body.push_str(WITHOUT);
    }
    Ok(part)
}

const WITHOUT: &str = "No predictions with confidences: files of earlier versions hold none. Run the suite again to have \
    them.\n";

fn block(context: &Context<'_>, view: &ShownGrid<'_>, part: &mut Part) -> Result<(), ReportError> {
    let grid = &view.grid;
    let halves = halves(grid);
    let pair = [Classes::Base, Classes::New].iter().all(|half| halves.contains(half));
    let shown = halves.iter().map(|half| (titled(*half), Shown::Half(*half)));
    let shown: Vec<(&str, Shown)> = shown.chain(pair.then_some(("H of base and new", Shown::Pair))).collect();
    let columns = |shown: Shown| MEASURES.map(|measure| (measure, shown));
    let every: Vec<(NamedMeasure, Shown)> = shown.iter().flat_map(|(_, shown)| columns(*shown)).collect();
    let datasets = shared(context, grid, &every);
    if datasets.is_empty() {
        part.body.push_str(WITHOUT);
        return Ok(());
    }
    let over = count(datasets.len(), "dataset");
    part.body.push_str(&format!(
        "_Means over {over} and over seeds{}{}. {}_\n\n",
        comma_shots(grid.shots),
        which_shots(&Grid::tested(context)),
        caption()
    ));
    for (name, shown) in &shown {
        // The pair's difference would be one of harmonic means, which is nobody's difference.
        let less = untrained(grid).filter(|_| *shown != Shown::Pair);
        let table = averages(context, grid, &datasets, &columns(*shown), less);
        part.body.push_str(&format!("**{}**\n\n{table}\n", context.titled(name)));
    }
    for half in &halves {
        let name = format!("reliability_{half}{}", view.suffix);
        let elsewhere = if view.suffix.is_empty() { "" } else { ", other datasets than trained on" };
        let title = format!("Reliability, {half} classes{elsewhere}{}", comma_shots(grid.shots));
        let title = context.titled(&title);
        part.pictures.push(paint(&name, &draw(&title, &panels(context, grid, &datasets, *half)))?);
        part.body.push_str(&format!("![{title}]({name}.png)\n\n"));
    }
    part.body.push_str(&format!(
        "_Bars: share of right predictions; black: mean confidence of the bin; below the diagonal a method is too sure. \
         Predictions of {over} and all seeds together, so large test sets weigh more than in the tables; grey: their \
         share (square root).{}_\n\n",
        legend(&grid.arms)
    ));
    if view.suffix.is_empty() {
        halves.iter().for_each(|half| part.body.push_str(&over_shots(context, NamedMeasure::Ece, *half)));
    }
    let every = cells(context, grid, &halves, &[&[NamedMeasure::Accuracy], &MEASURES[..]].concat());
    part.body.push_str(&folded("Calibration, cell by cell", &every));
    part.body.push('\n');
    Ok(())
}

fn caption() -> String {
    format!(
        "ECE: expected calibration error in points, 15 bins of equal width over the whole set; adaptive: bins of equal \
         counts. NLL (nats) and Brier (1 − p)² are those of the true class. Lower is better. In brackets: 95 % over \
         seeds and images; no interval from a single seed. H: harmonic mean of the two errors, as of accuracies; it \
         leans to the smaller one. ECE of a finite set is too high on average, the more so the fewer images there are; \
         compare methods on the same images. Nothing is bold: no order is tested here. {}",
        explained(Anchor::Measures)
    )
}

/// Bins of all datasets and seeds together, by arm.
fn panels(
    context: &Context<'_>,
    grid: &Grid<'_>,
    datasets: &[usize],
    half: Classes,
) -> Vec<ReliabilityPanel> {
    let of = |a: usize| {
        let mut bins = [Bin::default(); BINS];
        for row in datasets.iter().filter_map(|d| grid.cell(*d, a)) {
            let own = context.cell_measures(row, half).and_then(|cell| cell.bins.as_ref());
            bins.iter_mut().zip(own.into_iter().flatten()).for_each(|(bin, own)| bin.join(own));
        }
        bins
    };
    let panel = |(a, look)| {
        let bins = of(a);
        let predictions: u64 = bins.iter().map(|bin| bin.count).sum();
        ReliabilityPanel { look, bins, note: format!("{predictions} predictions") }
    };
    looks(&grid.arms).into_iter().enumerate().map(panel).collect()
}
