//! What a finished cell leaves behind, and how it is stored. Knows no tensor and no table.

pub mod schema;

pub use schema::*;
