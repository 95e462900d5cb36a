//! From records to a directory of pages, pictures and tables.
//!
//! Reads records and nothing else: a report never needs a device, a model or a data set. Every number
//! printed carries its n and its kind of spread.

pub mod apart;
pub mod arm;
pub mod compare;
pub mod context;
pub mod emphasis;
pub mod error;
pub mod facts;
mod families;
pub mod files;
pub mod grid;
pub mod guide;
pub mod headline;
pub mod image_scores;
pub mod latex;
pub mod markdown;
pub mod names;
pub mod number;
pub mod opening;
pub mod page;
pub mod pair_tests;
pub mod pairing;
pub mod plot;
pub mod quantity;
pub mod section;
pub mod spec;

pub use error::ReportError;
pub use page::{PredictionSource, RenderedReport, render};
pub use spec::{Damage, Deviation, Planned, ReportSpec, Section};
