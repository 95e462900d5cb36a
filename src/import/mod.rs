//! What other programs measured, as records that say so: predictions held against the lists, logs of Dassl's kin,
//! and tables as reported.
//!
//! It owns their formats and what is believed of them. It runs nothing and opens no image; its records carry
//! [`Imported`](crate::record::Imported) and never count as verified.

pub mod dassl;
pub mod error;
pub mod keep;
pub mod log;
pub mod names;
pub mod predictions;
pub mod table;

pub use error::ImportError;
pub use keep::{Evidence, ImportedResult, Importer, Kept};
