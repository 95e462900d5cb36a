//! Where an item's pixels come from: a file under a data root, or a renderer.

use sha2::{Digest, Sha256};

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

    /// [`pixels_sha256`] of the item's image.
    ///
    /// # Errors
    /// As [`ImageSource::image`].
    fn pixels_sha256(&self, item: &Item) -> Result<[u8; 32], PixelError> {
        Ok(pixels_sha256(&self.image(item)?))
    }
}

/// SHA-256 of a picture's size and decoded pixels: what a model sees, however the file was compressed.
pub fn pixels_sha256(image: &Rgb8) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(format!("{}x{}\t", image.width(), image.height()));
    digest.update(image.data());
    digest.finalize().into()
}
