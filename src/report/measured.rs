//! The measures of every evaluation, from its predictions: read once, a file at a time, and kept as counts and bins.

use std::collections::BTreeMap;

use super::context::Context;
use super::grid::Grid;
use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::record::Prediction;
use crate::stats::grouped::{Estimate, Term};
use crate::stats::harmonic::{gradient, harmonic_mean};
use crate::stats::measures::{Measure, MeasuredRow, Outcome, SetMeasures};

/// Measures by record key, dataset and group of classes.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    sets: BTreeMap<(String, String, Classes), SetMeasures>,
}

impl Measured {
    /// Reads the predictions of every complete record; those that are absent or damaged are left out.
    pub fn read(context: &Context<'_>) -> Self {
        let mut sets = BTreeMap::new();
        for record in context.every_record() {
            for evaluation in &record.evaluations {
                let rows = (context.sources.predictions)(record, evaluation);
                let Some(set) = rows.and_then(|rows| SetMeasures::new(&measured_rows(&rows))) else {
                    continue;
                };
                let place = (record.key.clone(), evaluation.dataset.clone(), evaluation.classes);
                sets.insert(place, set);
            }
        }
        Self { sets }
    }

    /// The measures of one evaluation.
    pub fn of(&self, key: &str, dataset: &str, classes: Classes) -> Option<&SetMeasures> {
        self.sets.get(&(key.to_owned(), dataset.to_owned(), classes))
    }

    /// Those of every seed behind a summary row; `None` where one is missing, or where there is none.
    pub fn cell<'m>(
        &'m self,
        context: &Context<'_>,
        row: &SummaryRow,
        classes: Classes,
    ) -> Option<CellMeasures<'m>> {
        let of = |(seed, _): &(Option<u64>, f64)| {
            let key = context.frame.record_key(row, *seed, classes)?;
            Some((*seed, self.of(key, &row.place.dataset, classes)?))
        };
        let by_seed: Vec<_> = row.accuracy(classes).by_seed.iter().map(of).collect::<Option<_>>()?;
        (!by_seed.is_empty()).then_some(CellMeasures { by_seed })
    }
}

/// What the measures need of predictions.
pub fn measured_rows(predictions: &[Prediction]) -> Vec<MeasuredRow> {
    let row = |row: &Prediction| MeasuredRow {
        outcome: Outcome { label: row.label, predicted: row.predicted },
        p_true: f64::from(row.p_true),
        p_predicted: row.confidence.map(|sure| f64::from(sure.p_predicted)),
    };
    predictions.iter().map(row).collect()
}

/// The measures of one cell among one group of classes, by seed.
#[derive(Clone, Debug)]
pub struct CellMeasures<'m> {
    /// Ascending by seed; a single entry without one where nothing is drawn.
    pub by_seed: Vec<(Option<u64>, &'m SetMeasures)>,
}

impl CellMeasures<'_> {
    /// A measure by seed, and without each group of images; `None` where it is undefined.
    pub fn term(&self, measure: Measure) -> Option<Term> {
        let values = self.by_seed.iter().map(|(_, set)| set.value(measure)).collect::<Option<_>>()?;
        let without = self.by_seed.iter().map(|(_, set)| set.without(measure)).collect::<Option<_>>()?;
        Some(Term { weight: 1.0, values, without })
    }

    /// The seeds; none of a cell that draws nothing.
    pub fn seeds(&self) -> Vec<u64> {
        self.by_seed.iter().filter_map(|(seed, _)| *seed).collect()
    }

    /// Test images.
    pub fn images(&self) -> u64 {
        self.by_seed.first().map_or(0, |(_, set)| set.images)
    }
}

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
    pub estimate: Option<Estimate>,
}

/// The mean over datasets of an arm's measure, or of its difference from another arm on the same images; `None` where
/// a dataset lacks it.
pub fn averaged(
    context: &Context<'_>,
    grid: &Grid<'_>,
    datasets: &[usize],
    (arm, less): (usize, Option<usize>),
    column: (Measure, Shown),
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
pub fn valued(context: &Context<'_>, row: &SummaryRow, column: (Measure, Shown)) -> Option<Valued> {
    over_rows(context, &[(row, None)], column)
}

/// A measure by seed and the seeds; less that of another cell, where one is given.
fn half(
    context: &Context<'_>,
    (row, other): (&SummaryRow, Option<&SummaryRow>),
    measure: Measure,
    classes: Classes,
) -> Option<(Term, Vec<u64>)> {
    let own = context.measured().cell(context, row, classes)?;
    let term = own.term(measure)?;
    let term = match other {
        Some(other) => term.minus(&context.measured().cell(context, other, classes)?.term(measure)?)?,
        None => term,
    };
    Some((term, own.seeds()))
}

fn over_rows(
    context: &Context<'_>,
    rows: &[(&SummaryRow, Option<&SummaryRow>)],
    (measure, shown): (Measure, Shown),
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
    let estimate = Estimate::of(&terms, drawn.is_some_and(|seeds| !seeds.is_empty())).ok();
    // Of a pair the sum of tangents is the harmonic mean itself; written as such, it has no rounding of its own.
    let estimate = estimate.filter(|_| same_seeds).map(|estimate| Estimate { value, ..estimate });
    (!rows.is_empty()).then_some(Valued { value, estimate })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
