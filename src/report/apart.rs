//! Which results of a run folder make the page's tables, and which stand apart below them.
//!
//! Trying something (`--set`, `--limit`) on a dataset or two must not cut the averages down to these: an arm
//! that covers fewer places than another arm of its method stands apart, and so do limited results beside full
//! ones and those of an older version of the numerics. Nothing is left off the page, and nothing is averaged
//! that differs in a setting.

use std::collections::{BTreeMap, BTreeSet};

use super::arm::{Arm, Mixed};
use crate::data::Classes;
use crate::frame::{Frame, SummaryRow};

/// Where an arm has results: trained on, tested on, classes trained on, shots.
type Places<'a> = BTreeSet<(&'a str, &'a str, Classes, Option<u32>)>;

/// Summary rows of the tables, and those that stand apart.
pub struct Parted {
    /// What the tables are made of.
    pub main: Vec<SummaryRow>,
    /// The rest.
    pub apart: Vec<SummaryRow>,
}

/// Divides the summary of `frame`. `swept` says which swept variant a row belongs to: arms of different ones are
/// both planned and never stand in each other's way.
pub fn split(frame: &Frame, mixed: Mixed, swept: impl Fn(&SummaryRow) -> String) -> Parted {
    let summary = frame.summary();
    let full = summary.iter().any(|row| row.place.limit.is_none());
    let mut families: BTreeMap<(String, String), BTreeMap<Arm, Vec<&SummaryRow>>> = BTreeMap::new();
    for row in summary.iter().filter(|row| !full || row.place.limit.is_none()) {
        let family = families.entry((row.place.method.clone(), swept(row))).or_default();
        family.entry(mixed.arm(&row.place)).or_default().push(row);
    }
    let chosen: BTreeSet<Arm> = families.into_values().flat_map(shown).collect();
    let is_main =
        |row: &SummaryRow| chosen.contains(&mixed.arm(&row.place)) && (!full || row.place.limit.is_none());
    let (main, apart) = summary.iter().cloned().partition(is_main);
    Parted { main, apart }
}

/// The arms of one method and swept variant that the tables show.
fn shown(arms: BTreeMap<Arm, Vec<&SummaryRow>>) -> Vec<Arm> {
    let version = |rows: &[&SummaryRow]| rows.iter().map(|row| row.place.numerics_version).max();
    let newest = arms.values().map(|rows| version(rows)).max().flatten();
    let current: Vec<(&Arm, Places<'_>)> = arms
        .iter()
        .filter(|(_, rows)| version(rows) == newest)
        .map(|(arm, rows)| (arm, places(rows)))
        .collect();
    let rows =
        |arm: &Arm| arms.get(arm).map_or(0, |rows| rows.iter().map(|row| row.n_seeds()).sum::<usize>());
    // Of equally wide arms the suite's own settings lead, then the one with more runs.
    let lead = current.iter().max_by_key(|(arm, places)| {
        (places.len(), arm.variant.is_empty(), rows(arm), std::cmp::Reverse(*arm))
    });
    let Some((_, wanted)) = lead else { return Vec::new() };
    current.iter().filter(|(_, places)| places.is_superset(wanted)).map(|(arm, _)| (*arm).clone()).collect()
}

fn places<'a>(rows: &[&'a SummaryRow]) -> Places<'a> {
    let place = |row: &&'a SummaryRow| {
        let place = &row.place;
        (place.train_dataset.as_str(), place.dataset.as_str(), place.train_classes, place.shots)
    };
    rows.iter().map(place).collect()
}
