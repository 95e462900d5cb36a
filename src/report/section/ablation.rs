//! Variants of one method side by side, averaged over datasets, and each against the suite's own settings.

use super::pair_table::{COLUMNS, pair_table};
use crate::data::Classes;
use crate::frame::{Accuracy, SummaryRow};
use crate::report::context::Context;
use crate::report::emphasis::{Mark, markdown};
use crate::report::grid::Grid;
use crate::report::guide::{Anchor, explained, fewer_seeds};
use crate::report::markdown::{Table, folded};
use crate::report::number::{comma_shots, count, two};
use crate::report::pair_tests::PairTests;
use crate::report::part::Part;
use crate::report::quantity::Quantity;
use crate::stats::describe::mean;
use crate::stats::harmonic::{average_of_h, h_of_averages};

/// The section, with a table per number of shots.
pub fn render(context: &Context<'_>) -> Part {
    let grids = Grid::all(context, Classes::Base);
    let tables = |grid| averages(context, grid) + &against(context, grid);
    let body: String = grids.iter().filter(|g| g.arms.len() > 1).map(tables).collect();
    let body = if body.is_empty() { "Only one variant has results.\n".to_owned() } else { body };
    Part { heading: "Ablation".to_owned(), body, ..Part::default() }
}

fn averages(context: &Context<'_>, grid: &Grid<'_>) -> String {
    let shared = grid.shared(SummaryRow::h_pct);
    let header =
        ["variant", "base", "std over seeds", "new", "std over seeds", "H of averages", "average of H"];
    let mut table = Table::new(header);
    let columns: Vec<[Option<f64>; 6]> = (0..grid.arms.len()).map(|a| numbers(grid, &shared, a)).collect();
    let mark = |j: usize, quantity: Quantity| -> Option<Mark> {
        let values: Vec<Option<f64>> = columns.iter().map(|c| c[j]).collect();
        PairTests::new(grid, quantity).ok().and_then(|tests| tests.mark(&values))
    };
    let [base, new] = [Classes::Base, Classes::New].map(Quantity::Accuracy);
    let marks = [mark(0, base), None, mark(2, new), None, mark(4, Quantity::H), mark(5, Quantity::H)];
    for (a, arm) in grid.arms.iter().enumerate() {
        let cells = (0..6).map(|j| markdown(two(columns[a][j]), marks[j].as_ref(), a));
        table.row(std::iter::once(arm.label()).chain(cells));
    }
    let shots = comma_shots(grid.shots);
    format!(
        "**{}**\n\n{}\n_Averages over {} that every variant has; up to {}; “std over seeds” is the mean over \
         datasets of the sample standard deviation. **Bold**: better than every other line by Wilcoxon's signed ranks \
         over datasets at 5 %; <u>underlined</u>: second in a column that has a bold one, not tested. {}_\n\n{}",
        context.titled(&format!("Variants{shots}")),
        table.markdown(),
        count(shared.len(), "dataset"),
        count(grid.seeds().1, "seed"),
        explained(Anchor::Ablation),
        fewer_seeds(grid),
    )
}

/// Every arm against the reference: H in sight, base and new folded away.
fn against(context: &Context<'_>, grid: &Grid<'_>) -> String {
    let reference = grid.arms[grid.reference()].label();
    let metrics = [
        ("H", Quantity::H),
        ("base classes", Quantity::Accuracy(Classes::Base)),
        ("new classes", Quantity::Accuracy(Classes::New)),
    ];
    let mut out = String::new();
    for (name, quantity) in metrics {
        let Ok(tests) = PairTests::new(grid, quantity) else { continue };
        let Ok(pairs) = tests.family(grid.against_reference()) else { continue };
        let table = pair_table(grid, &tests, &pairs, quantity);
        let title = format!("Every variant against {reference}, {name}");
        if quantity == Quantity::H {
            out.push_str(&format!("**{}**\n\n{table}\n", context.titled(&title)));
        } else {
            out.push_str(&folded(&title, &table));
        }
    }
    if out.is_empty() {
        return out;
    }
    format!("{out}\n_{COLUMNS} p (Holm): corrected over the lines of its table, one question each._\n\n")
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
