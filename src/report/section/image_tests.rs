//! The two best methods image by image: a test over seeds and images, and McNemar's exact test seed by seed.
//!
//! McNemar is sampling error alone: it needs a plain right or wrong, so it is done for every seed by itself and
//! never over seeds together.

use crate::data::Classes;
use crate::report::context::Context;
use crate::report::grid::Grid;
use crate::report::guide::{Anchor, explained};
use crate::report::image_scores::{CellScores, ImageScores};
use crate::report::markdown::{Table, folded};
use crate::report::names::dataset_name;
use crate::report::number::{NONE, interval, p, signed, two};
use crate::report::pairing::pairs;
use crate::report::quantity::Quantity;
use crate::stats::Interval;
use crate::stats::harmonic::average_of_h;
use crate::stats::holm::holm;
use crate::stats::paired::mcnemar;

/// Two folded tables; empty where fewer than two methods have predictions.
pub fn render(context: &Context<'_>, grid: &Grid<'_>) -> String {
    let Some(best) = best_two(grid) else { return String::new() };
    let names = [best.0, best.1].map(|arm| grid.arms[arm].label());
    let pair = names.join(" and ");
    let mut out = String::new();
    if let Some(table) = over_images(context, grid, best) {
        out.push_str(&folded(
            &format!("Within datasets, over seeds and images: {pair}, the two best by H"),
            &table,
        ));
    }
    if let Some(table) = per_seed(context, grid, best, &names) {
        out.push_str(&folded(&format!("Within datasets, seed by seed (McNemar): {pair}"), &table));
    }
    out
}

/// The arms with the highest average of H.
fn best_two(grid: &Grid<'_>) -> Option<(usize, usize)> {
    let shared = grid.shared(|row| row.h_pct());
    let score = |arm: usize| {
        let pair = |d: &usize| grid.cell(*d, arm).and_then(|c| Some((c.base.mean()?, c.new.mean()?)));
        average_of_h(&shared.iter().filter_map(pair).collect::<Vec<_>>())
    };
    let mut scored: Vec<(f64, usize)> = (0..grid.arms.len()).filter_map(|a| Some((score(a)?, a))).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    Some((scored.first()?.1, scored.get(1)?.1))
}

const HALVES: [Classes; 2] = [Classes::Base, Classes::New];

fn over_images(context: &Context<'_>, grid: &Grid<'_>, best: (usize, usize)) -> Option<String> {
    let mut lines = Vec::new();
    for (d, dataset) in grid.datasets.iter().enumerate() {
        let Some((a, b)) = grid.cell(d, best.0).zip(grid.cell(d, best.1)) else { continue };
        for classes in HALVES {
            let read = ImageScores::of(context, a, classes).zip(ImageScores::of(context, b, classes));
            let Some((of_a, of_b)) = read else { continue };
            let scores = |of| CellScores::new(Quantity::Accuracy(classes), |_| Some(of));
            let tested = scores(&of_a).zip(scores(&of_b)).and_then(|(a, b)| a.minus(&b));
            let Some(test) = tested else { continue };
            let images = a.accuracy(classes).total / a.accuracy(classes).n().max(1) as u64;
            let seeds = pairs(&a.accuracy(classes).by_seed, &b.accuracy(classes).by_seed).len();
            let words = [dataset_name(dataset).to_owned(), classes.to_string()];
            lines.push((words, [images.to_string(), seeds.to_string()], test));
        }
    }
    let adjusted = holm(&lines.iter().map(|l| l.2.p()).collect::<Vec<_>>()).ok().filter(|p| !p.is_empty())?;
    let header = [
        "dataset",
        "classes",
        "images",
        "common seeds",
        "difference",
        "error from seeds",
        "error from images",
        "95 %",
        "p",
        "p (Holm)",
    ];
    let mut table = Table::new(header).left(2);
    for ((words, counts, test), adjusted) in lines.into_iter().zip(adjusted) {
        let points = |i: Interval| Interval { low: 100.0 * i.low, high: 100.0 * i.high };
        let numbers = [
            signed(100.0 * test.difference),
            two(Some(100.0 * test.seed_variance.sqrt()).filter(|_| test.seed_df > 0.0)),
            two(Some(100.0 * test.image_variance.sqrt())),
            interval(test.interval(0.95).ok().map(points)),
            p(test.p()),
            p(adjusted),
        ];
        table.row(words.into_iter().chain(counts).chain(numbers));
    }
    let note = format!(
        "Difference in points, first − second, over the seeds that both have. Seeds and images are both a sample \
         (linear model with crossed random seeds and images); the two errors are standard errors, and the interval \
         gives each the quantile of its own degrees of freedom. p (Holm): corrected over these lines. {}",
        explained(Anchor::WithinDatasets)
    );
    Some(format!("{}\n{note}\n", table.markdown()))
}

fn per_seed(
    context: &Context<'_>,
    grid: &Grid<'_>,
    best: (usize, usize),
    names: &[String; 2],
) -> Option<String> {
    let mut lines = Vec::new();
    for (d, dataset) in grid.datasets.iter().enumerate() {
        let Some((a, b)) = grid.cell(d, best.0).zip(grid.cell(d, best.1)) else { continue };
        for classes in HALVES {
            let scores = ImageScores::of(context, a, classes).zip(ImageScores::of(context, b, classes));
            let Some((a, b)) = scores else { continue };
            for (seed, first, second) in a.joined(&b).unwrap_or_default() {
                let Ok(test) = mcnemar(first, second) else { continue };
                let seed = seed.map_or_else(|| NONE.to_owned(), |s| s.to_string());
                let words =
                    [dataset_name(dataset).to_owned(), classes.to_string(), seed, a.images().to_string()];
                lines.push((words, test));
            }
        }
    }
    let adjusted = holm(&lines.iter().map(|l| l.1.p).collect::<Vec<_>>()).ok().filter(|p| !p.is_empty())?;
    let only = |name: &str| format!("only {name} right");
    let header = ["dataset", "classes", "seed", "images"].map(str::to_owned).into_iter();
    let header = header.chain([only(&names[0]), only(&names[1]), "p".to_owned(), "p (Holm)".to_owned()]);
    let mut table = Table::new(header).left(2);
    for ((words, test), adjusted) in lines.into_iter().zip(adjusted) {
        let numbers = [test.only_first.to_string(), test.only_second.to_string(), p(test.p), p(adjusted)];
        table.row(words.into_iter().chain(numbers));
    }
    let note = "McNemar's exact test on the discordant images of one seed, Holm's correction over these lines. \
        Seeds share their test images, so these lines are not independent and are not pooled.";
    Some(format!("{}\n{note}\n", table.markdown()))
}
