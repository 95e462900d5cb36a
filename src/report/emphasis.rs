//! Bold: the best of a line, where it is better than every other one by a test. Underlined: the second highest,
//! in lines that have a bold one; it says "second" and claims no more. A line without either is a line in which
//! the order may be chance.
//!
//! Within a dataset seeds and images are both a sample ([`crate::stats::crossed`]); the p of a line is the
//! largest of the best one's tests against the others (each must be rejected, so none is corrected for the
//! others: Berger 1982; that the best was chosen by the data costs nothing: Gutmann and Maymin 1987), corrected
//! after Holm over the lines of a table. Averages over datasets: [`super::pair_tests`].

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::image_scores::{CellScores, ImageScores};
use super::quantity::Quantity;
use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::stats::holm::holm;
use crate::stats::settled::settled;

/// Level at or below which a corrected p sets a line apart.
pub const ALPHA: f64 = 0.05;

/// The positions to set apart in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Position of the highest value.
    pub best: usize,
    /// Positions of the second highest: several where they are equal.
    pub seconds: Vec<usize>,
}

impl Mark {
    /// The highest and the second highest of a line of values, equal as far as counts of images tell; `None` with
    /// fewer than two values, or where the highest is not alone.
    pub fn candidates(values: &[Option<f64>]) -> Option<Self> {
        let mut order: Vec<(f64, usize)> =
            values.iter().enumerate().filter_map(|(i, v)| Some((settled((*v)?), i))).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (best, second) = (order.first()?, order.get(1)?);
        let seconds = order.iter().filter(|(value, _)| *value == second.0).map(|(_, place)| *place);
        (best.0 > second.0).then(|| Self { best: best.1, seconds: seconds.collect() })
    }
}

/// Sets the text of column `column` in Markdown.
pub fn markdown(text: String, mark: Option<&Mark>, column: usize) -> String {
    set(text, mark, column, ["**", "**"], ["<u>", "</u>"])
}

/// Sets the text of column `column` in LaTeX.
pub fn latex(text: String, mark: Option<&Mark>, column: usize) -> String {
    set(text, mark, column, ["\\textbf{", "}"], ["\\underline{", "}"])
}

fn set(text: String, mark: Option<&Mark>, column: usize, bold: [&str; 2], underlined: [&str; 2]) -> String {
    let [open, close] = match mark {
        Some(mark) if mark.best == column => bold,
        Some(mark) if mark.seconds.contains(&column) => underlined,
        _ => return text,
    };
    format!("{open}{text}{close}")
}

/// Marks of a table's lines (cells by column) for several quantities, one list per quantity: where the best is
/// better than every other one. Lines in which a cell has no predictions, or a trained one fewer than two seeds in
/// common with the best, have none.
pub fn of_lines<const N: usize>(
    context: &Context<'_>,
    lines: &[Vec<Option<&SummaryRow>>],
    quantities: [Quantity; N],
) -> [Vec<Option<Mark>>; N] {
    // Predictions are read once per line, however many quantities are made of them.
    let tested: Vec<[Tested; N]> = lines
        .iter()
        .map(|cells| {
            let scores: Vec<CellImages> = cells.iter().map(|c| images(context, *c, &quantities)).collect();
            quantities.map(|quantity| tested(cells, &scores, quantity))
        })
        .collect();
    std::array::from_fn(|q| {
        let tested: Vec<Tested> = tested.iter().map(|line| line[q].clone()).collect();
        let raw: Vec<f64> = tested.iter().flatten().map(|(_, p)| *p).collect();
        let mut adjusted = holm(&raw).unwrap_or_default().into_iter();
        let survives = |line: Tested| {
            let (mark, _) = line?;
            (adjusted.next()? <= ALPHA).then_some(mark)
        };
        tested.into_iter().map(survives).collect()
    })
}

/// The places that may be set apart, and the largest p of the best one's tests.
type Tested = Option<(Mark, f64)>;
/// What was read of a cell.
type CellImages = BTreeMap<Classes, ImageScores>;

fn images(context: &Context<'_>, cell: Option<&SummaryRow>, quantities: &[Quantity]) -> CellImages {
    let parts: BTreeSet<Classes> = quantities.iter().flat_map(|q| q.parts()).copied().collect();
    let read = |classes: Classes| Some((classes, ImageScores::of(context, cell?, classes)?));
    parts.into_iter().filter_map(read).collect()
}

fn tested(cells: &[Option<&SummaryRow>], images: &[CellImages], quantity: Quantity) -> Tested {
    let values: Vec<Option<f64>> = cells.iter().map(|c| c.and_then(|c| quantity.value(c))).collect();
    let mark = Mark::candidates(&values)?;
    let scores = |i: usize| CellScores::new(quantity, |classes| images[i].get(&classes));
    let best = scores(mark.best)?;
    let mut largest = 0.0_f64;
    for other in (0..cells.len()).filter(|i| *i != mark.best && values[*i].is_some()) {
        let test = best.minus(&scores(other)?)?;
        // On the common seeds alone the order may be another one.
        largest = largest.max(if test.difference > 0.0 { test.p() } else { 1.0 });
    }
    Some((mark, largest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_and_single_ones_have_no_best() {
        assert_eq!(Mark::candidates(&[Some(1.0), None, Some(1.0)]), None);
        assert_eq!(Mark::candidates(&[None, Some(1.0)]), None);
        // Last bits are no difference.
        assert_eq!(Mark::candidates(&[Some(0.1 + 0.2), Some(0.3)]), None);
        let mark = Mark::candidates(&[Some(1.0), Some(3.0), Some(2.0)]);
        assert_eq!(mark, Some(Mark { best: 1, seconds: vec![2] }));
        let set = |column| markdown("x".to_owned(), mark.as_ref(), column);
        assert_eq!([set(0), set(1), set(2)], ["x", "**x**", "<u>x</u>"]);
    }

    #[test]
    fn a_shared_second_place_is_underlined_for_all_who_share_it() {
        let mark = Mark::candidates(&[Some(0.3), Some(3.0), Some(0.1 + 0.2), Some(0.2)]).unwrap();
        assert_eq!(mark, Mark { best: 1, seconds: vec![0, 2] });
        assert_eq!(latex("x".to_owned(), Some(&mark), 2), "\\underline{x}");
        assert_eq!(latex("x".to_owned(), Some(&mark), 3), "x");
    }
}
