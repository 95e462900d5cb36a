//! The protocol for programs in other languages: the very draws, class halves and test lists that are used here,
//! in the formats such programs read.
//!
//! It knows no tensor and opens no image. What comes back from such programs is read in [`crate::import`].

pub mod dassl_pickle;
pub mod draw;
pub mod error;
pub mod jsonl;
pub mod lists;

pub use draw::{DrawHandout, HandoutImage};
pub use error::HandoutError;
pub use lists::DatasetLists;
