//! The table itself: sorted, free of duplicates, the same for any order of the input.

use std::collections::BTreeMap;

use super::agreement;
use super::error::FrameError;
use super::row::Row;
use super::summary::{SummaryRow, summarise};
use super::variant::{OwnSettings, variant_names};
use crate::data::Classes;
use crate::record::{Outcome, RunRecord};

/// Rows of complete records, sorted by their fields in order. Failed records have no row; a report
/// lists them apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    rows: Vec<Row>,
    keys: Vec<String>,
    /// Variant name by key, of failed records too.
    variants: BTreeMap<String, String>,
}

impl Frame {
    /// Builds the table. A record that occurs twice counts once. Records with different settings are told
    /// apart by their variant (see [`super::variant`]).
    ///
    /// # Errors
    /// As [`Frame::with_own`].
    pub fn from_records(records: &[RunRecord]) -> Result<Self, FrameError> {
        Self::with_own(records, &OwnSettings::default())
    }

    /// As [`Frame::from_records`], where the suite's own settings are known and so need no name.
    ///
    /// # Errors
    /// [`FrameError::Conflict`] where nothing tells two records apart, [`FrameError::Mixed`] for records of two
    /// models, data folders or test sets under one name, [`FrameError::Count`] for a record with more correct
    /// predictions than images.
    pub fn with_own(records: &[RunRecord], own: &OwnSettings) -> Result<Self, FrameError> {
        let mut every: Vec<&RunRecord> = records.iter().collect();
        every.sort_by(|a, b| a.key.cmp(&b.key));
        every.dedup_by(|a, b| a.key == b.key && a.evaluations == b.evaluations);
        let names = variant_names(&every, own);
        let is_complete = |record: &&RunRecord| record.outcome == Outcome::Complete;
        agreement::check(&every.iter().copied().filter(is_complete).collect::<Vec<_>>())?;
        let mut keyed: Vec<(Row, &str)> = Vec::new();
        for (record, variant) in every.iter().zip(&names).filter(|(record, _)| is_complete(record)) {
            for evaluation in &record.evaluations {
                if evaluation.correct > evaluation.total {
                    return Err(FrameError::Count {
                        key: record.key.clone(),
                        dataset: evaluation.dataset.clone(),
                        correct: evaluation.correct,
                        total: evaluation.total,
                    });
                }
                keyed.push((Row::new(record, evaluation, variant), &record.key));
            }
        }
        keyed.sort();
        if let Some(pair) = keyed.windows(2).find(|pair| pair[0].0.same_place(&pair[1].0)) {
            return Err(FrameError::Conflict {
                first: pair[0].1.to_owned(),
                second: pair[1].1.to_owned(),
                cell: pair[0].0.place(),
            });
        }
        let (rows, keys) = keyed.into_iter().map(|(row, key)| (row, key.to_owned())).unzip();
        let variants = every.iter().map(|record| record.key.clone()).zip(names).collect();
        Ok(Self { rows, keys, variants })
    }

    /// Variant name of a record, failed or complete; empty for the suite's own settings.
    pub fn variant(&self, key: &str) -> &str {
        self.variants.get(key).map_or("", String::as_str)
    }

    /// The rows in order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Key of the record behind one of `summary`'s accuracies.
    pub fn record_key(&self, summary: &SummaryRow, seed: Option<u64>, classes: Classes) -> Option<&str> {
        let first = self.first_at(&Row { seed, classes, ..summary.place.clone() });
        let found = self
            .rows
            .get(first)
            .filter(|row| row.seed == seed && row.classes == classes && summary.holds(row));
        found.and_then(|_| self.keys.get(first)).map(String::as_str)
    }

    /// Keys of the records behind `summary`, in the order of the rows.
    pub fn record_keys(&self, summary: &SummaryRow) -> Vec<&str> {
        let first = self.position(summary);
        let rows = self.rows[first..].iter().zip(&self.keys[first..]);
        rows.take_while(|(row, _)| summary.holds(row)).map(|(_, key)| key.as_str()).collect()
    }

    /// Position of the first row of a cell.
    pub fn position(&self, summary: &SummaryRow) -> usize {
        self.first_at(&Row { seed: None, classes: Classes::Base, ..summary.place.clone() })
    }

    /// The rows of each cell with the keys of their records: those that differ in seed, classes and counts alone stand
    /// together.
    pub fn cells(&self) -> impl Iterator<Item = impl Iterator<Item = (&Row, &str)>> {
        let mut from = 0;
        self.rows.chunk_by(Row::same_cell).map(move |rows| {
            let keys = &self.keys[from..from + rows.len()];
            from += rows.len();
            rows.iter().zip(keys.iter().map(String::as_str))
        })
    }

    /// Position of the first row at or behind a place. Rows are sorted by place, and what was counted comes last, so
    /// the rows of one summary stand together.
    fn first_at(&self, place: &Row) -> usize {
        let place = Row { correct: 0, total: 0, trainable_parameters: 0, ..place.clone() };
        self.rows.partition_point(|row| *row < place)
    }

    /// Rows with the keys of their records.
    pub fn keyed_rows(&self) -> impl Iterator<Item = (&Row, &str)> {
        self.rows.iter().zip(self.keys.iter().map(String::as_str))
    }

    /// One line per dataset × method × variant × shots (× everything else but seed and classes).
    pub fn summary(&self) -> Vec<SummaryRow> {
        summarise(&self.rows)
    }
}
