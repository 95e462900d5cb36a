//! Variants of one method side by side, averaged over datasets.

use crate::data::Classes;
use crate::frame::{Accuracy, SummaryRow};
use crate::report::context::Context;
use crate::report::emphasis::{Quantity, markdown};
use crate::report::grid::Grid;
use crate::report::markdown::Table;
use crate::report::number::{comma_shots, count, two};
use crate::report::page::Part;
use crate::report::pair_tests::PairTests;
use crate::stats::describe::mean;
use crate::stats::harmonic::{average_of_h, h_of_averages};

/// The section, with a table per number of shots.
pub fn render(context: &Context<'_>) -> Part {
    let grids = Grid::all(context, Classes::Base);
    let body: String = grids.iter().filter(|g| g.arms.len() > 1).map(|grid| table(context, grid)).collect();
    let body = if body.is_empty() { "Only one variant has results.\n".to_owned() } else { body };
    Part { heading: "Ablation".to_owned(), body, ..Part::default() }
}

fn table(context: &Context<'_>, grid: &Grid<'_>) -> String {
    let shared = grid.shared(SummaryRow::h_pct);
    let header =
        ["variant", "base", "std over seeds", "new", "std over seeds", "H of averages", "average of H"];
    let mut table = Table::new(header);
    let columns: Vec<[Option<f64>; 6]> = (0..grid.arms.len()).map(|a| numbers(grid, &shared, a)).collect();
    let mark = |j: usize, quantity: Quantity| {
        let values: Vec<Option<f64>> = columns.iter().map(|c| c[j]).collect();
        PairTests::new(grid, quantity).ok().and_then(|tests| tests.mark(&values))
    };
    let [base, new] = [Classes::Base, Classes::New].map(Quantity::Accuracy);
    let marks = [mark(0, base), None, mark(2, new), None, mark(4, Quantity::H), mark(5, Quantity::H)];
    for (a, arm) in grid.arms.iter().enumerate() {
        let cells = (0..6).map(|j| markdown(two(columns[a][j]), marks[j], a));
        table.row(std::iter::once(arm.label()).chain(cells));
    }
    let shots = comma_shots(grid.shots);
    format!(
        "**{}**\n\n{}\n_Averages over {} that every variant has; up to {}; “std over seeds” is the mean over \
         datasets of the sample standard deviation. **Bold**: best, <u>underlined</u>: second; both only where \
         the difference between the two is significant over datasets (Wilcoxon, Holm over all pairs, 5 %)._\n\n",
        context.titled(&format!("Variants{shots}")),
        table.markdown(),
        count(shared.len(), "dataset"),
        count(grid.seeds().1, "seed"),
    )
}

fn numbers(grid: &Grid<'_>, shared: &[usize], arm: usize) -> [Option<f64>; 6] {
    let cells: Vec<&SummaryRow> = shared.iter().filter_map(|d| grid.cell(*d, arm)).collect();
    let average = |of: fn(&SummaryRow) -> &Accuracy, value: fn(&Accuracy) -> Option<f64>| {
        cells.iter().map(|c| value(of(c))).collect::<Option<Vec<f64>>>().and_then(|values| mean(&values))
    };
    let pairs: Vec<(f64, f64)> = cells.iter().filter_map(|c| Some((c.base.mean()?, c.new.mean()?))).collect();
    [
        average(|r| &r.base, Accuracy::mean),
        average(|r| &r.base, Accuracy::std),
        average(|r| &r.new, Accuracy::mean),
        average(|r| &r.new, Accuracy::std),
        h_of_averages(&pairs),
        average_of_h(&pairs),
    ]
}
