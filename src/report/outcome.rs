//! What came out, in short: every arm's averages and what the tests over datasets say of them. The first lines of a
//! page and the end of a command print the same one.
//!
//! Averages run over the datasets that every arm has. ± is the sample standard deviation over seeds of the average
//! over these datasets, so it exists only where all of them have the same seeds. Tests are those of the sections:
//! every arm against the reference, Wilcoxon over datasets, Holm over the arms; each quantity and each number of
//! shots is a question of its own (`docs/statistics.md`).

use std::collections::BTreeSet;

use serde::Serialize;

use super::arm::Arm;
use super::context::Context;
use super::grid::Grid;
use super::quantity::Quantity;
use super::section::missing;
use super::verdict::{Question, of_transfer};
use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::stats::describe::{mean, sample_std};

/// Averages and verdicts of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunOutcome {
    /// One for each number of shots, group of classes trained on, or source of a transfer.
    pub tables: Vec<OutcomeTable>,
    /// Cells that failed.
    pub failed: usize,
    /// Planned cells without a record.
    pub missing: usize,
    /// Records under other settings or on other data, which stand apart on the page.
    pub apart: usize,
    /// Their results, a line each: what somebody just tried is often among them.
    pub beside: Option<OutcomeTable>,
    /// What makes the numbers incomparable with others, as in the titles; empty for a full run.
    pub tag: String,
}

/// Arms in lines, quantities in columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutcomeTable {
    /// Training images a class; absent where nothing was trained.
    pub shots: Option<u32>,
    /// Classes trained on.
    pub train_classes: Classes,
    /// The dataset trained on, where the columns are about others too.
    pub source: Option<String>,
    /// Datasets that the averages are over.
    pub datasets: usize,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// One for each arm.
    pub lines: Vec<OutcomeLine>,
    /// What the tests say, a sentence for each question, with ids; then how it was tested.
    pub verdicts: Vec<String>,
    /// The same with the names of the page's tables.
    #[serde(skip)]
    pub page_verdicts: Vec<String>,
}

/// One arm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutcomeLine {
    /// Method id, as in the CSV files.
    pub method: String,
    /// Settings that tell it from others of its method.
    pub variant: String,
    /// Seeds; 0 where nothing is drawn.
    pub seeds: usize,
    /// A number for each column.
    pub numbers: Vec<Number>,
}

/// An average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Number {
    /// In percent; absent where a dataset has no value.
    pub mean: Option<f64>,
    /// Sample standard deviation over seeds, in points.
    pub std: Option<f64>,
}

impl OutcomeLine {
    /// Id and settings.
    pub fn name(&self) -> String {
        match self.variant.as_str() {
            "" => self.method.clone(),
            variant => format!("{} {variant}", self.method),
        }
    }
}

impl RunOutcome {
    /// Of everything on the page.
    pub fn of(context: &Context<'_>) -> Self {
        let mut tables = Vec::new();
        for classes in [Classes::Base, Classes::All] {
            tables.extend(Grid::all(context, classes).iter().filter_map(|grid| own(grid, classes)));
        }
        // A transfer's own dataset is a column of its table.
        let moved = transfers(context);
        tables.retain(|table| moved.is_empty() || table.train_classes != Classes::All);
        tables.extend(moved);
        Self {
            tables,
            failed: context.failed().count(),
            missing: missing(context).len(),
            apart: context.apart.len(),
            beside: beside(context),
            tag: context.tag(),
        }
    }
}

/// What is tested on its own dataset.
fn own(grid: &Grid<'_>, train_classes: Classes) -> Option<OutcomeTable> {
    let [base, new, all] = [Classes::Base, Classes::New, Classes::All].map(Quantity::Accuracy);
    let candidates = [("base", base), ("new", new), ("H", Quantity::H), ("all", all)];
    let has = |quantity: Quantity| {
        (0..grid.arms.len()).any(|a| grid.column(a, |r| quantity.value(r)).iter().any(Option::is_some))
    };
    let shown: Vec<(&str, Quantity)> = candidates.into_iter().filter(|(_, q)| has(*q)).collect();
    let (_, leading) = *shown.iter().find(|(name, _)| *name == "H").or(shown.first())?;
    let shared = grid.shared(|row| leading.value(row));
    let line = |(a, arm): (usize, &Arm)| {
        let cells: Vec<&SummaryRow> = shared.iter().filter_map(|d| grid.cell(*d, a)).collect();
        line(arm, &cells, shown.iter().map(|(_, quantity)| number(&cells, *quantity)).collect())
    };
    let lines: Vec<OutcomeLine> = grid.arms.iter().enumerate().map(line).collect();
    let ids: Vec<String> = lines.iter().map(OutcomeLine::name).collect();
    let labels: Vec<String> = grid.arms.iter().map(Arm::label).collect();
    Some(OutcomeTable {
        shots: grid.shots,
        train_classes,
        source: None,
        datasets: shared.len(),
        columns: shown.iter().map(|(name, _)| (*name).to_owned()).collect(),
        lines,
        verdicts: verdicts(grid, &ids, &shown, leading),
        page_verdicts: verdicts(grid, &labels, &shown, leading),
    })
}

/// The leading quantity first: H is what a suite of base and new classes is about.
fn verdicts(grid: &Grid<'_>, names: &[String], shown: &[(&str, Quantity)], leading: Quantity) -> Vec<String> {
    let question = Question { grid, names };
    let mut order: Vec<&(&str, Quantity)> = shown.iter().collect();
    order.sort_by_key(|(_, quantity)| *quantity != leading);
    let findings = order.into_iter().map(|(name, quantity)| question.finding(name, *quantity));
    findings.chain([question.test(leading)]).filter(|text| !text.is_empty()).collect()
}

/// What stands apart, by method, settings and dataset.
fn beside(context: &Context<'_>) -> Option<OutcomeTable> {
    let rows = &context.summary_apart;
    let [base, new, all] = [Classes::Base, Classes::New, Classes::All].map(Quantity::Accuracy);
    let candidates = [("base", base), ("new", new), ("H", Quantity::H), ("all", all)];
    let has = |quantity: Quantity| rows.iter().any(|row| quantity.value(row).is_some());
    let shown: Vec<(&str, Quantity)> = candidates.into_iter().filter(|(_, q)| has(*q)).collect();
    let of = |row: &SummaryRow| {
        let number = |(_, q): &(&str, Quantity)| Number { mean: q.value(row), std: q.spread(row) };
        let line = line(&context.arm(row), &[row], shown.iter().map(number).collect());
        let variant = format!("{} on {}", line.variant, row.place.dataset).trim_start().to_owned();
        OutcomeLine { variant, ..line }
    };
    let first = rows.first().filter(|_| !shown.is_empty())?;
    Some(OutcomeTable {
        shots: None,
        train_classes: first.place.train_classes,
        source: None,
        datasets: rows.iter().map(|row| &row.place.dataset).collect::<BTreeSet<_>>().len(),
        columns: shown.iter().map(|(name, _)| (*name).to_owned()).collect(),
        lines: rows.iter().map(of).collect(),
        verdicts: Vec::new(),
        page_verdicts: Vec::new(),
    })
}

fn line(arm: &Arm, cells: &[&SummaryRow], numbers: Vec<Number>) -> OutcomeLine {
    let words = [arm.variant.as_str(), arm.remark.as_str()];
    OutcomeLine {
        method: arm.method.clone(),
        variant: words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "),
        seeds: cells.iter().map(|row| row.n_seeds()).max().unwrap_or(0),
        numbers,
    }
}

/// The average over cells, and its spread over the seeds that all of them have.
fn number(cells: &[&SummaryRow], quantity: Quantity) -> Number {
    let values: Option<Vec<f64>> = cells.iter().map(|row| quantity.value(row)).collect();
    let by_seed: Vec<Vec<(Option<u64>, f64)>> = cells.iter().map(|row| quantity.by_seed(row)).collect();
    Number { mean: values.and_then(|values| mean(&values)), std: spread(&by_seed) }
}

fn spread(by_seed: &[Vec<(Option<u64>, f64)>]) -> Option<f64> {
    let seeds = |cell: &[(Option<u64>, f64)]| cell.iter().map(|(seed, _)| *seed).collect::<Vec<_>>();
    let first = seeds(by_seed.first()?);
    if first.iter().any(Option::is_none) || by_seed.iter().any(|cell| seeds(cell) != first) {
        return None;
    }
    let average = |s: usize| mean(&by_seed.iter().map(|cell| cell[s].1).collect::<Vec<_>>());
    sample_std(&(0..first.len()).map(average).collect::<Option<Vec<f64>>>()?)
}

/// What was trained on one dataset and tested on others.
fn transfers(context: &Context<'_>) -> Vec<OutcomeTable> {
    let rows = || context.summary.iter().filter(|row| row.all.n() > 0);
    let moved = |row: &&SummaryRow| row.place.dataset != row.place.train_dataset;
    // Zero-shot has no shots and takes part in each.
    let places: BTreeSet<(&str, u32)> = rows()
        .filter(moved)
        .filter_map(|row| Some((row.place.train_dataset.as_str(), row.place.shots?)))
        .collect();
    let of = |(source, shots): (&str, u32)| {
        let takes_part = |row: &&SummaryRow| {
            row.place.train_dataset == source && row.place.shots.is_none_or(|own| own == shots)
        };
        let rows: Vec<&SummaryRow> = rows().filter(takes_part).collect();
        transfer(context, source, shots, &rows)
    };
    places.into_iter().map(of).collect()
}

fn transfer(context: &Context<'_>, source: &str, shots: u32, rows: &[&SummaryRow]) -> OutcomeTable {
    let targets: BTreeSet<&str> =
        rows.iter().map(|row| row.place.dataset.as_str()).filter(|id| *id != source).collect();
    let arms: BTreeSet<Arm> = rows.iter().map(|row| context.arm(row)).collect();
    let quantity = Quantity::Accuracy(Classes::All);
    let of = |arm: &Arm| {
        let cells: Vec<&SummaryRow> = rows.iter().copied().filter(|row| context.arm(row) == *arm).collect();
        let at = |wanted: &dyn Fn(&str) -> bool| -> Vec<&SummaryRow> {
            cells.iter().copied().filter(|row| wanted(&row.place.dataset)).collect()
        };
        let others = at(&|id| targets.contains(id));
        let average = match others.len() == targets.len() {
            true => number(&others, quantity),
            false => Number::default(),
        };
        line(arm, &cells, vec![number(&at(&|id| id == source), quantity), average])
    };
    OutcomeTable {
        shots: Some(shots),
        train_classes: Classes::All,
        source: Some(source.to_owned()),
        datasets: targets.len(),
        columns: vec![source.to_owned(), "others".to_owned()],
        lines: arms.iter().map(of).collect(),
        verdicts: vec![of_transfer(targets.len())],
        page_verdicts: vec![of_transfer(targets.len())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_that_of_the_average_and_needs_the_same_seeds() {
        let cell = |pairs: &[(u64, f64)]| pairs.iter().map(|(s, v)| (Some(*s), *v)).collect::<Vec<_>>();
        let opposed = [cell(&[(1, 70.0), (2, 72.0)]), cell(&[(1, 62.0), (2, 60.0)])];
        assert_eq!(spread(&opposed), Some(0.0), "what cancels in the average is no spread of it");
        let parallel = [cell(&[(1, 70.0), (2, 72.0)]), cell(&[(1, 60.0), (2, 62.0)])];
        assert_eq!(spread(&parallel), Some(2f64.sqrt()));
        let other = [cell(&[(1, 70.0), (2, 72.0)]), cell(&[(1, 60.0), (3, 62.0)])];
        assert_eq!(spread(&other), None);
        assert_eq!(spread(&[vec![(None, 70.0)]]), None);
    }
}
