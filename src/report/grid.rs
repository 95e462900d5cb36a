//! Datasets × arms at one number of shots: what most sections are drawn from.
//!
//! A grid keeps its holes: a cell without a result is a `None` that tables show as missing or failed.

use std::collections::{BTreeMap, BTreeSet};

use super::arm::Arm;
use super::context::Context;
use super::names::{dataset_name, dataset_order};
use crate::data::Classes;
use crate::frame::SummaryRow;

/// In-domain results (trained on base classes) at one number of shots.
#[derive(Debug)]
pub struct Grid<'a> {
    /// Shots of the trained arms; `None` if only zero-shot was run.
    pub shots: Option<u32>,
    /// Dataset ids in page order.
    pub datasets: Vec<String>,
    /// Arms in page order.
    pub arms: Vec<Arm>,
    cells: BTreeMap<(usize, usize), &'a SummaryRow>,
}

impl<'a> Grid<'a> {
    /// One grid per number of shots, ascending, from records trained on `classes` and evaluated on the
    /// same dataset. Zero-shot takes part in each.
    pub fn all(context: &'a Context<'_>, classes: Classes) -> Vec<Self> {
        let fits =
            |r: &&SummaryRow| r.place.dataset == r.place.train_dataset && r.place.train_classes == classes;
        let rows: Vec<&SummaryRow> = context.summary.iter().filter(fits).collect();
        let shots: BTreeSet<u32> = rows.iter().filter_map(|r| r.place.shots).collect();
        if rows.is_empty() {
            return Vec::new();
        }
        if shots.is_empty() {
            return vec![Self::build(context, None, &rows)];
        }
        shots.into_iter().map(|shots| Self::build(context, Some(shots), &rows)).collect()
    }

    /// As [`Grid::all`] of the first group of classes that anything was trained on: base, else all.
    pub fn tested(context: &'a Context<'_>) -> Vec<Self> {
        let of = [Classes::Base, Classes::All].map(|classes| Self::all(context, classes));
        of.into_iter().find(|grids| !grids.is_empty()).unwrap_or_default()
    }

    /// What was trained on one dataset and tested on others, by the dataset trained on, at the highest number of shots.
    /// Zero-shot takes part in each.
    pub fn shifted(context: &'a Context<'_>) -> Vec<(String, Self)> {
        let mut sources: BTreeMap<&str, Vec<&SummaryRow>> = BTreeMap::new();
        for row in context.summary.iter().filter(|r| r.place.dataset != r.place.train_dataset) {
            sources.entry(&row.place.train_dataset).or_default().push(row);
        }
        let grid = |(source, rows): (&str, Vec<&'a SummaryRow>)| {
            let shots = rows.iter().filter_map(|row| row.place.shots).max();
            let datasets: BTreeSet<&String> = rows.iter().map(|row| &row.place.dataset).collect();
            let datasets = datasets.into_iter().cloned().collect();
            let takes_part = |r: &&SummaryRow| r.place.shots.is_none() || r.place.shots == shots;
            let rows = rows.into_iter().filter(takes_part).collect();
            (source.to_owned(), Self::of(context, shots, rows, datasets))
        };
        sources.into_iter().map(grid).collect()
    }

    fn build(context: &Context<'_>, shots: Option<u32>, rows: &[&'a SummaryRow]) -> Self {
        let takes_part = |r: &&&SummaryRow| r.place.shots.is_none() || r.place.shots == shots;
        let rows: Vec<&'a SummaryRow> = rows.iter().filter(takes_part).copied().collect();
        let datasets = context.datasets_of(&rows);
        Self::of(context, shots, rows, datasets)
    }

    fn of(
        context: &Context<'_>,
        shots: Option<u32>,
        rows: Vec<&'a SummaryRow>,
        mut datasets: Vec<String>,
    ) -> Self {
        datasets.sort_by_key(|id| dataset_order(id));
        let mut arms: Vec<Arm> = rows.iter().map(|r| context.arm(r)).collect();
        arms.sort();
        arms.dedup();
        let mut cells = BTreeMap::new();
        for row in rows {
            let dataset = datasets.iter().position(|id| *id == row.place.dataset);
            let arm = arms.iter().position(|arm| *arm == context.arm(row));
            if let (Some(dataset), Some(arm)) = (dataset, arm) {
                cells.insert((dataset, arm), row);
            }
        }
        Self { shots, datasets, arms, cells }
    }

    /// The result of arm `arm` on dataset `dataset` (positions in the grid).
    pub fn cell(&self, dataset: usize, arm: usize) -> Option<&'a SummaryRow> {
        self.cells.get(&(dataset, arm)).copied()
    }

    /// One value per dataset of an arm, holes included.
    pub fn column(&self, arm: usize, value: impl Fn(&SummaryRow) -> Option<f64>) -> Vec<Option<f64>> {
        (0..self.datasets.len()).map(|d| self.cell(d, arm).and_then(&value)).collect()
    }

    /// Positions of the datasets on which every arm has `value`: what can be averaged and tested fairly. An arm that
    /// cannot have it, since its method meets no new classes, does not count.
    pub fn shared(&self, value: impl Fn(&SummaryRow) -> Option<f64>) -> Vec<usize> {
        let has = |d: usize, a: usize| self.cell(d, a).and_then(&value).is_some();
        let never = |a: &usize| !self.arms[*a].transfers() && (0..self.datasets.len()).all(|d| !has(d, *a));
        let arms: Vec<usize> = (0..self.arms.len()).filter(|a| !never(a)).collect();
        (0..self.datasets.len()).filter(|d| arms.iter().all(|a| has(*d, *a))).collect()
    }

    /// The grid without the arms that have `value` nowhere since their methods meet no new classes.
    #[must_use]
    pub fn meeting(&self, value: impl Fn(&SummaryRow) -> Option<f64>) -> Self {
        let has = |a: usize| (0..self.datasets.len()).any(|d| self.cell(d, a).and_then(&value).is_some());
        let kept: Vec<usize> =
            (0..self.arms.len()).filter(|a| self.arms[*a].transfers() || has(*a)).collect();
        let place = |a: usize| kept.iter().position(|old| *old == a);
        let cells = self.cells.iter().filter_map(|((d, a), row)| Some(((*d, place(*a)?), *row)));
        Self {
            shots: self.shots,
            datasets: self.datasets.clone(),
            arms: kept.iter().map(|a| self.arms[*a].clone()).collect(),
            cells: cells.collect(),
        }
    }

    /// The arm that the others are tested against: the last method (RPO, where it takes part) under the suite's
    /// own settings, or the last arm where every one of that method is a variant.
    pub fn reference(&self) -> usize {
        let last = self.arms.len().saturating_sub(1);
        let own =
            |arm: &Arm| arm.variant.is_empty() && Some(&arm.method) == self.arms.last().map(|a| &a.method);
        self.arms.iter().position(own).unwrap_or(last)
    }

    /// Every arm but the reference, before it: the pairs of one question.
    pub fn against_reference(&self) -> impl Iterator<Item = (usize, usize)> {
        let reference = self.reference();
        (0..self.arms.len()).filter(move |arm| *arm != reference).map(move |arm| (arm, reference))
    }

    /// Trained cells with fewer seeds than the fullest one, in words: `DTD, CoOp: 2 of 3`.
    pub fn fewer_seeds(&self) -> Vec<String> {
        let most = self.seeds().1;
        let fewer = self.cells.iter().filter(|(_, row)| (1..most).contains(&row.n_seeds()));
        let words = |((d, a), row): (&(usize, usize), &&SummaryRow)| {
            let (dataset, arm) = (dataset_name(&self.datasets[*d]), self.arms[*a].label());
            format!("{dataset}, {arm}: {} of {most}", row.n_seeds())
        };
        fewer.map(words).collect()
    }

    /// Seeds of all arms, as numbers of runs per cell: smallest and largest among trained arms.
    pub fn seeds(&self) -> (usize, usize) {
        let counts = || self.cells.values().map(|r| r.n_seeds()).filter(|n| *n > 0);
        (counts().min().unwrap_or(0), counts().max().unwrap_or(0))
    }
}
