//! Two sets of results side by side: a run and the published figures, or two runs.
//!
//! "Not different" is never read as "equal": a verdict of consistency needs an equivalence test.

pub mod changes;
pub mod comparable;
pub mod drift;
pub mod json;
pub mod paper;
pub mod published;
pub mod runs;
pub mod text;

pub use changes::{Change, changes};
pub use paper::{PaperComparison, PaperLine, against_paper};
pub use published::{Published, published};
pub use runs::{RunComparison, RunLine, RunVerdict, between_runs};

/// Margin of the equivalence tests, in points.
pub const MARGIN_POINTS: f64 = 1.0;
/// Level of every test behind a verdict.
pub const ALPHA: f64 = 0.05;
