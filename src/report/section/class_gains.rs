//! Folded tables of single classes: won and lost against a reference, and the worst ones.

use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::record::Evaluation;
use crate::report::class_gains::{ClassGain, class_gains};
use crate::report::class_names::class_names;
use crate::report::context::Context;
use crate::report::grid::Grid;
use crate::report::image_scores::ImageScores;
use crate::report::markdown::Table;
use crate::report::names::dataset_name;
use crate::report::number::{NONE, signed};

/// A line per dataset, group of classes and arm: classes won, equal and lost, how many of them after the correction,
/// and the ones that moved most.
pub fn gains(context: &Context<'_>, grid: &Grid<'_>, halves: &[Classes], reference: usize) -> String {
    let header =
        ["dataset", "classes", "method", "won–equal–lost", "won–lost after Holm", "most won", "most lost"];
    let mut table = Table::new(header).left(3);
    for (d, dataset) in grid.datasets.iter().enumerate() {
        for half in halves {
            let read = |a: usize| ImageScores::of(context, grid.cell(d, a)?, *half);
            let Some(before) = read(reference) else { continue };
            let Some(names) = names(context, grid.cell(d, reference), *half, &before) else { continue };
            for a in (0..grid.arms.len()).filter(|a| *a != reference) {
                let Some(gains) = read(a).and_then(|own| class_gains(&own, &before)) else { continue };
                let start = [dataset_name(dataset).to_owned(), half.to_string(), grid.arms[a].label()];
                table.row(start.into_iter().chain(line(&gains, &names)));
            }
        }
    }
    format!(
        "{}\nDifferences in points over the seeds that both have. After Holm: classes whose difference stands at 5 % over \
         seeds and images, corrected over the classes of the line; a class is a small test set, and three seeds rarely \
         carry more than the largest differences.\n",
        table.markdown()
    )
}

fn line(gains: &[ClassGain], names: &[String]) -> [String; 4] {
    let number = |keep: fn(&ClassGain) -> bool| gains.iter().filter(|gain| keep(gain)).count();
    let (won, equal, lost) =
        (number(|g| g.points > 0.0), number(|g| g.points == 0.0), number(|g| g.points < 0.0));
    let stand = [number(|g| g.points > 0.0 && g.is_shown()), number(|g| g.points < 0.0 && g.is_shown())];
    let tested = gains.iter().any(|gain| gain.adjusted.is_some());
    let by_points = |a: &&ClassGain, b: &&ClassGain| a.points.total_cmp(&b.points);
    let named = |gain: Option<&ClassGain>| {
        let text = |gain: &ClassGain| {
            let name = names.get(gain.class as usize).map_or(NONE, String::as_str);
            format!("{name} {} ({} images)", signed(gain.points), gain.images)
        };
        gain.map_or_else(|| NONE.to_owned(), text)
    };
    [
        format!("{won}–{equal}–{lost}"),
        if tested { format!("{}–{}", stand[0], stand[1]) } else { NONE.to_owned() },
        named(gains.iter().max_by(by_points).filter(|gain| gain.points > 0.0)),
        named(gains.iter().min_by(by_points).filter(|gain| gain.points < 0.0)),
    ]
}

/// A line per cell: the three classes of the lowest accuracy over seeds, with their counts.
pub fn worst(context: &Context<'_>, grid: &Grid<'_>, halves: &[Classes]) -> String {
    let mut table = Table::new(["dataset", "classes", "method", "worst", "second", "third"]).left(3);
    for (d, dataset) in grid.datasets.iter().enumerate() {
        for half in halves {
            for (a, arm) in grid.arms.iter().enumerate() {
                let Some(scores) = grid.cell(d, a).and_then(|row| ImageScores::of(context, row, *half))
                else {
                    continue;
                };
                let Some(names) = names(context, grid.cell(d, a), *half, &scores) else { continue };
                let start = [dataset_name(dataset).to_owned(), half.to_string(), arm.label()];
                table.row(start.into_iter().chain(three_worst(&scores, &names)));
            }
        }
    }
    format!("{}\nIn brackets right predictions over all seeds / images × seeds.\n", table.markdown())
}

fn three_worst(scores: &ImageScores, names: &[String]) -> Vec<String> {
    let count = |at: &[usize]| -> usize {
        scores.by_seed.iter().map(|(_, right)| at.iter().filter(|i| right[**i]).count()).sum()
    };
    let mut classes: Vec<(usize, usize, u32)> = scores
        .by_class()
        .iter()
        .map(|(class, at)| (count(at), at.len() * scores.by_seed.len(), *class))
        .collect();
    // By right / all, in whole numbers; equal ones by label.
    classes.sort_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)).then(a.2.cmp(&b.2)));
    let text = |(right, all, class): &(usize, usize, u32)| {
        let name = names.get(*class as usize).map_or(NONE, String::as_str);
        format!("{name} {:.1} ({right}/{all})", 100.0 * *right as f64 / *all as f64)
    };
    classes.iter().take(3).map(text).collect()
}

fn names(
    context: &Context<'_>,
    row: Option<&SummaryRow>,
    half: Classes,
    scores: &ImageScores,
) -> Option<Vec<String>> {
    Some(class_names(context, evaluation(context, row?, half)?, scores))
}

/// The evaluation of a cell's first seed among one group of classes.
fn evaluation<'c>(context: &'c Context<'_>, row: &SummaryRow, half: Classes) -> Option<&'c Evaluation> {
    let (seed, _) = row.accuracy(half).by_seed.first()?;
    context.evaluation(context.frame.record_key(row, *seed, half)?, &row.place.dataset, half)
}
