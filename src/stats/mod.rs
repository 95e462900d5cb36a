//! Statistics over plain slices: no tensor, no table, no record.
//!
//! Every function takes numbers and gives numbers. Empty, non-finite or degenerate input is `None`
//! or a [`StatsError`], never a panic and never a silent NaN.

pub mod bootstrap;
pub mod crossed;
pub mod describe;
pub mod distributions;
pub mod equivalence;
pub mod error;
pub mod grouped;
pub mod groups;
pub mod harmonic;
pub mod holm;
pub mod measures;
pub mod paired;
pub mod proportions;
pub mod ranks;
pub mod settled;
pub mod spearman;
pub mod special;
pub mod t_tests;
pub mod variance;
pub mod wilcoxon;

pub use describe::{FiveNumbers, Interval};
pub use error::StatsError;
