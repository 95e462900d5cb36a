//! Why records cannot become a table.

/// Failure to build or write a table.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Two records of different content claim the same row, and no setting tells them apart.
    #[error("tell records {first} and {second} apart: both hold {cell}, and no setting differs; remove one")]
    Conflict {
        /// Key of the one record.
        first: String,
        /// Key of the other.
        second: String,
        /// The row in words.
        cell: String,
    },
    /// A record counts more correct predictions than images.
    #[error("read record {key}: {correct} of {total} images of {dataset} are correct")]
    Count {
        /// Key of the record.
        key: String,
        /// Dataset evaluated on.
        dataset: String,
        /// Correct predictions.
        correct: u64,
        /// Images.
        total: u64,
    },
    /// The table could not be built or serialised.
    #[error("write table {table}: {source}")]
    Write {
        /// `results` or `summary`.
        table: &'static str,
        /// What polars said.
        source: polars::error::PolarsError,
    },
}
