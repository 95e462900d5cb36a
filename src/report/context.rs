//! What every section sees: the records in a fixed order, the table made of them, and the words that
//! belong into every title.

use std::collections::BTreeSet;

use super::arm::{Arm, Mixed};
use super::error::ReportError;
use super::page::PredictionSource;
use super::spec::ReportSpec;
use crate::frame::{Frame, SummaryRow};
use crate::record::{Outcome, RunRecord};

/// Whether a record comes from the pocket model or the pocket pictures, exported ones included.
pub fn is_pocket(record: &RunRecord) -> bool {
    record.cell.profile == "pocket" || record.provenance.data_kind.starts_with("pocket")
}

/// The material of a report.
pub struct Context<'a> {
    /// What to render.
    pub spec: &'a ReportSpec,
    /// All records, sorted by cell and key.
    pub records: Vec<&'a RunRecord>,
    /// Their table.
    pub frame: Frame,
    /// The table averaged over seeds.
    pub summary: Vec<SummaryRow>,
    /// Per-image predictions, where they can be had.
    pub predictions: PredictionSource<'a>,
    mixed: Mixed,
}

impl<'a> Context<'a> {
    /// Prepares the material.
    ///
    /// # Errors
    /// [`ReportError::Empty`] without records, [`ReportError::Frame`] for contradictory ones.
    pub fn new(
        records: &'a [RunRecord],
        spec: &'a ReportSpec,
        predictions: PredictionSource<'a>,
    ) -> Result<Self, ReportError> {
        if records.is_empty() {
            return Err(ReportError::Empty);
        }
        let frame = Frame::from_records(records)?;
        let mut sorted: Vec<&RunRecord> = records.iter().collect();
        sorted.sort_by(|a, b| (&a.cell, &a.key).cmp(&(&b.cell, &b.key)));
        sorted.dedup_by(|a, b| a.cell == b.cell && a.key == b.key && a.outcome == b.outcome);
        let (summary, mixed) = (frame.summary(), Mixed::of(frame.rows()));
        Ok(Self { spec, records: sorted, frame, summary, predictions, mixed })
    }

    /// The arm of a summary row.
    pub fn arm(&self, row: &SummaryRow) -> Arm {
        self.mixed.arm(&row.place)
    }

    /// Datasets of `rows` and of failed in-domain cells, so that a dataset on which all failed keeps its line.
    pub fn datasets_of(&self, rows: &[&SummaryRow]) -> Vec<String> {
        let failed = self.failed().map(|r| &r.cell.dataset);
        let ids: BTreeSet<&String> = rows.iter().map(|r| &r.place.dataset).chain(failed).collect();
        ids.into_iter().cloned().collect()
    }

    /// Records that ended in an error.
    pub fn failed(&self) -> impl Iterator<Item = &'a RunRecord> {
        self.records.iter().copied().filter(|r| matches!(r.outcome, Outcome::Failed { .. }))
    }

    /// Whether a failed record exists for an arm's method on a dataset.
    pub fn has_failed(&self, method: &str, dataset: &str, shots: Option<u32>) -> bool {
        self.failed().any(|r| {
            r.cell.method == method && r.cell.dataset == dataset && (r.cell.shots == shots || shots.is_none())
        })
    }

    /// Whether any record comes from the pocket profile.
    pub fn is_pocket(&self) -> bool {
        self.records.iter().any(|r| is_pocket(r))
    }

    /// The limits in force, ascending.
    pub fn limits(&self) -> Vec<u32> {
        self.records.iter().filter_map(|r| r.cell.limit).collect::<BTreeSet<u32>>().into_iter().collect()
    }

    /// Words for every title: empty for a full run, else what makes the numbers incomparable.
    pub fn tag(&self) -> String {
        let mut words = Vec::new();
        if self.is_pocket() {
            words.push("pocket".to_owned());
        }
        words.extend(self.spec.marks.iter().cloned());
        words.extend(self.limits().iter().map(|n| format!("at most {n} test images a class")));
        if words.is_empty() { String::new() } else { format!(" [{}]", words.join(", ")) }
    }

    /// `title` with the words that belong into every title.
    pub fn titled(&self, title: &str) -> String {
        format!("{title}{}", self.tag())
    }
}
