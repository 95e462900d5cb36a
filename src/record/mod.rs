//! What a finished cell leaves behind, and how it is stored. Knows no tensor and no table.

pub mod schema;
pub mod store;

pub use schema::*;
pub use store::{Store, StoreError, hex, predictions_csv, read_record};
