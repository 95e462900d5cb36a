//! Do confidences say how often a prediction is right? ECE, NLL and Brier score for base and new classes and the pair of
//! them, and reliability diagrams.
//!
//! Nothing is bold here: a calibration error has no test of its own, it has an interval.

use super::measure_tables::{averages, cells, halves, shared, titled, untrained};
use crate::data::Classes;
use crate::report::arm::looks;
use crate::report::context::Context;
use crate::report::error::ReportError;
use crate::report::grid::Grid;
use crate::report::guide::{Anchor, explained};
use crate::report::markdown::folded;
use crate::report::measured::Shown;
use crate::report::number::{comma_shots, count, shots_suffix};
use crate::report::page::Part;
use crate::report::plot::paint;
use crate::report::plot::reliability::{Panel, draw};
use crate::stats::measures::{BINS, Bin, Measure};

const MEASURES: [Measure; 4] = [Measure::Ece, Measure::AdaptiveEce, Measure::Nll, Measure::Brier];

/// The section, with a block per number of shots and a picture per half.
///
/// # Errors
/// [`ReportError`] where a picture cannot be drawn.
pub fn render(context: &Context<'_>) -> Result<Part, ReportError> {
    let mut part = Part { heading: "Calibration".to_owned(), ..Part::default() };
    let grids = Grid::tested(context);
    for grid in &grids {
        if grids.len() > 1 {
            let shots = grid.shots.map_or_else(|| "zero-shot only".to_owned(), |k| count(k as usize, "shot"));
            part.body.push_str(&format!("### {}\n\n", context.titled(&shots)));
        }
        block(context, grid, grids.len() > 1, &mut part)?;
    }
    if part.body.is_empty() {
        part.body.push_str(WITHOUT);
    }
    Ok(part)
}

const WITHOUT: &str = "No predictions with confidences: files of earlier versions hold none. Run the suite again to have \
    them.\n";

fn block(context: &Context<'_>, grid: &Grid<'_>, several: bool, part: &mut Part) -> Result<(), ReportError> {
    let halves = halves(grid);
    let pair = [Classes::Base, Classes::New].iter().all(|half| halves.contains(half));
    let shown = halves.iter().map(|half| (titled(*half), Shown::Half(*half)));
    let shown: Vec<(&str, Shown)> = shown.chain(pair.then_some(("H of base and new", Shown::Pair))).collect();
    let columns = |shown: Shown| MEASURES.map(|measure| (measure, shown));
    let every: Vec<(Measure, Shown)> = shown.iter().flat_map(|(_, shown)| columns(*shown)).collect();
    let datasets = shared(context, grid, &every);
    if datasets.is_empty() {
        part.body.push_str(WITHOUT);
        return Ok(());
    }
    let over = count(datasets.len(), "dataset");
    part.body.push_str(&format!(
        "_Means over {over} and over seeds{}. {}_\n\n",
        comma_shots(grid.shots),
        caption()
    ));
    for (name, shown) in &shown {
        // The pair's difference would be one of harmonic means, which is nobody's difference.
        let less = untrained(grid).filter(|_| *shown != Shown::Pair);
        let table = averages(context, grid, &datasets, &columns(*shown), less);
        part.body.push_str(&format!("**{}**\n\n{table}\n", context.titled(name)));
    }
    for half in &halves {
        let suffix = shots_suffix(grid.shots, several);
        let name = format!("reliability_{half}{suffix}");
        let title = context.titled(&format!("Reliability, {half} classes{}", comma_shots(grid.shots)));
        part.pictures.push(paint(&name, &draw(&title, &panels(context, grid, &datasets, *half)))?);
        part.body.push_str(&format!("![{title}]({name}.png)\n\n"));
    }
    part.body.push_str(&format!(
        "_Bars: share of right predictions; black: mean confidence of the bin; below the diagonal a method is too sure. \
         Predictions of {over} and all seeds together, so large test sets weigh more than in the tables; grey: their \
         share (square root)._\n\n"
    ));
    let every = cells(context, grid, &halves, &[&[Measure::Accuracy], &MEASURES[..]].concat());
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
fn panels(context: &Context<'_>, grid: &Grid<'_>, datasets: &[usize], half: Classes) -> Vec<Panel> {
    let of = |a: usize| {
        let mut bins = [Bin::default(); BINS];
        for row in datasets.iter().filter_map(|d| grid.cell(*d, a)) {
            let Some(cell) = context.measured().cell(context, row, half) else { continue };
            for own in cell.by_seed.iter().filter_map(|(_, set)| set.bins.as_ref()) {
                bins.iter_mut().zip(own).for_each(|(bin, own)| bin.join(own));
            }
        }
        bins
    };
    let panel = |(a, look)| {
        let bins = of(a);
        let predictions: u64 = bins.iter().map(|bin| bin.count).sum();
        Panel { look, bins, note: format!("{predictions} predictions") }
    };
    looks(&grid.arms).into_iter().enumerate().map(panel).collect()
}
