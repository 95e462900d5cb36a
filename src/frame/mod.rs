//! Run records as typed rows, and the tables written from them. The only module that knows polars.
//!
//! No mean, interval or test is made anywhere else from raw records: reports and statistics start from
//! these rows.

pub mod agreement;
pub mod error;
pub mod row;
pub mod summary;
pub mod table;
pub mod variant;
pub mod write;

pub use error::FrameError;
pub use row::Row;
pub use summary::{Accuracy, SummaryRow};
pub use table::Frame;
pub use variant::OwnSettings;
