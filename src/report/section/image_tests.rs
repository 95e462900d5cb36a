//! The two best methods image by image: McNemar's exact test and a bootstrap over images.
//!
//! This is sampling error at one seed. It says nothing about other seeds.

use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::record::{Outcome, Prediction};
use crate::report::context::Context;
use crate::report::grid::Grid;
use crate::report::markdown::{Table, folded};
use crate::report::names::dataset_name;
use crate::report::number::{interval, p, signed};
use crate::stats::Interval;
use crate::stats::bootstrap::{Plan, over_images};
use crate::stats::harmonic::average_of_h;
use crate::stats::holm::holm;
use crate::stats::paired::{McNemar, mcnemar};

const PLAN: Plan = Plan { resamples: 1_000, confidence: 0.95, seed: 1 };

struct Line {
    dataset: String,
    classes: Classes,
    seed: String,
    images: usize,
    test: McNemar,
    interval: Option<Interval>,
}

/// A folded table; empty where fewer than two methods have predictions.
pub fn render(context: &Context<'_>, grid: &Grid<'_>) -> String {
    let Some((first, second)) = best_two(grid) else { return String::new() };
    let mut lines = Vec::new();
    for d in 0..grid.datasets.len() {
        for classes in [Classes::Base, Classes::New] {
            let pair = grid.cell(d, first).zip(grid.cell(d, second));
            lines.extend(pair.and_then(|(a, b)| compare(context, a, b, classes)));
        }
    }
    let adjusted = holm(&lines.iter().map(|l| l.test.p).collect::<Vec<_>>()).unwrap_or_default();
    if lines.is_empty() {
        return String::new();
    }
    let (a, b) = (grid.arms[first].label(), grid.arms[second].label());
    let only = |name: &str| format!("only {name} right");
    let header = [
        "dataset",
        "classes",
        "seed",
        "images",
        &only(&a),
        &only(&b),
        "difference",
        "interval",
        "p",
        "p (Holm)",
    ];
    let mut table = Table::new(header).left(2);
    for (line, adjusted) in lines.iter().zip(adjusted) {
        let difference =
            100.0 * (line.test.only_first as f64 - line.test.only_second as f64) / line.images as f64;
        table.row([
            dataset_name(&line.dataset).to_owned(),
            line.classes.to_string(),
            line.seed.clone(),
            line.images.to_string(),
            line.test.only_first.to_string(),
            line.test.only_second.to_string(),
            signed(difference),
            interval(line.interval),
            p(line.test.p),
            p(adjusted),
        ]);
    }
    let note = "McNemar's exact test on the discordant images, corrected after Holm; interval: 95 % \
        percentile bootstrap over \
                images (1 000 seeded resamples) of the difference in points. One seed only: sampling error, \
                not seed error.";
    folded(
        &format!("The two best methods by H, image by image: {a} and {b}"),
        &format!("{}\n{note}\n", table.markdown()),
    )
}

/// The arms with the highest average of H.
fn best_two(grid: &Grid<'_>) -> Option<(usize, usize)> {
    let shared = grid.shared(SummaryRow::h_pct);
    let score = |arm: usize| {
        let pair = |d: &usize| grid.cell(*d, arm).and_then(|c| Some((c.base.mean()?, c.new.mean()?)));
        average_of_h(&shared.iter().filter_map(pair).collect::<Vec<_>>())
    };
    let mut scored: Vec<(f64, usize)> = (0..grid.arms.len()).filter_map(|a| Some((score(a)?, a))).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    Some((scored.first()?.1, scored.get(1)?.1))
}

/// The first seed both have (a method without seeds joins any), on the images both predicted.
fn compare(context: &Context<'_>, a: &SummaryRow, b: &SummaryRow, classes: Classes) -> Option<Line> {
    let (seeds_a, seeds_b) = (&a.accuracy(classes).by_seed, &b.accuracy(classes).by_seed);
    let pairs = seeds_a.iter().flat_map(|(sa, _)| seeds_b.iter().map(move |(sb, _)| (*sa, *sb)));
    let (seed_a, seed_b) = pairs.into_iter().find(|(a, b)| a == b || a.is_none() || b.is_none())?;
    let first = predictions(context, a, seed_a, classes)?;
    let second = predictions(context, b, seed_b, classes)?;
    if first.len() != second.len() || first.iter().zip(&second).any(|(x, y)| x.path != y.path) {
        return None;
    }
    let right = |list: &[Prediction]| list.iter().map(|x| x.label == x.predicted).collect::<Vec<bool>>();
    let (first, second) = (right(&first), right(&second));
    Some(Line {
        dataset: a.place.dataset.clone(),
        classes,
        seed: seed_a.or(seed_b).map_or_else(String::new, |s| s.to_string()),
        images: first.len(),
        test: mcnemar(&first, &second).ok()?,
        interval: over_images(&first, &second, PLAN)
            .ok()
            .map(|i| Interval { low: 100.0 * i.low, high: 100.0 * i.high }),
    })
}

/// The predictions behind one accuracy, found by its coordinates and its counts.
fn predictions(
    context: &Context<'_>,
    row: &SummaryRow,
    seed: Option<u64>,
    classes: Classes,
) -> Option<Vec<Prediction>> {
    let wanted = row.accuracy(classes).by_seed.iter().find(|s| s.0 == seed)?.1;
    let cell_fits = |r: &&&crate::record::RunRecord| {
        r.outcome == Outcome::Complete
            && r.cell.method == row.place.method
            && r.cell.dataset == row.place.train_dataset
            && r.cell.shots == row.place.shots
            && r.cell.seed == seed
            && r.cell.train_classes == row.place.train_classes
    };
    context.records.iter().filter(cell_fits).find_map(|record| {
        let evaluation = record.evaluations.iter().find(|e| {
            let pct = 100.0 * e.correct as f64 / e.total.max(1) as f64;
            e.dataset == row.place.dataset && e.classes == classes && pct == wanted
        })?;
        (context.predictions)(record, evaluation)
    })
}
