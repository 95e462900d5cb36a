//! What the data is: manifests, splits, few-shot draws, and where the pictures come from.
//!
//! Nothing here knows a tensor. The order is manifest → dataset → few-shot draw → base/new halves.

pub mod catalog;
pub mod checked;
pub mod dataset;
pub mod draw_files;
pub mod embedded;
pub mod error;
pub mod export;
pub mod fewshot;
pub mod file_source;
pub mod guide;
pub mod halves;
pub mod item;
mod kept_pictures;
pub mod layout;
pub mod make_split;
pub mod manifest;
mod manifest_checks;
mod prediction;
pub mod pyrandom;
pub mod source;
mod split_error;
pub mod split_json;
pub mod split_write;
pub mod verify;

pub use catalog::{Availability, Catalog, DataRoot};
pub use checked::{DatasetId, Template};
pub use dataset::{Dataset, ListCounts, lists_sha256};
pub use draw_files::{DrawFileError, DrawFiles};
pub use error::DataError;
pub use fewshot::{DrawRule, FewShot};
pub use file_source::FileSource;
pub use halves::{LabelMap, LocalItem};
pub use item::{Classes, Item, Split};
pub use kept_pictures::{KEPT_BYTES, KeptPictures};
pub use manifest::{Archive, Layout, Manifest, ManifestError, Role};
pub use prediction::{Confidence, Prediction};
pub use pyrandom::{PyRandom, SeedError};
pub use source::{ImageSource, PixelError, pixels_sha256};
pub use split_json::{SplitError, SplitFile, read_split_json};
