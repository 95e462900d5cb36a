//! Tables of datasets × arms for one quantity, and the averages below them.
//!
//! An average runs over the datasets on which every arm has a value, and says how many those are: an
//! average over different datasets per method would compare datasets, not methods.

use crate::method::{BASELINE, look_up};
use crate::report::context::Context;
use crate::report::emphasis::{Mark, markdown};
use crate::report::grid::Grid;
use crate::report::markdown::Table;
use crate::report::names::dataset_name;
use crate::report::number::{NONE, two, with_spread};
use crate::report::quantity::Quantity;
use crate::stats::describe::mean;

/// A quantity of all cells, and what is set apart in its table.
pub struct Matrix<'a> {
    /// What the cells show.
    pub quantity: Quantity,
    /// Name of the last line.
    pub average_name: &'a str,
    /// One mark per dataset.
    pub marks: &'a [Option<Mark>],
    /// Mark of the last line.
    pub average_mark: Option<&'a Mark>,
}

/// Datasets as lines, arms as columns.
pub fn matrix(context: &Context<'_>, grid: &Grid<'_>, matrix: &Matrix<'_>) -> String {
    let header = std::iter::once("dataset".to_owned()).chain(grid.arms.iter().map(|arm| arm.label()));
    let mut table = Table::new(header);
    for (d, dataset) in grid.datasets.iter().enumerate() {
        let mark = matrix.marks.get(d).and_then(Option::as_ref);
        let texts = (0..grid.arms.len()).map(|a| {
            let number = |row| with_spread(matrix.quantity.value(row), matrix.quantity.spread(row));
            let text = grid.cell(d, a).map_or_else(|| hole(context, grid, d, a), number);
            markdown(text, mark, a) + partial_mark(grid, d, a)
        });
        table.row(std::iter::once(dataset_name(dataset).to_owned()).chain(texts));
    }
    let shared = grid.shared(|r| matrix.quantity.value(r));
    if shared.len() > 1 {
        let value = |d: &usize, a: usize| matrix.quantity.value(grid.cell(*d, a)?);
        let average = |a| mean(&shared.iter().filter_map(|d| value(d, a)).collect::<Vec<_>>());
        let texts = (0..grid.arms.len()).map(|a| markdown(two(average(a)), matrix.average_mark, a));
        table.row(std::iter::once(format!("{} (n = {})", matrix.average_name, shared.len())).chain(texts));
    }
    table.markdown()
}

/// What stands in a cell without a result.
pub fn hole(context: &Context<'_>, grid: &Grid<'_>, dataset: usize, arm: usize) -> String {
    let shots = grid.shots.filter(|_| grid.arms[arm].method != BASELINE);
    let failed = context.has_failed(&grid.arms[arm], &grid.datasets[dataset], shots);
    if failed {
        return "failed".to_owned();
    }
    match look_up(&grid.arms[arm].method) {
        Some(entry) if !entry.transfers() => format!("{NONE}, trained classes only"),
        _ => NONE.to_owned(),
    }
}

/// `†` behind a mean over fewer seeds than the other cells have.
fn partial_mark(grid: &Grid<'_>, dataset: usize, arm: usize) -> &'static str {
    let most = grid.seeds().1;
    match grid.cell(dataset, arm) {
        Some(row) if row.n_seeds() > 0 && row.n_seeds() < most => " †",
        _ => "",
    }
}
