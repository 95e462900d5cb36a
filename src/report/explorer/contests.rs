//! What can be held against each other: all arms on one dataset, among one group of classes, at one number of shots.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Positions;
use super::data::{Contender, Contest};
use super::gallery::{Votes, gallery};
use crate::data::Classes;
use crate::frame::SummaryRow;
use crate::record::{Evaluation, Prediction};
use crate::report::class_names::{from_folders, numbered};
use crate::report::context::Context;

/// What the first cell that is read settles for all: images with their labels, and names of classes.
struct Ground {
    images: Vec<(String, u32)>,
    names: Vec<String>,
}

/// Most counts of right predictions by class and arm, over all contests of a page: some four megabytes.
const MOST_COUNTS: usize = 1_000_000;

/// Every contest of at least one arm, in the order of datasets, shots and halves, and how many are left out since the
/// page is full.
pub fn contests(context: &Context<'_>, places: &Positions) -> (Vec<Contest>, usize) {
    let (mut counts, mut left_out) = (0, 0);
    let mut grounds: BTreeMap<(usize, usize), Vec<&SummaryRow>> = BTreeMap::new();
    for row in &context.summary {
        let ground = (places.dataset(&row.place.dataset), places.dataset(&row.place.train_dataset));
        grounds.entry(ground).or_default().push(row);
    }
    let mut contests = Vec::new();
    for rows in grounds.into_values() {
        let trained: BTreeSet<Option<u32>> = rows.iter().map(|row| row.place.shots).collect();
        let shots: Vec<Option<u32>> = match trained.iter().any(Option::is_some) {
            true => trained.into_iter().filter(Option::is_some).collect(),
            false => vec![None],
        };
        let highest = shots.last().copied().flatten();
        for shots in shots {
            let rows: Vec<&SummaryRow> = rows
                .iter()
                .copied()
                .filter(|row| row.place.shots == shots || row.place.shots.is_none())
                .collect();
            for classes in [Classes::Base, Classes::New, Classes::All] {
                if counts > MOST_COUNTS {
                    left_out += usize::from(rows.iter().any(|row| row.accuracy(classes).n() > 0));
                    continue;
                }
                let contest = contest(context, places, &rows, (shots, classes), shots == highest);
                counts += contest.iter().flat_map(|c| &c.arms).map(|arm| arm.right.len()).sum::<usize>();
                contests.extend(contest);
            }
        }
    }
    (contests, left_out)
}

/// One contest. Arms without predictions, or on other images than the first, take no part.
fn contest(
    context: &Context<'_>,
    places: &Positions,
    rows: &[&SummaryRow],
    (shots, classes): (Option<u32>, Classes),
    with_gallery: bool,
) -> Option<Contest> {
    let first = rows.iter().find(|row| row.accuracy(classes).n() > 0)?;
    let mut entries: BTreeMap<usize, (Contender, Votes)> = BTreeMap::new();
    let mut known: Option<Ground> = None;
    for row in rows {
        let Some((votes, m)) = votes(context, row, classes, &mut known) else { continue };
        let images = known.as_ref().map(|ground| ground.images.as_slice()).unwrap_or_default();
        let classes_known = known.as_ref().map_or(0, |ground| ground.names.len());
        let mut right = vec![0; classes_known];
        for ((_, label), votes) in images.iter().zip(&votes.right) {
            if let Some(count) = right.get_mut(*label as usize) {
                *count += u64::from(*votes);
            }
        }
        let a = places.arm(&context.arm(row));
        entries.insert(a, (Contender { a, m, right, bins: bins(context, row, classes) }, votes));
    }
    let Ground { images, names } = known?;
    let mut counts = vec![0; names.len()];
    images.iter().for_each(|(_, label)| {
        if let Some(count) = counts.get_mut(*label as usize) {
            *count += 1;
        }
    });
    let (arms, votes): (Vec<Contender>, Vec<Votes>) = entries.into_values().unzip();
    let trainings: Vec<usize> = arms.iter().map(|entry| entry.m).collect();
    let dataset = &first.place.dataset;
    Some(Contest {
        d: places.dataset(dataset),
        t: (*dataset != first.place.train_dataset).then(|| places.dataset(&first.place.train_dataset)),
        k: shots,
        c: classes.as_str(),
        names,
        images: counts,
        arms,
        gallery: if with_gallery {
            gallery(context, dataset, &images, &votes, &trainings)
        } else {
            Vec::new()
        },
    })
}

/// What the seeds of a cell say of every image, and how many there are; the first cell that is read settles images and
/// class names.
fn votes(
    context: &Context<'_>,
    row: &SummaryRow,
    classes: Classes,
    known: &mut Option<Ground>,
) -> Option<(Votes, usize)> {
    let mut votes: Option<Votes> = None;
    let seeds = &row.accuracy(classes).by_seed;
    for (seed, _) in seeds {
        let key = context.frame.record_key(row, *seed, classes)?;
        let evaluation = context.evaluation(key, &row.place.dataset, classes)?;
        let predictions = context.predictions(key, &row.place.dataset, classes)?;
        let Ground { images, .. } = known.get_or_insert_with(|| ground(context, evaluation, &predictions));
        let same =
            |(row, (path, label)): (&Prediction, &(String, u32))| row.path == *path && row.label == *label;
        if images.len() != predictions.len() || !predictions.iter().zip(&*images).all(same) {
            return None;
        }
        votes.get_or_insert_with(|| Votes::new(images.len())).add(&predictions);
    }
    votes.map(|votes| (votes, seeds.len()))
}

fn ground(context: &Context<'_>, evaluation: &Evaluation, predictions: &[Prediction]) -> Ground {
    let labelled = || predictions.iter().map(|row| (row.label, row.path.as_str()));
    let names = (context.material.class_names)(evaluation)
        .or_else(|| from_folders(evaluation.class_count, labelled()))
        .unwrap_or_else(|| numbered(evaluation.class_count));
    Ground { images: labelled().map(|(label, path)| (path.to_owned(), label)).collect(), names }
}

/// Bins of confidence over all seeds; empty without confidences.
fn bins(context: &Context<'_>, row: &SummaryRow, classes: Classes) -> Vec<(u64, u64, f64)> {
    let Some(bins) = context.cell_measures(row, classes).and_then(|cell| cell.bins.as_ref()) else {
        return Vec::new();
    };
    let rounded = |share: f64| (share * 1e4).round() / 1e2;
    bins.iter().map(|bin| (bin.count, bin.correct, rounded(bin.confidence().unwrap_or(0.0)))).collect()
}
