//! Which part of a suite's datasets a run has: an average over seven datasets must not pass for one over eleven.

use std::collections::BTreeSet;

use crate::record::RunRecord;
use crate::suite::spec::file::SuiteFile;

/// `7 of 11 datasets` where the records hold a part of the suite's own datasets, those it only tests on
/// included; nothing where they hold all, or datasets of the user's own.
pub(in crate::suite) fn part_of_suite(name: &str, profile: &str, records: &[RunRecord]) -> Option<String> {
    let suite = SuiteFile::find(name).ok()?.for_profile(profile);
    let planned: BTreeSet<&str> =
        suite.datasets.iter().chain(&suite.evaluate_on).map(String::as_str).collect();
    let of = |record: &RunRecord| {
        let tested = record.evaluations.iter().map(|evaluation| evaluation.dataset.clone());
        tested.chain([record.cell.dataset.clone()]).collect::<Vec<_>>()
    };
    let found: BTreeSet<String> = records.iter().flat_map(of).collect();
    let is_part = found.iter().all(|id| planned.contains(id.as_str())) && found.len() < planned.len();
    is_part.then(|| format!("{} of {} datasets", found.len(), planned.len()))
}
