//! Is a record true? Its own consistency without running anything, and the cell run again.
//!
//! It reads records and runs suites; it knows no method, and nothing depends on it but the command line.

mod environment;
mod finding;
mod quick;
mod rerun;
mod tolerance;

pub use environment::{Environment, differences};
pub use finding::{CellVerdict, Comparison, RecheckError};
pub use quick::quick;
pub use rerun::rerun;
pub use tolerance::{Tolerance, tolerance};
