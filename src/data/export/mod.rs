//! Writes an in-memory dataset in the layout and file formats of the published one.
//!
//! Items whose paths already are such paths keep them, so results on the copy carry the same keys.

mod error;
mod images;
mod list_files;
mod marker;
mod naming;
mod paths;
mod write;

pub use error::ExportError;
pub use images::Encoding;
pub use marker::{is_pocket_export, mark_pocket_export};
pub(super) use naming::check as check_pattern;
pub use paths::{fitting, place_split};
pub use write::{ExportReport, InMemoryDataset, export};
