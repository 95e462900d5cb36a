//! The model and the data a suite runs on: the embedded pocket world, or the user's own.

mod dataset;
mod datasets;
mod draws;
mod open;
mod pocket_model;
mod texts;

pub use dataset::BenchDataset;
pub use draws::Draw;
pub use open::World;
pub use pocket_model::{is_embedded, load_pocket, pocket_vocabulary};
