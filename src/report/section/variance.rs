//! How much a method varies over draws, with an interval, and whether it varies differently from the reference.
//!
//! The test pairs draws by seed: the methods saw the same images. Its families are questions: one method against
//! the reference among one group of classes, over the datasets.

use std::collections::BTreeMap;

use crate::data::Classes;
use crate::frame::{Accuracy, SummaryRow};
use crate::report::context::Context;
use crate::report::emphasis::ALPHA;
use crate::report::grid::Grid;
use crate::report::guide::{Anchor, explained, reachable};
use crate::report::markdown::Table;
use crate::report::names::dataset_name;
use crate::report::number::{NONE, comma_shots, interval, p, two};
use crate::report::pairing::pairs;
use crate::report::part::Part;
use crate::stats::describe::sample_variance;
use crate::stats::holm::holm;
use crate::stats::variance::{chi_square_interval, paired_spread_p, ratio_interval};

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
        body.push_str(&format!("{NOTE} {}_\n", explained(Anchor::Variance)));
    }
    Part { heading: "Variance over draws".to_owned(), body, ..Part::default() }
}

const NOTE: &str = "_Variance in squared points over seeds (ddof 1). The chi-square interval holds for normal accuracies \
    and is too short for skewed ones, and so is that of the ratio to the method named. Both methods at a draw are a pair. \
    p: exact sign-flip test of both on |x − median|; p (Holm) is corrected over the datasets of one method and one group of classes.";

/// A line of the table before the correction.
struct Line {
    /// Arm and classes: the question that its p answers.
    question: (usize, Classes),
    cells: Vec<String>,
    /// Variance over that of the reference.
    ratio: [String; 2],
    /// Number of paired seeds and p.
    test: Option<(usize, f64)>,
}

fn table(context: &Context<'_>, grid: &Grid<'_>) -> String {
    let lines = lines(grid);
    if lines.is_empty() {
        return String::new();
    }
    let corrected = corrected(&lines);
    let against = format!("variance / {}", grid.arms[grid.reference()].label());
    let header = [
        "dataset",
        "classes",
        "method",
        "n seeds",
        "std",
        "variance",
        "95 % (chi-square)",
        &against,
        "95 % (Pitman–Morgan)",
        "p",
        "p (Holm)",
    ];
    let mut table = Table::new(header).left(3);
    let power = power(&lines);
    for (line, corrected) in lines.into_iter().zip(corrected) {
        let last = [line.test.map(|t| t.1), corrected].map(|value| value.map_or_else(|| NONE.to_owned(), p));
        table.row(line.cells.into_iter().chain(line.ratio).chain(last));
    }
    let shots = comma_shots(grid.shots);
    format!("**{}**\n\n{}\n{power}", context.titled(&format!("Variance{shots}")), table.markdown())
}

fn lines(grid: &Grid<'_>) -> Vec<Line> {
    let reference = grid.reference();
    let mut lines = Vec::new();
    for (d, dataset) in grid.datasets.iter().enumerate() {
        for classes in [Classes::Base, Classes::New, Classes::All] {
            for (a, arm) in grid.arms.iter().enumerate() {
                let Some(cell) = grid.cell(d, a) else { continue };
                let other = grid.cell(d, reference).filter(|_| a != reference);
                let names = [dataset_name(dataset).to_owned(), classes.to_string(), arm.label()];
                lines.extend(line((a, classes), names, cell, other));
            }
        }
    }
    lines
}

/// One p per line, corrected after Holm over the lines that answer the same question.
fn corrected(lines: &[Line]) -> Vec<Option<f64>> {
    let mut families: BTreeMap<(usize, Classes), Vec<(usize, f64)>> = BTreeMap::new();
    for (i, line) in lines.iter().enumerate() {
        families.entry(line.question).or_default().extend(line.test.map(|(_, p)| (i, p)));
    }
    let mut corrected = vec![None; lines.len()];
    for family in families.values() {
        let raw: Vec<f64> = family.iter().map(|(_, p)| *p).collect();
        let adjusted = holm(&raw).unwrap_or_default();
        family.iter().zip(adjusted).for_each(|((i, _), adjusted)| corrected[*i] = Some(adjusted));
    }
    corrected
}

/// What the seeds can show at all, in the largest family.
fn power(lines: &[Line]) -> String {
    let seeds = lines.iter().filter_map(|l| l.test).map(|(n, _)| n).max();
    let size = |question| lines.iter().filter(|l| l.question == question && l.test.is_some()).count();
    let largest = lines.iter().map(|l| size(l.question)).max().unwrap_or(0);
    seeds.map_or_else(String::new, |n| format!("{}\n\n", reachable(n, "seed", largest, ALPHA)))
}

fn line(
    question: (usize, Classes),
    names: [String; 3],
    cell: &SummaryRow,
    reference: Option<&SummaryRow>,
) -> Option<Line> {
    let accuracy = cell.accuracy(question.1);
    let values = accuracy.values();
    let variance = sample_variance(&values)?;
    let numbers = [
        values.len().to_string(),
        two(accuracy.std()),
        format!("{variance:.3}"),
        interval(chi_square_interval(&values, 0.95).ok().filter(|_| variance > 0.0)),
    ];
    let test = reference.and_then(|other| spread_p(accuracy, other.accuracy(question.1)));
    let ratio = reference.and_then(|other| ratio(accuracy, other.accuracy(question.1)));
    let ratio = ratio.unwrap_or_else(|| [NONE.to_owned(), NONE.to_owned()]);
    Some(Line { question, cells: names.into_iter().chain(numbers).collect(), ratio, test })
}

/// Number of paired seeds, and p.
fn spread_p(first: &Accuracy, second: &Accuracy) -> Option<(usize, f64)> {
    let (first, second) = paired(first, second);
    Some((first.len(), paired_spread_p(&first, &second).ok()?))
}

/// The ratio of the variances over the common seeds, and its interval.
fn ratio(first: &Accuracy, second: &Accuracy) -> Option<[String; 2]> {
    let (first, second) = paired(first, second);
    let ratio = sample_variance(&first)? / sample_variance(&second).filter(|v| *v > 0.0)?;
    Some([format!("{ratio:.2}"), interval(ratio_interval(&first, &second, 0.95).ok())])
}

fn paired(first: &Accuracy, second: &Accuracy) -> (Vec<f64>, Vec<f64>) {
    pairs(&first.by_seed, &second.by_seed).into_iter().map(|(_, a, b)| (a, b)).unzip()
}
