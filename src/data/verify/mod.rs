//! Checks a dataset on disk against its lists and its manifest. Nothing is written under the data root.

mod contents;
mod fault;
mod files;
mod lists;
mod presence;
mod run;
mod state;
mod table;

pub use fault::{Fault, Severity, VerifyError, VerifyReport};
pub(in crate::data) use presence::misplaced;
pub use presence::{FileCounts, count_files};
pub use run::{VerifyOptions, verify};
pub use table::verify_table;
