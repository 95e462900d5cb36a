//! Names of stored features: a hash over everything their numbers depend on.

use sha2::{Digest, Sha256};

use crate::preprocess::{DECODER, transforms};

/// Raised when the same words stand for other numbers.
const VERSION: &str = "pooled features 2";

/// SHA-256 of what a chunk's features were computed from.
pub type FeatureKey = [u8; 32];

/// Takes a chunk's images one by one, in their order.
pub struct KeyWriter(Sha256);

impl KeyWriter {
    pub(super) fn new(model: &str, side: usize, crop_scale: f64) -> Self {
        let mut writer = Self(Sha256::new());
        for word in [VERSION, DECODER, model, &transforms(side, crop_scale)] {
            writer.word(word);
        }
        writer
    }

    /// Adds an image: SHA-256 of its decoded pixels, and the words that name its view.
    pub fn image(&mut self, pixels_sha256: &[u8; 32], view: &[&str]) {
        self.0.update(pixels_sha256);
        self.0.update((view.len() as u64).to_le_bytes());
        view.iter().for_each(|word| self.word(word));
    }

    /// The key.
    pub fn finish(self) -> FeatureKey {
        self.0.finalize().into()
    }

    /// Length first, so that no two lists of words read alike.
    fn word(&mut self, word: &str) {
        self.0.update((word.len() as u64).to_le_bytes());
        self.0.update(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_and_every_image_counts() {
        let key_of = |images: &[([u8; 32], &[&str])], side, crop_scale| {
            let mut writer = KeyWriter::new("m", side, crop_scale);
            images.iter().for_each(|(pixels, view)| writer.image(pixels, view));
            writer.finish()
        };
        let key = |images: &[([u8; 32], &[&str])], side| key_of(images, side, 0.08);
        let (a, b): ([u8; 32], [u8; 32]) = ([1; 32], [2; 32]);
        let keys = [
            key(&[], 8),
            key(&[(a, &["v"])], 8),
            key(&[(a, &["v"])], 9),
            key_of(&[(a, &["v"])], 8, 0.5),
            key(&[(b, &["v"])], 8),
            key(&[(a, &["v", ""])], 8),
            key(&[(a, &["v"]), (b, &["v"])], 8),
            key(&[(b, &["v"]), (a, &["v"])], 8),
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        assert_eq!(key(&[(a, &["v"])], 8), keys[1]);
    }
}
