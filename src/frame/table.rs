//! The table itself: sorted, free of duplicates, the same for any order of the input.

use super::error::FrameError;
use super::row::Row;
use super::summary::{SummaryRow, summarise};
use super::variant::variant_names;
use crate::data::Classes;
use crate::record::{Outcome, RunRecord};

/// Rows of complete records, sorted by their fields in order. Failed records have no row; a report
/// lists them apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    rows: Vec<Row>,
    keys: Vec<String>,
}

impl Frame {
    /// Builds the table. A record that occurs twice counts once. Records of one cell with different
    /// settings are told apart by their variant (see [`super::variant`]).
    ///
    /// # Errors
    /// [`FrameError::Conflict`] where nothing tells two records apart, [`FrameError::Count`] for a record
    /// with more correct predictions than images.
    pub fn from_records(records: &[RunRecord]) -> Result<Self, FrameError> {
        let mut complete: Vec<&RunRecord> =
            records.iter().filter(|r| r.outcome == Outcome::Complete).collect();
        complete.sort_by(|a, b| a.key.cmp(&b.key));
        complete.dedup_by(|a, b| a.key == b.key && a.evaluations == b.evaluations);
        let variants = variant_names(&complete);
        let mut keyed: Vec<(Row, &str)> = Vec::new();
        for (record, variant) in complete.iter().zip(&variants) {
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
        Ok(Self { rows, keys })
    }

    /// The rows in order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Key of the record behind one of `summary`'s accuracies.
    pub fn record_key(&self, summary: &SummaryRow, seed: Option<u64>, classes: Classes) -> Option<&str> {
        let wanted = |row: &Row| row.seed == seed && row.classes == classes && summary.holds(row);
        self.rows.iter().zip(&self.keys).find(|(row, _)| wanted(row)).map(|(_, key)| key.as_str())
    }

    /// One line per dataset × method × variant × shots (× everything else but seed and classes).
    pub fn summary(&self) -> Vec<SummaryRow> {
        summarise(&self.rows)
    }
}
