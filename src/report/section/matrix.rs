//! Tables of datasets × arms for one quantity, and the averages below them.
//!
//! An average runs over the datasets on which every arm has a value, and says how many those are: an
//! average over different datasets per method would compare datasets, not methods.

use crate::frame::SummaryRow;
use crate::report::context::Context;
use crate::report::grid::Grid;
use crate::report::markdown::Table;
use crate::report::names::dataset_name;
use crate::report::number::{NONE, two, with_spread};
use crate::stats::describe::mean;

/// Mean and spread of one quantity in a cell.
pub type Quantity = fn(&SummaryRow) -> (Option<f64>, Option<f64>);

/// Base accuracy in percent.
pub fn base(row: &SummaryRow) -> (Option<f64>, Option<f64>) {
    (row.base.mean(), row.base.std())
}

/// New accuracy in percent.
pub fn new(row: &SummaryRow) -> (Option<f64>, Option<f64>) {
    (row.new.mean(), row.new.std())
}

/// H of mean base and mean new, with the deviation of the seeds' H.
pub fn h(row: &SummaryRow) -> (Option<f64>, Option<f64>) {
    (row.h_pct(), row.h.std())
}

/// Datasets as lines, arms as columns; the highest mean of each line is bold.
pub fn matrix(context: &Context<'_>, grid: &Grid<'_>, quantity: Quantity, average_name: &str) -> String {
    let header = std::iter::once("dataset".to_owned()).chain(grid.arms.iter().map(|arm| arm.label()));
    let mut table = Table::new(header);
    for (d, dataset) in grid.datasets.iter().enumerate() {
        let cells: Vec<_> = (0..grid.arms.len()).map(|a| grid.cell(d, a).map(quantity)).collect();
        let means: Vec<Option<f64>> = cells.iter().map(|c| c.and_then(|c| c.0)).collect();
        let texts = cells.iter().enumerate().map(|(a, cell)| {
            let text = cell.map_or_else(|| hole(context, grid, d, a), |(mean, std)| with_spread(mean, std));
            bold_if_best(text, means[a], &means) + partial_mark(grid, d, a)
        });
        table.row(std::iter::once(dataset_name(dataset).to_owned()).chain(texts));
    }
    let shared = grid.shared(|r| quantity(r).0);
    if shared.len() > 1 {
        let average =
            |a| mean(&shared.iter().filter_map(|d| quantity(grid.cell(*d, a)?).0).collect::<Vec<_>>());
        let means: Vec<Option<f64>> = (0..grid.arms.len()).map(average).collect();
        let texts = means.iter().map(|m| bold_if_best(two(*m), *m, &means));
        table.row(std::iter::once(format!("**{average_name}** (n = {})", shared.len())).chain(texts));
    }
    table.markdown()
}

/// What stands in a cell without a result.
pub fn hole(context: &Context<'_>, grid: &Grid<'_>, dataset: usize, arm: usize) -> String {
    let shots = grid.shots.filter(|_| grid.arms[arm].method != "zero_shot");
    let failed = context.has_failed(&grid.arms[arm].method, &grid.datasets[dataset], shots);
    if failed { "failed".to_owned() } else { NONE.to_owned() }
}

/// `†` behind a mean over fewer seeds than the other cells have.
fn partial_mark(grid: &Grid<'_>, dataset: usize, arm: usize) -> &'static str {
    let most = grid.seeds().1;
    match grid.cell(dataset, arm) {
        Some(row) if row.n_seeds() > 0 && row.n_seeds() < most => " †",
        _ => "",
    }
}

/// Bold where the value, as printed, is the highest of its line.
pub fn bold_if_best(text: String, value: Option<f64>, line: &[Option<f64>]) -> String {
    let printed = |v: f64| (v * 100.0).round();
    let best = line.iter().flatten().map(|v| printed(*v)).fold(f64::NEG_INFINITY, f64::max);
    let several = line.iter().flatten().count() > 1;
    if several && value.is_some_and(|v| printed(v) >= best) { format!("**{text}**") } else { text }
}
