//! The lines of the page's two tables: every evaluation, and every cell over its seeds.

use std::collections::BTreeMap;

use super::data::{Mean, Place, Run, scaled};
use crate::data::Classes;
use crate::frame::{Row, SummaryRow};
use crate::report::arm::Arm;
use crate::report::context::Context;
use crate::report::measured::{Shown, Valued, valued};
use crate::stats::measures::Measure;

/// Positions of datasets and arms.
pub struct Places {
    /// Dataset ids.
    pub datasets: Vec<String>,
    /// Arms.
    pub arms: Vec<Arm>,
}

impl Places {
    /// Of every row of a report, in page order.
    pub fn of(context: &Context<'_>) -> Self {
        use crate::report::names::dataset_order;
        let rows = context.frame.rows();
        let both = rows.iter().flat_map(|row| [&row.dataset, &row.train_dataset]);
        let mut datasets: Vec<String> = both.cloned().collect();
        datasets.sort_by_key(|id| dataset_order(id));
        datasets.dedup();
        let mut arms: Vec<Arm> = rows.iter().map(|row| context.arm_of_row(row)).collect();
        arms.sort();
        arms.dedup();
        Self { datasets, arms }
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
    pub fn place(&self, context: &Context<'_>, row: &Row, classes: &'static str) -> Place {
        Place {
            d: self.dataset(&row.dataset),
            t: (row.dataset != row.train_dataset).then(|| self.dataset(&row.train_dataset)),
            a: self.arm(&context.arm_of_row(row)),
            k: row.shots,
            c: classes,
        }
    }
}

/// One line per row of `results.csv`.
pub fn runs(context: &Context<'_>, places: &Places) -> Vec<Run> {
    let run = |(row, key): (&Row, &str)| {
        let set = context.measured().of(key, &row.dataset, row.classes);
        let value = |measure: Measure| match (set, measure) {
            (Some(set), _) => set.value(measure).map(|value| scaled(measure, value)),
            (None, Measure::Accuracy) => Some(scaled(measure, row.accuracy_pct() / 100.0)),
            (None, _) => None,
        };
        Run {
            p: places.place(context, row, row.classes.as_str()),
            s: row.seed,
            r: row.correct,
            n: row.total,
            key: key.to_owned(),
            v: Measure::ALL.map(value).into(),
        }
    };
    context.frame.keyed_rows().map(run).collect()
}

/// One line per cell and group of classes, and one for H where there are both halves.
pub fn means(context: &Context<'_>, places: &Places) -> Vec<Mean> {
    let mut means = Vec::new();
    for row in context.summary.iter().chain(&context.summary_apart) {
        for classes in [Classes::Base, Classes::New, Classes::All] {
            means.extend(mean(context, places, row, classes));
        }
        means.extend(pair(context, places, row));
    }
    // Lines of one dataset stand together, whatever their record's other coordinates are.
    let mut keyed: BTreeMap<(usize, usize, usize), Vec<Mean>> = BTreeMap::new();
    for (order, mean) in means.into_iter().enumerate() {
        keyed.entry((mean.p.d, mean.p.a, order)).or_default().push(mean);
    }
    keyed.into_values().flatten().collect()
}

fn mean(context: &Context<'_>, places: &Places, row: &SummaryRow, classes: Classes) -> Option<Mean> {
    let accuracy = row.accuracy(classes);
    let mean_pct = accuracy.mean()?;
    let value = |measure: Measure| {
        let of = valued(context, row, (measure, Shown::Half(classes)));
        match (of, measure) {
            (Some(of), _) => ends(measure, of),
            (None, Measure::Accuracy) => [Some(scaled(measure, mean_pct / 100.0)), None, None],
            (None, _) => [None; 3],
        }
    };
    Some(Mean {
        p: places.place(context, &row.place, classes.as_str()),
        s: accuracy.by_seed.iter().filter_map(|(seed, _)| *seed).collect(),
        r: accuracy.correct,
        n: accuracy.total,
        std: accuracy.std().map(|std| scaled(Measure::Accuracy, std / 100.0)),
        v: Measure::ALL.map(value).into(),
    })
}

fn pair(context: &Context<'_>, places: &Places, row: &SummaryRow) -> Option<Mean> {
    let h = row.h_pct()?;
    let accuracy = match valued(context, row, (Measure::Accuracy, Shown::Pair)) {
        Some(of) => ends(Measure::Accuracy, of),
        None => [Some(scaled(Measure::Accuracy, h / 100.0)), None, None],
    };
    let mut v = vec![[None; 3]; Measure::ALL.len()];
    v[0] = accuracy;
    Some(Mean {
        p: places.place(context, &row.place, "H"),
        s: row.h.by_seed.iter().filter_map(|(seed, _)| *seed).collect(),
        r: row.base.correct + row.new.correct,
        n: row.base.total + row.new.total,
        std: row.h.std().map(|std| scaled(Measure::Accuracy, std / 100.0)),
        v,
    })
}

/// Value and interval, cut where it leaves what is possible.
fn ends(measure: Measure, of: Valued) -> [Option<f64>; 3] {
    let interval = of.estimate.and_then(|estimate| estimate.interval(0.95).ok());
    [
        Some(scaled(measure, of.value)),
        interval.map(|i| scaled(measure, i.low.max(0.0))),
        interval.map(|i| scaled(measure, i.high.min(measure.largest()))),
    ]
}
