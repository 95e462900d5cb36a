//! Measures of cells, averages of them over datasets, and differences on the same images: values with both kinds of error.

use super::context::Context;
use super::grid::Grid;
use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::stats::grouped::{GroupedEstimate, Term};
use crate::stats::harmonic::{gradient, harmonic_mean};
use crate::stats::measures::NamedMeasure;

/// What a column of a table shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shown {
    /// A measure among one group of classes.
    Half(Classes),
    /// The harmonic mean of base and new.
    Pair,
}

/// A number with its error; the error is absent where fewer than two seeds, or other seeds in other datasets, allow
/// none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Valued {
    /// The mean over seeds (of a pair: the harmonic mean of the two means).
    pub value: f64,
    /// Both kinds of error.
    pub estimate: Option<GroupedEstimate>,
}

/// The mean over datasets of an arm's measure, or of its difference from another arm on the same images; `None` where
/// a dataset lacks it.
pub fn averaged(
    context: &Context<'_>,
    grid: &Grid<'_>,
    datasets: &[usize],
    (arm, less): (usize, Option<usize>),
    column: (NamedMeasure, Shown),
) -> Option<Valued> {
    let row = |dataset: &usize| {
        let other = match less {
            Some(less) => Some(grid.cell(*dataset, less)?),
            None => None,
        };
        Some((grid.cell(*dataset, arm)?, other))
    };
    over_rows(context, &datasets.iter().map(row).collect::<Option<Vec<_>>>()?, column)
}

/// The measure of one cell.
pub fn valued(context: &Context<'_>, row: &SummaryRow, column: (NamedMeasure, Shown)) -> Option<Valued> {
    over_rows(context, &[(row, None)], column)
}

/// A measure by seed and the seeds; less that of another cell, where one is given.
fn half(
    context: &Context<'_>,
    (row, other): (&SummaryRow, Option<&SummaryRow>),
    measure: NamedMeasure,
    classes: Classes,
) -> Option<(Term, Vec<u64>)> {
    let own = context.cell_measures(row, classes)?;
    let term = own.term(measure)?;
    let term = match other {
        Some(other) => term.minus(&context.cell_measures(other, classes)?.term(measure)?)?,
        None => term,
    };
    Some((term, own.seeds.clone()))
}

fn over_rows(
    context: &Context<'_>,
    rows: &[(&SummaryRow, Option<&SummaryRow>)],
    (measure, shown): (NamedMeasure, Shown),
) -> Option<Valued> {
    let weight = 1.0 / rows.len().max(1) as f64;
    let (mut terms, mut value) = (Vec::new(), 0.0);
    let mut drawn: Option<Vec<u64>> = None;
    let mut same_seeds = true;
    for row in rows {
        let half = |classes: Classes| half(context, *row, measure, classes);
        let halves: Vec<(Term, Vec<u64>)> = match shown {
            Shown::Half(classes) => vec![half(classes)?],
            Shown::Pair => vec![half(Classes::Base)?, half(Classes::New)?],
        };
        let means: Vec<f64> = halves.iter().map(|(term, _)| mean(&term.values)).collect();
        let parts = match means[..] {
            [base, new] => {
                value += weight * harmonic_mean(base, new)?;
                let (by_base, by_new) = gradient(base, new)?;
                vec![by_base, by_new]
            }
            _ => {
                value += weight * means[0];
                vec![1.0]
            }
        };
        for ((term, seeds), part) in halves.into_iter().zip(parts) {
            same_seeds &= *drawn.get_or_insert_with(|| seeds.clone()) == seeds;
            terms.push(Term { weight: weight * part, ..term });
        }
    }
    let estimate = GroupedEstimate::of(&terms, drawn.is_some_and(|seeds| !seeds.is_empty())).ok();
    // Of a pair the sum of tangents is the harmonic mean itself; written as such, it has no rounding of its own.
    let estimate = estimate.filter(|_| same_seeds).map(|estimate| GroupedEstimate { value, ..estimate });
    (!rows.is_empty()).then_some(Valued { value, estimate })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
