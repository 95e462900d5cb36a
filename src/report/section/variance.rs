//! How much a method varies over draws, with two intervals, and whether it varies differently from the last.
//!
//! The test pairs draws by seed: the methods saw the same images.

use crate::data::Classes;
use crate::frame::{Accuracy, SummaryRow};
use crate::report::context::Context;
use crate::report::grid::Grid;
use crate::report::markdown::Table;
use crate::report::names::dataset_name;
use crate::report::number::{NONE, comma_shots, interval, p, two};
use crate::report::page::Part;
use crate::report::pairing::pairs;
use crate::stats::bootstrap::Plan;
use crate::stats::describe::sample_variance;
use crate::stats::holm::holm;
use crate::stats::variance::{bootstrap_interval, chi_square_interval, paired_spread_p};

/// The section, with a table per number of shots.
pub fn render(context: &Context<'_>) -> Part {
    let mut body = String::new();
    for trained in [Classes::Base, Classes::All] {
        for grid in Grid::all(context, trained) {
            body.push_str(&table(context, &grid));
        }
    }
    if body.is_empty() {
        body.push_str("Variance needs two seeds or more of a cell.\n");
    } else {
        body.push_str(NOTE);
    }
    Part { heading: "Variance over draws".to_owned(), body, ..Part::default() }
}

const NOTE: &str = "_Variance in squared points over seeds (ddof 1). Chi-square intervals assume normal \
    accuracies; bootstrap: 10 000 \
    seeded resamples of seeds, percentile. Last columns: exact sign-flip test on |x − median|, draws paired \
    by seed, against \
    the method named; p corrected after Holm within the table. The smallest p that n seeds allow is 2 / \
    2ⁿ._\n";

/// A line of the table before the correction.
struct Line {
    cells: Vec<String>,
    p: Option<f64>,
}

fn table(context: &Context<'_>, grid: &Grid<'_>) -> String {
    // RPO, where it takes part, is the last arm: the one the others are compared with.
    let reference = grid.arms.len().saturating_sub(1);
    let mut lines = Vec::new();
    for (d, dataset) in grid.datasets.iter().enumerate() {
        for classes in [Classes::Base, Classes::New, Classes::All] {
            for (a, arm) in grid.arms.iter().enumerate() {
                let Some(cell) = grid.cell(d, a) else { continue };
                let other = grid.cell(d, reference).filter(|_| a != reference);
                let names = [dataset_name(dataset).to_owned(), classes.to_string(), arm.label()];
                lines.extend(line(names, cell, other, classes));
            }
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let raw: Vec<f64> = lines.iter().filter_map(|l| l.p).collect();
    let mut adjusted = holm(&raw).unwrap_or_default().into_iter();
    let against = format!("p against {}", grid.arms[reference].label());
    let header = [
        "dataset",
        "classes",
        "method",
        "n seeds",
        "std",
        "variance",
        "95 % (chi-square)",
        "95 % (bootstrap)",
        &against,
        "p (Holm)",
    ];
    let mut table = Table::new(header).left(3);
    for line in lines {
        let corrected = line.p.and_then(|_| adjusted.next());
        let last = [line.p, corrected].map(|value| value.map_or_else(|| NONE.to_owned(), p));
        table.row(line.cells.into_iter().chain(last));
    }
    let shots = comma_shots(grid.shots);
    format!("**{}**\n\n{}\n", context.titled(&format!("Variance{shots}")), table.markdown())
}

fn line(
    names: [String; 3],
    cell: &SummaryRow,
    reference: Option<&SummaryRow>,
    classes: Classes,
) -> Option<Line> {
    let accuracy = cell.accuracy(classes);
    let values = accuracy.values();
    let variance = sample_variance(&values)?;
    let numbers = [
        values.len().to_string(),
        two(accuracy.std()),
        format!("{variance:.3}"),
        interval(chi_square_interval(&values, 0.95).ok()),
        interval(bootstrap_interval(&values, Plan::default()).ok()),
    ];
    let p = reference.and_then(|other| spread_p(accuracy, other.accuracy(classes)));
    Some(Line { cells: names.into_iter().chain(numbers).collect(), p })
}

fn spread_p(first: &Accuracy, second: &Accuracy) -> Option<f64> {
    let (first, second): (Vec<f64>, Vec<f64>) = pairs(first, second).into_iter().unzip();
    paired_spread_p(&first, &second).ok()
}
