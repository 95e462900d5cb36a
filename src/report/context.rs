//! What every section sees: the records in a fixed order, the table made of them, and the words that
//! belong into every title.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::apart::split;
use super::arm::{Arm, Mixed};
use super::error::ReportError;
use super::material::Material;
use super::measured::{CellMeasures, Measured};
use super::spec::ReportSpec;
use crate::data::Classes;
use crate::frame::{Frame, Row, SummaryRow};
use crate::record::{Evaluation, Outcome, Prediction, RunRecord};

/// Whether a record comes from the pocket model or the pocket pictures, exported ones included.
pub fn is_pocket(record: &RunRecord) -> bool {
    record.cell.profile == "pocket" || record.provenance.data_kind.starts_with("pocket")
}

/// The swept settings of a record as one word.
fn swept_words(record: &RunRecord) -> String {
    let words: Vec<String> =
        record.cell.variant.iter().map(|(key, value)| format!("{key}={value}")).collect();
    words.join(" ")
}

/// The arm of a row, and whether its test sets were cut.
fn kind(mixed: Mixed, row: &SummaryRow) -> (Arm, bool) {
    (mixed.arm(&row.place), row.place.limit.is_some())
}

/// The material of a report.
pub struct Context<'a> {
    /// What to render.
    pub spec: &'a ReportSpec,
    /// The records the tables are made of, failed ones included, sorted by cell and key.
    pub records: Vec<&'a RunRecord>,
    /// Records under other settings, which would cut the tables short.
    pub apart: Vec<&'a RunRecord>,
    /// The table of all records.
    pub frame: Frame,
    /// The table of `records` averaged over seeds.
    pub summary: Vec<SummaryRow>,
    /// The same of the records that stand apart.
    pub summary_apart: Vec<SummaryRow>,
    /// Predictions, class names and small pictures, where they can be had.
    pub material: Material<'a>,
    by_key: BTreeMap<&'a str, &'a RunRecord>,
    damaged: BTreeSet<&'a str>,
    measured: OnceCell<Measured>,
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
        material: Material<'a>,
    ) -> Result<Self, ReportError> {
        if records.is_empty() {
            return Err(ReportError::Empty);
        }
        let frame = Frame::with_own(records, &spec.own)?;
        let mut sorted: Vec<&RunRecord> = records.iter().collect();
        sorted.sort_by(|a, b| (&a.cell, &a.key).cmp(&(&b.cell, &b.key)));
        sorted.dedup_by(|a, b| a.cell == b.cell && a.key == b.key && a.outcome == b.outcome);
        let mixed = Mixed::of(frame.rows());
        let swept: BTreeMap<&str, String> =
            sorted.iter().map(|record| (record.key.as_str(), swept_words(record))).collect();
        let of_row = |row: &SummaryRow| {
            let keys = frame.record_keys(row);
            keys.first().and_then(|key| swept.get(key)).cloned().unwrap_or_default()
        };
        let divided = split(&frame, mixed, of_row);
        let beside: BTreeSet<(Arm, bool)> = divided.apart.iter().map(|row| kind(mixed, row)).collect();
        let shown: BTreeSet<(Arm, bool)> = divided.main.iter().map(|row| kind(mixed, row)).collect();
        let is_apart = |record: &&RunRecord| {
            let variant = frame.variant(&record.key);
            let kind = (mixed.arm_of_record(record, variant), record.cell.limit.is_some());
            // What only ever failed stands apart where its method has other results.
            let method_shown = shown.iter().any(|(arm, _)| arm.method == record.cell.method);
            beside.contains(&kind) || (method_shown && !shown.contains(&kind))
        };
        let (apart, records): (Vec<&RunRecord>, Vec<&RunRecord>) = sorted.into_iter().partition(is_apart);
        let (summary, summary_apart) = (divided.main, divided.apart);
        let whole = |record: &&'a RunRecord| record.outcome == Outcome::Complete;
        let every = records.iter().chain(&apart).copied();
        let by_key = every.filter(whole).map(|record| (record.key.as_str(), record)).collect();
        let damaged = spec.damaged.iter().map(|damage| damage.key.as_str()).collect();
        let measured = OnceCell::new();
        Ok(Self {
            spec,
            records,
            apart,
            frame,
            summary,
            summary_apart,
            material,
            by_key,
            damaged,
            measured,
            mixed,
        })
    }

    /// The measures of every evaluation; predictions are read when they are first asked for.
    pub fn measured(&self) -> &Measured {
        self.measured.get_or_init(|| {
            let read = |key: &str, row: &Row| self.predictions(key, &row.dataset, row.classes);
            Measured::read(&self.frame, read)
        })
    }

    /// The measures of a cell over its seeds among one group of classes; `None` where predictions are missing.
    pub fn cell_measures(&self, row: &SummaryRow, classes: Classes) -> Option<&CellMeasures> {
        self.measured().cell(&self.frame, row, classes)
    }

    /// The predictions of a record on one dataset, among one group of classes; `None` where they are missing.
    pub fn predictions(&self, key: &str, dataset: &str, classes: Classes) -> Option<Vec<Prediction>> {
        (self.material.predictions)(self.record(key)?, self.evaluation(key, dataset, classes)?)
    }

    /// The evaluation of a record on one dataset, among one group of classes.
    pub fn evaluation(&self, key: &str, dataset: &str, classes: Classes) -> Option<&'a Evaluation> {
        let fits = |e: &&Evaluation| e.dataset == dataset && e.classes == classes;
        self.record(key)?.evaluations.iter().find(fits)
    }

    /// The complete record under a key.
    pub fn record(&self, key: &str) -> Option<&'a RunRecord> {
        self.by_key.get(key).copied()
    }

    /// The arm of a record, failed ones included.
    pub fn arm_of_record(&self, record: &RunRecord) -> Arm {
        self.mixed.arm_of_record(record, self.frame.variant(&record.key))
    }

    /// Every record, those that stand apart last.
    pub fn every_record(&self) -> impl Iterator<Item = &'a RunRecord> {
        self.records.iter().chain(&self.apart).copied()
    }

    /// The arm of a summary row.
    pub fn arm(&self, row: &SummaryRow) -> Arm {
        self.mixed.arm(&row.place)
    }

    /// The arm of a row.
    pub fn arm_of_row(&self, row: &Row) -> Arm {
        self.mixed.arm(row)
    }

    /// Datasets of `rows` and of failed in-domain cells, so that a dataset on which all failed keeps its line.
    pub fn datasets_of(&self, rows: &[&SummaryRow]) -> Vec<String> {
        let failed = self.failed().map(|r| &r.cell.dataset);
        let ids: BTreeSet<&String> = rows.iter().map(|r| &r.place.dataset).chain(failed).collect();
        ids.into_iter().cloned().collect()
    }

    /// Whether predictions behind a summary row are missing or damaged.
    pub fn is_damaged(&self, row: &SummaryRow) -> bool {
        self.frame.record_keys(row).iter().any(|key| self.damaged.contains(key))
    }

    /// Records of the tables that ended in an error.
    pub fn failed(&self) -> impl Iterator<Item = &'a RunRecord> {
        self.records.iter().copied().filter(|r| matches!(r.outcome, Outcome::Failed { .. }))
    }

    /// Whether a failed record exists for an arm on a dataset.
    pub fn has_failed(&self, arm: &Arm, dataset: &str, shots: Option<u32>) -> bool {
        self.failed().any(|r| {
            self.arm_of_record(r) == *arm
                && r.cell.dataset == dataset
                && (r.cell.shots == shots || shots.is_none())
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
