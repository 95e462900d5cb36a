//! Which part of a suite's datasets a run has: an average over seven datasets must not pass for one over eleven.

use std::collections::BTreeSet;

use super::file::SuiteFile;
use crate::record::RunRecord;

/// `7 of 11 datasets` where the records hold a part of the suite's own datasets; nothing where they hold all,
/// or datasets of the user's own.
pub(super) fn part_of_suite(name: &str, profile: &str, records: &[RunRecord]) -> Option<String> {
    let suite = SuiteFile::find(name).ok()?.for_profile(profile).0;
    let planned: BTreeSet<&str> = suite.datasets.iter().map(String::as_str).collect();
    let found: BTreeSet<&str> = records.iter().map(|record| record.cell.dataset.as_str()).collect();
    let is_part = found.is_subset(&planned) && found.len() < planned.len();
    is_part.then(|| format!("{} of {} datasets", found.len(), planned.len()))
}
