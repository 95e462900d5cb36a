//! The lines of the page's two tables: every evaluation, and every cell over its seeds.

use std::collections::BTreeSet;

use super::data::{Coordinates, Mean, Run, scaled};
use crate::data::Classes;
use crate::frame::{Row, SummaryRow};
use crate::report::arm::Arm;
use crate::report::context::Context;
use crate::report::valued::{Shown, Valued, valued};
use crate::stats::measures::{NamedMeasure, SetNumbers};

/// Positions of datasets and arms.
pub struct Positions {
    /// Dataset ids.
    pub datasets: Vec<String>,
    /// Arms.
    pub arms: Vec<Arm>,
}

impl Positions {
    /// Of every row of a report, in page order.
    pub fn of(context: &Context<'_>) -> Self {
        use crate::report::names::dataset_order;
        let rows = context.frame.rows();
        let both: BTreeSet<&String> =
            rows.iter().flat_map(|row| [&row.dataset, &row.train_dataset]).collect();
        let mut datasets: Vec<String> = both.into_iter().cloned().collect();
        datasets.sort_by_key(|id| dataset_order(id));
        let arms: BTreeSet<Arm> = rows.iter().map(|row| context.arm_of_row(row)).collect();
        Self { datasets, arms: arms.into_iter().collect() }
    }

    /// Position of a dataset.
    pub fn dataset(&self, id: &str) -> usize {
        self.datasets.iter().position(|own| own == id).unwrap_or_default()
    }

    /// Position of an arm.
    pub fn arm(&self, arm: &Arm) -> usize {
        self.arms.binary_search(arm).unwrap_or_default()
    }

    /// Where a row stands.
    pub fn place(&self, context: &Context<'_>, row: &Row, classes: &'static str) -> Coordinates {
        Coordinates {
            d: self.dataset(&row.dataset),
            t: (row.dataset != row.train_dataset).then(|| self.dataset(&row.train_dataset)),
            a: self.arm(&context.arm_of_row(row)),
            k: row.shots,
            c: classes,
        }
    }
}

/// One line per row of `results.csv`.
pub fn runs(context: &Context<'_>, places: &Positions) -> Vec<Run> {
    let run = |((row, key), set): ((&Row, &str), &Option<SetNumbers>)| {
        let value = |measure: NamedMeasure| match (set, measure) {
            (Some(set), _) => set.value(measure).map(|value| scaled(measure, value)),
            (None, NamedMeasure::Accuracy) => Some(scaled(measure, row.accuracy_pct() / 100.0)),
            (None, _) => None,
        };
        Run {
            p: places.place(context, row, row.classes.as_str()),
            s: row.seed,
            r: row.correct,
            n: row.total,
            key: key.to_owned(),
            v: NamedMeasure::ALL.map(value).into(),
        }
    };
    context.frame.keyed_rows().zip(context.measured().rows()).map(run).collect()
}

/// One line per cell and group of classes, and one for H where there are both halves: those of the first `most` cells,
/// with the number of cells that are left out.
pub fn means(context: &Context<'_>, places: &Positions, most: usize) -> (Vec<Mean>, usize) {
    let mut rows: Vec<&SummaryRow> = context.summary.iter().chain(&context.summary_apart).collect();
    // Lines of one dataset stand together, whatever their record's other coordinates are.
    rows.sort_by_cached_key(|row| (places.dataset(&row.place.dataset), places.arm(&context.arm(row))));
    let of = |row: &&SummaryRow| {
        let halves = [Classes::Base, Classes::New, Classes::All];
        let halves = halves.into_iter().filter_map(|classes| mean(context, places, row, classes));
        halves.chain(pair(context, places, row)).collect::<Vec<_>>()
    };
    (rows.iter().take(most).flat_map(of).collect(), rows.len().saturating_sub(most))
}

fn mean(context: &Context<'_>, places: &Positions, row: &SummaryRow, classes: Classes) -> Option<Mean> {
    let accuracy = row.accuracy(classes);
    let mean_pct = accuracy.mean()?;
    let value = |measure: NamedMeasure| {
        let of = valued(context, row, (measure, Shown::Half(classes)));
        match (of, measure) {
            (Some(of), _) => ends(measure, of),
            (None, NamedMeasure::Accuracy) => [Some(scaled(measure, mean_pct / 100.0)), None, None],
            (None, _) => [None; 3],
        }
    };
    Some(Mean {
        p: places.place(context, &row.place, classes.as_str()),
        s: accuracy.by_seed.iter().filter_map(|(seed, _)| *seed).collect(),
        r: accuracy.correct,
        n: accuracy.total,
        std: accuracy.std().map(|std| scaled(NamedMeasure::Accuracy, std / 100.0)),
        v: NamedMeasure::ALL.map(value).into(),
    })
}

fn pair(context: &Context<'_>, places: &Positions, row: &SummaryRow) -> Option<Mean> {
    let h = row.h_pct()?;
    let accuracy = match valued(context, row, (NamedMeasure::Accuracy, Shown::Pair)) {
        Some(of) => ends(NamedMeasure::Accuracy, of),
        None => [Some(scaled(NamedMeasure::Accuracy, h / 100.0)), None, None],
    };
    let mut v = vec![[None; 3]; NamedMeasure::ALL.len()];
    v[0] = accuracy;
    Some(Mean {
        p: places.place(context, &row.place, "H"),
        s: row.h.by_seed.iter().filter_map(|(seed, _)| *seed).collect(),
        r: row.base.correct + row.new.correct,
        n: row.base.total + row.new.total,
        std: row.h.std().map(|std| scaled(NamedMeasure::Accuracy, std / 100.0)),
        v,
    })
}

/// Value and interval, cut where it leaves what is possible.
fn ends(measure: NamedMeasure, of: Valued) -> [Option<f64>; 3] {
    let interval = of.estimate.and_then(|estimate| estimate.interval(0.95).ok());
    [
        Some(scaled(measure, of.value)),
        interval.map(|i| scaled(measure, i.low.max(0.0))),
        interval.map(|i| scaled(measure, i.high.min(measure.largest()))),
    ]
}
