//! The base-to-new table in numbers: averages over the shared datasets, and which values are set apart.
//! Markdown and LaTeX print the same one.

use super::context::Context;
use super::emphasis::{Mark, of_lines};
use super::grid::Grid;
use super::pair_tests::PairTests;
use super::quantity::Quantity;
use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::stats::describe::mean;
use crate::stats::harmonic::{average_of_h, h_of_averages};

/// Base, new and H: the three quantities of the table, in its order.
pub const QUANTITIES: [Quantity; 3] =
    [Quantity::Accuracy(Classes::Base), Quantity::Accuracy(Classes::New), Quantity::H];

/// Averages and marks of one grid.
#[derive(Clone, Debug)]
pub struct Headline {
    /// Number of datasets that every arm has: what the averages run over.
    pub shared: usize,
    /// Per arm: base, new, H of the averages, average of H.
    pub averages: Vec<[Option<f64>; 4]>,
    /// Marks of those four columns.
    pub average_marks: [Option<Mark>; 4],
    /// Marks of the datasets' lines, per quantity.
    pub line_marks: [Vec<Option<Mark>>; 3],
}

impl Headline {
    /// Computes averages and tests.
    pub fn new(context: &Context<'_>, grid: &Grid<'_>) -> Self {
        let shared = grid.shared(SummaryRow::h_pct);
        let averages: Vec<[Option<f64>; 4]> =
            (0..grid.arms.len()).map(|a| averages(grid, &shared, a)).collect();
        let tests = QUANTITIES.map(|quantity| PairTests::new(grid, quantity).ok());
        let mark = |column: usize| {
            let values: Vec<Option<f64>> = averages.iter().map(|arm| arm[column]).collect();
            tests[column.min(2)].as_ref().and_then(|tests| tests.mark(&values))
        };
        let average_marks = [mark(0), mark(1), mark(2), mark(3)];
        let cells = |d: usize| (0..grid.arms.len()).map(|a| grid.cell(d, a)).collect();
        let lines: Vec<Vec<Option<&SummaryRow>>> = (0..grid.datasets.len()).map(cells).collect();
        let line_marks = of_lines(context, &lines, QUANTITIES);
        Self { shared: shared.len(), averages, average_marks, line_marks }
    }

    /// Number of lines set apart, and number of all lines, over the three quantities.
    pub fn set_apart(&self) -> (usize, usize) {
        let lines = || self.line_marks.iter().flatten();
        (lines().flatten().count(), lines().count())
    }
}

fn averages(grid: &Grid<'_>, shared: &[usize], arm: usize) -> [Option<f64>; 4] {
    let pair = |d: &usize| grid.cell(*d, arm).and_then(|c| Some((c.base.mean()?, c.new.mean()?)));
    let pairs: Vec<(f64, f64)> = shared.iter().filter_map(pair).collect();
    let base = |d: &usize| grid.cell(*d, arm).and_then(|c| c.base.mean());
    let base: Vec<f64> = shared.iter().filter_map(base).collect();
    let new: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
    [mean(&base), mean(&new), h_of_averages(&pairs), average_of_h(&pairs)]
}
