//! Run records as typed rows, and the tables written from them. The only module that knows polars.
//!
//! No mean, interval or test is made anywhere else from raw records: reports and statistics start from
//! these rows. Polars writes the tables (CSV, Parquet) and no more: grouping and joins are ordered maps of typed rows here,
//! because counts must stay whole numbers, floats must be added in the order of seeds for the same bytes on every machine
//! (polars groups by hash), and a mistyped column would be an error at run time.

pub mod agreement;
pub mod error;
#[cfg(feature = "parquet")]
mod parquet_predictions;
pub mod predictions;
#[cfg(feature = "parquet")]
pub mod read;
pub mod row;
pub mod summary;
pub mod table;
pub mod variant;
pub mod write;

pub use error::FrameError;
pub use predictions::{predictions_of, read_predictions, stored_predictions, unreadable_here};
#[cfg(feature = "parquet")]
pub use read::parquet_as_csv;
pub use row::Row;
pub use summary::{Accuracy, SummaryRow};
pub use table::Frame;
pub use variant::OwnSettings;
