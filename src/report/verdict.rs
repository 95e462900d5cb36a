//! Sentences on which method came out ahead of which, by which test, or that none did.
//!
//! They repeat the tests of the sections and add none: every arm against the reference, Wilcoxon's signed ranks over
//! datasets, Holm over the arms. Where the number of datasets cannot give a p of 5 %, the sentence says so before
//! anything else.

use super::emphasis::ALPHA;
use super::grid::Grid;
use super::number::{count, p, two};
use super::pair_tests::{Pair, PairTests};
use super::quantity::Quantity;
use crate::stats::StatsError;
use crate::stats::describe::mean;

/// What the tests over datasets say of one quantity.
pub fn over_datasets(
    grid: &Grid<'_>,
    name: &str,
    quantity: Quantity,
    tests: Result<&PairTests, &StatsError>,
) -> String {
    let question = match name {
        "base" | "new" | "all" => format!("Accuracy among {name} classes:"),
        other => format!("{other}:"),
    };
    if grid.arms.len() < 2 {
        return format!("{question} {}", alone(grid, quantity));
    }
    let best = highest(grid, quantity);
    let turned = grid.against_reference().map(|(arm, reference)| (reference, arm));
    match tests.map(|tests| (tests, tests.family(turned))) {
        Ok((tests, Ok(pairs))) => format!("{question} {best}{}", tested(grid, tests, &pairs)),
        Ok((_, Err(reason))) => format!("{question} {best}no test over datasets ({reason})."),
        Err(reason) => format!("{question} {best}no test over datasets ({reason})."),
    }
}

/// What may be said of a transfer.
pub fn of_transfer(targets: usize) -> String {
    format!(
        "Averages over the {} are not tested: all share one training. The table of the page sets a column apart where \
         one method is better than every other.",
        count(targets, "other dataset")
    )
}

/// The averages over the datasets that every arm has.
fn averages(grid: &Grid<'_>, quantity: Quantity) -> (usize, Vec<(f64, String)>) {
    let shared = grid.shared(|row| quantity.value(row));
    let average = |a: usize| {
        let values: Vec<f64> =
            shared.iter().filter_map(|d| grid.cell(*d, a).and_then(|row| quantity.value(row))).collect();
        mean(&values)
    };
    let of = |(a, arm): (usize, &super::arm::Arm)| Some((average(a)?, arm.label()));
    (shared.len(), grid.arms.iter().enumerate().filter_map(of).collect())
}

fn alone(grid: &Grid<'_>, quantity: Quantity) -> String {
    match averages(grid, quantity) {
        (n, values) if !values.is_empty() => {
            let (value, name) = &values[0];
            format!("{name} alone, {} over {}; nothing to compare.", two(Some(*value)), count(n, "dataset"))
        }
        _ => "no result.".to_owned(),
    }
}

/// Who is highest and second, as a description: no order is claimed.
fn highest(grid: &Grid<'_>, quantity: Quantity) -> String {
    let (n, mut values) = averages(grid, quantity);
    values.sort_by(|a, b| b.0.total_cmp(&a.0));
    match &values[..] {
        [(first, one), (second, other), ..] => format!(
            "highest average over {}: {one} ({}), then {other} ({}); ",
            count(n, "dataset"),
            two(Some(*first)),
            two(Some(*second))
        ),
        _ => "no dataset has all methods; ".to_owned(),
    }
}

/// Pairs are (reference − other).
fn tested(grid: &Grid<'_>, tests: &PairTests, pairs: &[Pair]) -> String {
    let reference = grid.arms[grid.reference()].label();
    let by = format!(
        "by Wilcoxon's signed ranks over {} at 5 %, Holm over {}",
        count(tests.blocks.len(), "dataset"),
        count(pairs.len(), "test")
    );
    let names = |better: bool| -> Vec<String> {
        let rejected = pairs.iter().filter(|pair| pair.adjusted <= ALPHA);
        let sided = rejected.filter(|pair| (pair.test.rank_biserial > 0.0) == better);
        sided.map(|pair| grid.arms[pair.second].label()).collect()
    };
    let (better, worse) = (names(true), names(false));
    if tests.smallest_p() * pairs.len() as f64 > ALPHA {
        return format!(
            "no order can be shown {by}: the smallest p that {} can give is {}.",
            count(tests.blocks.len(), "dataset"),
            p((tests.smallest_p() * pairs.len() as f64).min(1.0))
        );
    }
    let nearest = pairs.iter().min_by(|a, b| a.adjusted.total_cmp(&b.adjusted));
    match (&better[..], &worse[..], nearest) {
        ([], [], Some(nearest)) => format!(
            "no method came out ahead of {reference} or behind it {by} (smallest p {}, for {}); that is no proof that \
             they are equal.",
            p(nearest.adjusted),
            grid.arms[nearest.second].label()
        ),
        ([], [], None) => format!("no method was compared with {reference}."),
        (better, [], _) => format!("{reference} came out ahead of {} {by}.", better.join(", ")),
        ([], worse, _) => format!("{reference} came out behind {} {by}.", worse.join(", ")),
        (better, worse, _) => {
            format!(
                "{reference} came out ahead of {} and behind {} {by}.",
                better.join(", "),
                worse.join(", ")
            )
        }
    }
}
