//! The two best methods image by image: a bootstrap over images, and McNemar's exact test seed by seed.
//!
//! Both are sampling error. The bootstrap averages correctness over seeds; McNemar needs a plain right or
//! wrong, so it is done for every seed alone and never over seeds together.

use crate::data::Classes;
use crate::report::context::Context;
use crate::report::emphasis::{Quantity, compared};
use crate::report::grid::Grid;
use crate::report::image_scores::ImageScores;
use crate::report::markdown::{Table, folded};
use crate::report::names::dataset_name;
use crate::report::number::{NONE, interval, p, signed};
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
        out.push_str(&folded(&format!("Within datasets, over images: {pair}, the two best by H"), &table));
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
            let tested = compared(context, a, b, Quantity::Accuracy(classes));
            let difference = a.accuracy(classes).mean().zip(b.accuracy(classes).mean());
            if let Some((test, (first, second))) = tested.zip(difference) {
                let images = a.accuracy(classes).total / a.accuracy(classes).n().max(1) as u64;
                let seeds = [a, b].map(|row| row.n_seeds().to_string()).join(" and ");
                let words =
                    [dataset_name(dataset).to_owned(), classes.to_string(), images.to_string(), seeds];
                lines.push((words, first - second, test));
            }
        }
    }
    let adjusted = holm(&lines.iter().map(|l| l.2.p).collect::<Vec<_>>()).ok().filter(|p| !p.is_empty())?;
    let header = ["dataset", "classes", "images", "seeds", "difference", "95 % over images", "p", "p (Holm)"];
    let mut table = Table::new(header).left(2);
    for ((words, difference, test), adjusted) in lines.into_iter().zip(adjusted) {
        let Interval { low, high } = test.interval;
        let points = Interval { low: 100.0 * low, high: 100.0 * high };
        let numbers = [signed(difference), interval(Some(points)), p(test.p), p(adjusted)];
        table.row(words.into_iter().chain(numbers));
    }
    let note = "Difference in points, first − second, of correctness averaged over the seeds of each; paired \
        percentile bootstrap over images (4 000 seeded resamples); p: twice the smaller share of resamples at \
        or beyond 0, Holm's correction over these lines. Sampling error at these seeds, not seed error.";
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
            let Some((a, b)) = scores.filter(|(a, b)| a.same_images(b)) else { continue };
            for (seed, first, second) in common_seeds(&a, &b) {
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

type SeedPair<'a> = (Option<u64>, &'a [bool], &'a [bool]);

/// Both methods at every seed they share; zero-shot, which has none, joins every seed of the other.
fn common_seeds<'a>(first: &'a ImageScores, second: &'a ImageScores) -> Vec<SeedPair<'a>> {
    let mut pairs = Vec::new();
    for (seed, right) in &first.by_seed {
        for (other, also) in &second.by_seed {
            if seed == other || seed.is_none() || other.is_none() {
                pairs.push((seed.or(*other), right.as_slice(), also.as_slice()));
            }
        }
    }
    pairs
}
