//! Why records cannot become a table.

/// Failure to build or write a table.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Two records of different content claim the same row, and no setting tells them apart.
    #[error(
        "tell records {first} and {second} apart: both hold {cell}, and no setting differs; remove one with \
         `rpo-bench runs forget NAME --where key={first}`"
    )]
    Conflict {
        /// Key of the one record.
        first: String,
        /// Key of the other.
        second: String,
        /// The row in words.
        cell: String,
    },
    /// Records that no label tells apart and that must not meet in one table.
    #[error("{0}")]
    Mixed(Box<Mixing>),
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
    /// A table of another program cannot be read.
    #[cfg(feature = "parquet")]
    #[error("read it as Parquet: {source}")]
    Read {
        /// What polars said.
        source: polars::error::PolarsError,
    },
}

/// Two records that must not meet in one table.
#[derive(Debug, thiserror::Error)]
#[error(
    "put records {first} and {second} into one table: {what} differs ({first_value} and {second_value}); keep them in \
     folders of their own (--out), or remove one kind with `rpo-bench runs forget NAME --where {key}={first_value}`"
)]
pub struct Mixing {
    /// Key of the one record.
    pub first: String,
    /// Key of the other.
    pub second: String,
    /// What differs, in words.
    pub what: String,
    /// The word for it in `--where`.
    pub key: &'static str,
    /// The one's value, shortened where it is a hash.
    pub first_value: String,
    /// The other's.
    pub second_value: String,
}
