//! Checks a dataset on disk against its lists and its manifest. Nothing is written under the data root.

mod contents;
mod examine;
mod fault;
mod files;
mod lists;
mod presence;
mod state;
mod table;

pub use examine::{VerifyOptions, verify};
pub use fault::{Fault, Severity, VerifyError, VerifyReport};
pub(in crate::data) use presence::misplaced;
pub use presence::{FileCounts, count_files};
pub use table::verify_table;
