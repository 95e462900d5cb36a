//! Tables of measures with intervals over seeds and images: averages over datasets, and every cell.

use crate::data::Classes;
use crate::report::context::Context;
use crate::report::grid::Grid;
use crate::report::markdown::Table;
use crate::report::names::dataset_name;
use crate::report::number::NONE;
use crate::report::valued::{Shown, Valued, averaged};
use crate::stats::Interval;
use crate::stats::grouped::GroupedEstimate;
use crate::stats::measures::NamedMeasure;

/// A value with its 95 % interval, cut where it leaves what is possible.
pub fn with_interval(measure: NamedMeasure, value: Option<f64>, estimate: Option<GroupedEstimate>) -> String {
    let Some(value) = value else { return NONE.to_owned() };
    let ends = estimate.and_then(|estimate| estimate.interval(0.95).ok());
    let ends = ends.map(|i| Interval { low: i.low.max(0.0), high: i.high.min(measure.largest()) });
    format!("{}{}", number(measure, value), ends.map_or_else(String::new, |i| ends_of(measure, i)))
}

/// A difference with its sign and interval.
pub fn difference(measure: NamedMeasure, of: Option<Valued>) -> String {
    let Some(of) = of else { return NONE.to_owned() };
    let ends = of.estimate.and_then(|estimate| estimate.interval(0.95).ok());
    let sign = if number(measure, of.value).trim_start_matches('−') == number(measure, 0.0) || of.value < 0.0
    {
        ""
    } else {
        "+"
    };
    let text = format!("{sign}{}", number(measure, of.value));
    format!("{text}{}", ends.map_or_else(String::new, |i| ends_of(measure, i)))
}

/// Two decimals of a percentage, three of nats and squares.
pub fn number(measure: NamedMeasure, value: f64) -> String {
    let decimals = if measure.scale() == 100.0 { 2 } else { 3 };
    let power = 10f64.powi(decimals);
    // Rounded first: −0.001 would print as −0.00.
    let rounded = (measure.scale() * value * power).round() / power + 0.0;
    format!("{rounded:.*}", decimals as usize).replace('-', "−")
}

fn ends_of(measure: NamedMeasure, ends: Interval) -> String {
    format!(" [{}, {}]", number(measure, ends.low), number(measure, ends.high))
}

/// Datasets on which every arm has every one of these measures.
pub fn shared(context: &Context<'_>, grid: &Grid<'_>, columns: &[(NamedMeasure, Shown)]) -> Vec<usize> {
    let has =
        |d: usize, a: usize| columns.iter().all(|c| averaged(context, grid, &[d], (a, None), *c).is_some());
    (0..grid.datasets.len()).filter(|d| (0..grid.arms.len()).all(|a| has(*d, a))).collect()
}

/// A line an arm: averages over `datasets`, and of the first column the difference from `reference`.
pub fn averages(
    context: &Context<'_>,
    grid: &Grid<'_>,
    datasets: &[usize],
    columns: &[(NamedMeasure, Shown)],
    reference: Option<usize>,
) -> String {
    let names = columns.iter().map(|(measure, _)| measure.name().to_owned());
    let less = reference.zip(columns.first());
    let last =
        less.map(|(arm, (measure, _))| format!("{} less {}'s", measure.name(), grid.arms[arm].label()));
    let mut table = Table::new(std::iter::once("method".to_owned()).chain(names).chain(last));
    for (a, arm) in grid.arms.iter().enumerate() {
        let cells = columns.iter().map(|column| {
            let of = averaged(context, grid, datasets, (a, None), *column);
            with_interval(column.0, of.map(|of| of.value), of.and_then(|of| of.estimate))
        });
        let last = less.map(|(other, column)| match a == other {
            true => NONE.to_owned(),
            false => difference(column.0, averaged(context, grid, datasets, (a, Some(other)), *column)),
        });
        table.row(std::iter::once(arm.label()).chain(cells).chain(last));
    }
    table.markdown()
}

/// A line per dataset, arm and half: seeds, images and the measures.
pub fn cells(
    context: &Context<'_>,
    grid: &Grid<'_>,
    halves: &[Classes],
    measures: &[NamedMeasure],
) -> String {
    let names = measures.iter().map(|measure| measure.name());
    let mut table =
        Table::new(["dataset", "method", "classes", "seeds", "images"].into_iter().chain(names)).left(3);
    for (d, dataset) in grid.datasets.iter().enumerate() {
        for (a, arm) in grid.arms.iter().enumerate() {
            for classes in halves {
                let Some(row) = grid.cell(d, a) else { continue };
                let Some(cell) = context.cell_measures(row, *classes) else { continue };
                let values = measures.iter().map(|measure| {
                    let of = averaged(context, grid, &[d], (a, None), (*measure, Shown::Half(*classes)));
                    with_interval(*measure, of.map(|of| of.value), of.and_then(|of| of.estimate))
                });
                let start = [
                    dataset_name(dataset).to_owned(),
                    arm.label(),
                    classes.to_string(),
                    cell.seeds.len().to_string(),
                    cell.images.to_string(),
                ];
                table.row(start.into_iter().chain(values));
            }
        }
    }
    table.markdown()
}

/// The groups of classes that any cell of a grid was tested among.
pub fn halves(grid: &Grid<'_>) -> Vec<Classes> {
    let cells =
        || (0..grid.datasets.len()).flat_map(|d| (0..grid.arms.len()).filter_map(move |a| grid.cell(d, a)));
    let has = |classes: &Classes| cells().any(|row| row.accuracy(*classes).n() > 0);
    [Classes::Base, Classes::New, Classes::All].into_iter().filter(has).collect()
}

/// The first arm that draws nothing: what was there before any training.
pub fn untrained(grid: &Grid<'_>) -> Option<usize> {
    let draws =
        |a: usize| (0..grid.datasets.len()).filter_map(|d| grid.cell(d, a)).any(|row| row.n_seeds() > 0);
    (0..grid.arms.len()).find(|a| !draws(*a))
}

/// How a group of classes is called in a title.
pub fn titled(classes: Classes) -> &'static str {
    match classes {
        Classes::Base => "Base classes",
        Classes::New => "New classes",
        Classes::All => "All classes at once",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_unit_and_digits_of_their_measure() {
        assert_eq!(number(NamedMeasure::Ece, 0.12345), "12.35");
        assert_eq!(number(NamedMeasure::Nll, -0.0001), "0.000");
        let of = GroupedEstimate {
            value: 0.01,
            seed_variance: 0.0,
            image_variance: 1e-4,
            seed_df: 0.0,
            image_df: 29.0,
        };
        assert_eq!(with_interval(NamedMeasure::Ece, Some(0.01), Some(of)), "1.00 [0.00, 3.05]");
        assert_eq!(with_interval(NamedMeasure::Ece, Some(0.01), None), "1.00");
        let less = |value: f64, estimate| difference(NamedMeasure::Ece, Some(Valued { value, estimate }));
        assert_eq!(less(0.01, Some(of)), "+1.00 [−1.05, 3.05]");
        assert_eq!((less(-0.01, None), less(0.0, None)), ("−1.00".to_owned(), "0.00".to_owned()));
        assert_eq!(difference(NamedMeasure::Ece, None), NONE);
    }
}
