//! What the data is: manifests, splits, few-shot draws, and where the pictures come from.
//!
//! Nothing here knows a tensor. The order is manifest → dataset → few-shot draw → base/new halves.

pub mod fewshot;
pub mod halves;
pub mod item;
pub mod pyrandom;
pub mod source;
pub mod split_json;

pub use fewshot::FewShot;
pub use halves::{LabelMap, LocalItem};
pub use item::{Classes, Item, Split};
pub use pyrandom::{PyRandom, SeedError};
pub use source::{ImageSource, PixelError};
pub use split_json::{SplitError, SplitFile, read_split_json};
