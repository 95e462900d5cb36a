//! From records to a directory of pages, pictures and tables.
//!
//! Reads records and nothing else: a report never needs a device, a model or a dataset. Every number
//! printed carries its n and its kind of spread.

pub mod apart;
pub mod arm;
pub mod class_gains;
pub mod class_names;
pub mod compare;
pub mod context;
pub mod emphasis;
pub mod error;
pub mod explorer;
pub mod facts;
mod families;
pub mod files;
pub mod grid;
pub mod guide;
pub mod headline;
pub mod image_scores;
pub mod latex;
pub mod layout;
pub mod legend;
pub mod looks;
pub mod markdown;
pub mod material;
pub mod measured;
pub mod names;
pub mod number;
pub mod one_space;
pub mod opening;
pub mod outcome;
pub mod page;
pub mod pair_tests;
pub mod pairing;
pub mod part;
pub mod plot;
pub mod quantity;
pub mod section;

pub mod spec;
pub mod terminal;
pub mod valued;
pub mod verdict;

pub use error::ReportError;
pub use material::{Material, PredictionSource};
pub use outcome::{OutcomeTable, RunOutcome};
pub use page::{RenderedReport, render, render_with};
pub use spec::{Damage, Deviation, Planned, ReportSpec, Section};
