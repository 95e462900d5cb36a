//! Tables of datasets × arms for one quantity, and the averages below them.
//!
//! An average runs over the datasets on which every arm has a value, and says how many those are: an
//! average over different datasets per method would compare datasets, not methods.

use crate::frame::SummaryRow;
use crate::method::BASELINE;
use crate::report::context::Context;
use crate::report::emphasis::{Mark, markdown};
use crate::report::families::{ArmGroup, groups};
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

/// Datasets as lines, arms as columns; family by family where the arms are many.
pub fn matrix(context: &Context<'_>, grid: &Grid<'_>, matrix: &Matrix<'_>) -> String {
    let tables = groups(&grid.arms).into_iter().map(|group| {
        let heading = if group.name.is_empty() { String::new() } else { format!("_{}_\n\n", group.name) };
        heading + &of_group(context, grid, matrix, &group)
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn of_group(context: &Context<'_>, grid: &Grid<'_>, matrix: &Matrix<'_>, group: &ArmGroup) -> String {
    let names = group.arms.iter().map(|arm| grid.arms[*arm].label());
    let mut table = Table::new(std::iter::once("dataset".to_owned()).chain(names));
    for (d, dataset) in grid.datasets.iter().enumerate() {
        let mark = matrix.marks.get(d).and_then(Option::as_ref);
        let texts = group.arms.iter().map(|a| {
            let number = |row: &SummaryRow| {
                let value = matrix.quantity.value(row)?;
                Some(with_spread(Some(value), matrix.quantity.spread(row)))
            };
            let text = grid.cell(d, *a).and_then(number).unwrap_or_else(|| hole(context, grid, d, *a));
            markdown(text, mark, *a) + partial_mark(grid, d, *a)
        });
        table.row(std::iter::once(dataset_name(dataset).to_owned()).chain(texts));
    }
    let shared = grid.shared(|r| matrix.quantity.value(r));
    if shared.len() > 1 {
        let value = |d: &usize, a: usize| matrix.quantity.value(grid.cell(*d, a)?);
        let average = |a| mean(&shared.iter().filter_map(|d| value(d, a)).collect::<Vec<_>>());
        let texts = group.arms.iter().map(|a| match average(*a) {
            None if !grid.arms[*a].transfers() => TRAINED_ONLY.to_owned(),
            average => markdown(two(average), matrix.average_mark, *a),
        });
        table.row(std::iter::once(format!("{} (n = {})", matrix.average_name, shared.len())).chain(texts));
    }
    table.markdown()
}

/// What stands for a result among classes that the method cannot meet.
pub const TRAINED_ONLY: &str = "—, trained classes only";

/// What stands in a cell without a result.
pub fn hole(context: &Context<'_>, grid: &Grid<'_>, dataset: usize, arm: usize) -> String {
    let shots = grid.shots.filter(|_| grid.arms[arm].method != BASELINE);
    let failed = context.has_failed(&grid.arms[arm], &grid.datasets[dataset], shots);
    if failed {
        return "failed".to_owned();
    }
    let text = if grid.arms[arm].transfers() { NONE } else { TRAINED_ONLY };
    text.to_owned()
}

/// `†` behind a mean over fewer seeds than the other cells have.
fn partial_mark(grid: &Grid<'_>, dataset: usize, arm: usize) -> &'static str {
    let most = grid.seeds().1;
    match grid.cell(dataset, arm) {
        Some(row) if row.n_seeds() > 0 && row.n_seeds() < most => " †",
        _ => "",
    }
}
