//! Two sets of results side by side: a run and the published figures, or two runs.
//!
//! "Not different" is never read as "equal": a verdict of consistency needs an equivalence test.

pub mod paper;
pub mod published;
pub mod runs;

pub use paper::{PaperLine, against_paper};
pub use published::{Published, published};
pub use runs::{RunLine, between_runs};
