//! Where an item's pixels come from: a file under a data root, or a renderer.

use super::Item;
use crate::preprocess::Rgb8;

/// Why an image could not be had. The path is the item's own, relative to the data root.
#[derive(Debug, thiserror::Error)]
pub enum PixelError {
    /// The file could not be read.
    #[error("read image {path}: {reason}")]
    Read {
        /// Item path.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The bytes are not an image this build decodes.
    #[error("decode image {path}: {reason}")]
    Decode {
        /// Item path.
        path: String,
        /// What the decoder said.
        reason: String,
    },
    /// No such item exists in this source.
    #[error("find image {path}: this source holds no such item")]
    Unknown {
        /// Item path.
        path: String,
    },
}

/// A lazy, thread-safe supply of RGB images. Implementations keep no decoded image.
pub trait ImageSource: Send + Sync {
    /// The item's full-size RGB image.
    ///
    /// # Errors
    /// [`PixelError`] naming the item's path.
    fn image(&self, item: &Item) -> Result<Rgb8, PixelError>;
}
