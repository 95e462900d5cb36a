//! The tables as files: CSV always, Parquet with the feature `parquet`.
//!
//! Percentages have six decimals. Missing values are empty cells, never zeros. The suite's own settings are
//! called `default`: an empty cell would read as a missing value elsewhere.

use std::io::Write;

use polars::prelude::*;

use super::error::FrameError;
use super::row::Row;
use super::summary::{Accuracy, SummaryRow};
use super::table::Frame;
use crate::stats::measures::{NamedMeasure, SetNumbers};

/// Name of the suite's own settings in the column `variant`.
const DEFAULT: &str = "default";

impl Frame {
    /// Writes `results.csv`: one line per row.
    ///
    /// # Errors
    /// [`FrameError::Write`].
    pub fn write_results_csv(&self, out: impl Write) -> Result<(), FrameError> {
        csv("results", results_table(self.rows()), out)
    }

    /// Writes `summary.csv`: one line per dataset × method (× variant × shots …).
    ///
    /// # Errors
    /// [`FrameError::Write`].
    pub fn write_summary_csv(&self, out: impl Write) -> Result<(), FrameError> {
        csv("summary", summary_table(&self.summary()), out)
    }

    /// Writes `measures.csv`: one line per row of `results.csv`, in the same order. `sets` has the measures of every
    /// row; where predictions are absent the cells are empty.
    ///
    /// # Errors
    /// [`FrameError::Write`].
    pub fn write_measures_csv(&self, out: impl Write, sets: &[Option<SetNumbers>]) -> Result<(), FrameError> {
        let rows = self.keyed_rows().enumerate();
        let lines: Vec<MeasuredLine<'_>> = rows
            .map(|(at, (row, key))| MeasuredLine { row, key, set: sets.get(at).and_then(Option::as_ref) })
            .collect();
        csv("measures", measures_table(&lines), out)
    }

    /// Writes `results.parquet`, with the rows of `results.csv`.
    ///
    /// # Errors
    /// [`FrameError::Write`].
    #[cfg(feature = "parquet")]
    pub fn write_results_parquet(&self, out: impl Write) -> Result<(), FrameError> {
        let write = |mut table: DataFrame| ParquetWriter::new(out).finish(&mut table).map(|_| ());
        results_table(self.rows())
            .and_then(write)
            .map_err(|source| FrameError::Write { table: "results", source })
    }
}

fn csv(name: &'static str, table: PolarsResult<DataFrame>, out: impl Write) -> Result<(), FrameError> {
    let write = |mut table: DataFrame| {
        CsvWriter::new(out)
            .with_float_precision(Some(6))
            .with_float_scientific(Some(false))
            .finish(&mut table)
    };
    table.and_then(write).map_err(|source| FrameError::Write { table: name, source })
}

fn text<T>(name: &str, rows: &[T], get: impl Fn(&T) -> &str) -> Column {
    Column::new(name.into(), rows.iter().map(get).collect::<Vec<&str>>())
}

/// Text that may be unknown: an empty field, not an empty text.
fn known<T>(name: &str, rows: &[T], get: impl Fn(&T) -> &str) -> Column {
    let texts = rows.iter().map(get).map(|text| Some(text).filter(|text| !text.is_empty()));
    Column::new(name.into(), texts.collect::<Vec<Option<&str>>>())
}

fn whole<T>(name: &str, rows: &[T], get: impl Fn(&T) -> Option<u64>) -> Column {
    Column::new(name.into(), rows.iter().map(get).collect::<Vec<Option<u64>>>())
}

fn real<T>(name: &str, rows: &[T], get: impl Fn(&T) -> Option<f64>) -> Column {
    Column::new(name.into(), rows.iter().map(get).collect::<Vec<Option<f64>>>())
}

fn variant(row: &Row) -> &str {
    if row.variant.is_empty() { DEFAULT } else { &row.variant }
}

/// Whether there are counts behind an accuracy.
fn counted(row: &Row) -> bool {
    row.reported.is_none()
}

/// Trained scalars; nobody says how many another program trained.
fn trained(row: &Row) -> Option<u64> {
    (!row.is_imported()).then_some(row.trainable_parameters)
}

fn results_table(rows: &[Row]) -> PolarsResult<DataFrame> {
    DataFrame::new_infer_height(vec![
        text("suite", rows, |r| &r.suite),
        text("profile", rows, |r| &r.profile),
        text("data", rows, |r| &r.data),
        text("dataset", rows, |r| &r.dataset),
        text("method", rows, |r| &r.method),
        text("variant", rows, variant),
        whole("seed", rows, |r| r.seed),
        whole("shots", rows, |r| r.shots.map(u64::from)),
        text("classes", rows, |r| r.classes.as_str()),
        whole("correct", rows, |r| counted(r).then_some(r.correct)),
        whole("total", rows, |r| counted(r).then_some(r.total)),
        real("accuracy_pct", rows, |r| Some(r.accuracy_pct())),
        whole("trainable_parameters", rows, trained),
        known("dtype", rows, |r| &r.dtype),
        text("train_dataset", rows, |r| &r.train_dataset),
        text("train_classes", rows, |r| r.train_classes.as_str()),
        whole("limit", rows, |r| r.limit.map(u64::from)),
        text("settings", rows, |r| &r.settings),
    ])
}

/// A row of `measures.csv`.
struct MeasuredLine<'a> {
    row: &'a Row,
    key: &'a str,
    set: Option<&'a SetNumbers>,
}

fn measures_table(lines: &[MeasuredLine<'_>]) -> PolarsResult<DataFrame> {
    let mut columns = vec![
        text("dataset", lines, |l| &l.row.dataset),
        text("method", lines, |l| &l.row.method),
        text("variant", lines, |l| variant(l.row)),
        whole("seed", lines, |l| l.row.seed),
        whole("shots", lines, |l| l.row.shots.map(u64::from)),
        text("classes", lines, |l| l.row.classes.as_str()),
        whole("images", lines, |l| l.set.map(|set| set.images)),
    ];
    for measure in NamedMeasure::ALL {
        let value = |l: &MeasuredLine<'_>| Some(measure.scale() * l.set?.value(measure)?);
        columns.push(real(measure.column(), lines, value));
    }
    columns.extend([
        text("train_dataset", lines, |l| &l.row.train_dataset),
        text("train_classes", lines, |l| l.row.train_classes.as_str()),
        whole("limit", lines, |l| l.row.limit.map(u64::from)),
        text("settings", lines, |l| &l.row.settings),
        text("record", lines, |l| l.key),
    ]);
    DataFrame::new_infer_height(columns)
}

fn summary_table(rows: &[SummaryRow]) -> PolarsResult<DataFrame> {
    let mean = |of: fn(&SummaryRow) -> &Accuracy| move |r: &SummaryRow| of(r).mean();
    let std = |of: fn(&SummaryRow) -> &Accuracy| move |r: &SummaryRow| of(r).std();
    DataFrame::new_infer_height(vec![
        text("suite", rows, |r| &r.place.suite),
        text("profile", rows, |r| &r.place.profile),
        text("data", rows, |r| &r.place.data),
        text("dataset", rows, |r| &r.place.dataset),
        text("method", rows, |r| &r.place.method),
        text("variant", rows, |r| variant(&r.place)),
        whole("shots", rows, |r| r.place.shots.map(u64::from)),
        whole("n_seeds", rows, |r| Some(r.n_seeds() as u64)),
        real("base_pct", rows, mean(|r| &r.base)),
        real("new_pct", rows, mean(|r| &r.new)),
        real("h_pct", rows, SummaryRow::h_pct),
        real("h_seed_mean_pct", rows, mean(|r| &r.h)),
        real("base_std_pct", rows, std(|r| &r.base)),
        real("new_std_pct", rows, std(|r| &r.new)),
        real("h_seed_std_pct", rows, std(|r| &r.h)),
        real("all_pct", rows, mean(|r| &r.all)),
        real("all_std_pct", rows, std(|r| &r.all)),
        whole("trainable_parameters", rows, |r| trained(&r.place)),
        known("dtype", rows, |r| &r.place.dtype),
        text("train_dataset", rows, |r| &r.place.train_dataset),
        text("train_classes", rows, |r| r.place.train_classes.as_str()),
        whole("limit", rows, |r| r.place.limit.map(u64::from)),
        text("settings", rows, |r| &r.place.settings),
    ])
}
