//! Bold and underline: the best and the second of a line, only where the difference between the two survives
//! a paired test. A line without either is a line in which the order may be chance.
//!
//! Within a dataset the test is the paired bootstrap over images, corrected after Holm over the lines of a
//! table; for averages over datasets it is Wilcoxon's, corrected after Holm over all pairs.

use super::context::Context;
use super::image_scores::ImageScores;
use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::stats::bootstrap::Plan;
use crate::stats::holm::holm;
use crate::stats::image_bootstrap::{Paired, Resampled, h_over_images, over_images};

/// Level below which a corrected p sets a line apart.
pub const ALPHA: f64 = 0.05;
/// Resamples of images: enough for a corrected p below 5 % in a table of up to a hundred lines.
pub const IMAGE_PLAN: Plan = Plan { resamples: 4_000, confidence: 0.95, seed: 1 };

/// What a line of a table shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Accuracy among a group of classes.
    Accuracy(Classes),
    /// Harmonic mean of the accuracies among base and new classes.
    H,
}

impl Quantity {
    /// Its value in a cell, in percent.
    pub fn value(self, row: &SummaryRow) -> Option<f64> {
        match self {
            Self::Accuracy(classes) => row.accuracy(classes).mean(),
            Self::H => row.h_pct(),
        }
    }
}

/// The positions to set apart in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Position of the highest value.
    pub best: usize,
    /// Position of the second.
    pub second: usize,
}

impl Mark {
    /// The two highest of a line of values; `None` with fewer than two, or where the two are equal.
    pub fn candidates(values: &[Option<f64>]) -> Option<Self> {
        let mut order: Vec<(f64, usize)> =
            values.iter().enumerate().filter_map(|(i, v)| Some(((*v)?, i))).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (best, second) = (order.first()?, order.get(1)?);
        (best.0 > second.0).then_some(Self { best: best.1, second: second.1 })
    }
}

/// Sets the text of column `column` in Markdown.
pub fn markdown(text: String, mark: Option<Mark>, column: usize) -> String {
    match mark {
        Some(mark) if mark.best == column => format!("**{text}**"),
        Some(mark) if mark.second == column => format!("<u>{text}</u>"),
        _ => text,
    }
}

/// Sets the text of column `column` in LaTeX.
pub fn latex(text: String, mark: Option<Mark>, column: usize) -> String {
    match mark {
        Some(mark) if mark.best == column => format!("\\textbf{{{text}}}"),
        Some(mark) if mark.second == column => format!("\\underline{{{text}}}"),
        _ => text,
    }
}

/// One mark per line of a table (cells by column), where the two highest survive the test over images.
/// Lines without predictions have none.
pub fn of_lines(
    context: &Context<'_>,
    lines: &[Vec<Option<&SummaryRow>>],
    quantity: Quantity,
) -> Vec<Option<Mark>> {
    let tested: Vec<Option<(Mark, f64)>> =
        lines.iter().map(|cells| tested(context, cells, quantity)).collect();
    let raw: Vec<f64> = tested.iter().flatten().map(|(_, p)| *p).collect();
    let mut adjusted = holm(&raw).unwrap_or_default().into_iter();
    let survives = |line: Option<(Mark, f64)>| {
        let (mark, _) = line?;
        (adjusted.next()? < ALPHA).then_some(mark)
    };
    tested.into_iter().map(survives).collect()
}

fn tested(context: &Context<'_>, cells: &[Option<&SummaryRow>], quantity: Quantity) -> Option<(Mark, f64)> {
    let values: Vec<Option<f64>> = cells.iter().map(|c| c.and_then(|c| quantity.value(c))).collect();
    let mark = Mark::candidates(&values)?;
    let (first, second) = cells[mark.best].zip(cells[mark.second])?;
    Some((mark, compared(context, first, second, quantity)?.p))
}

/// The paired bootstrap over images of two cells of one dataset.
pub fn compared(
    context: &Context<'_>,
    first: &SummaryRow,
    second: &SummaryRow,
    quantity: Quantity,
) -> Option<Resampled> {
    let scores = |classes: Classes| {
        let pair = (ImageScores::of(context, first, classes)?, ImageScores::of(context, second, classes)?);
        pair.0.same_images(&pair.1).then(|| (pair.0.averaged(), pair.1.averaged()))
    };
    match quantity {
        Quantity::Accuracy(classes) => over_images(paired(&scores(classes)?), IMAGE_PLAN).ok(),
        Quantity::H => {
            let (base, new) = (scores(Classes::Base)?, scores(Classes::New)?);
            h_over_images(paired(&base), paired(&new), IMAGE_PLAN).ok()
        }
    }
}

fn paired((first, second): &(Vec<f64>, Vec<f64>)) -> Paired<'_> {
    Paired { first, second }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_and_single_ones_have_no_best() {
        assert_eq!(Mark::candidates(&[Some(1.0), None, Some(1.0)]), None);
        assert_eq!(Mark::candidates(&[None, Some(1.0)]), None);
        let mark = Mark::candidates(&[Some(1.0), Some(3.0), Some(2.0)]);
        assert_eq!(mark, Some(Mark { best: 1, second: 2 }));
        let set = |column| markdown("x".to_owned(), mark, column);
        assert_eq!([set(0), set(1), set(2)], ["x", "**x**", "<u>x</u>"]);
    }
}
