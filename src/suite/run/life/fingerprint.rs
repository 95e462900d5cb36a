//! Hashes of the pictures a run has looked at, so that changed data cannot pass as the same.
//!
//! An image source that remembers a hash of everything it hands out. It hashes decoded pixels, so it
//! sees what the model saw, and works the same for rendered pictures and for files.

use std::collections::BTreeMap;
use std::sync::Mutex;

use sha2::{Digest, Sha256};

use crate::data::{ImageSource, Item, PixelError, pixels_sha256};
use crate::preprocess::Rgb8;
use crate::util::hex;

/// A source and the hashes of the images it has handed out.
pub(in crate::suite) struct Fingerprint<'a> {
    source: &'a dyn ImageSource,
    hashes: Mutex<BTreeMap<String, [u8; 32]>>,
}

impl<'a> Fingerprint<'a> {
    /// Watches a source.
    pub fn new(source: &'a dyn ImageSource) -> Self {
        Self { source, hashes: Mutex::default() }
    }

    /// SHA-256 over path and hash of these items, in this order. Items nobody asked for yet are read now, so
    /// the answer does not depend on where a run was taken up again.
    ///
    /// # Errors
    /// [`PixelError`] for such an item that cannot be read.
    pub fn digest<'i>(&self, items: impl IntoIterator<Item = &'i Item>) -> Result<String, PixelError> {
        let mut digest = Sha256::new();
        for item in items {
            digest.update(format!("{}\t", item.path));
            digest.update(self.pixels_sha256(item)?);
        }
        Ok(hex(&digest.finalize()))
    }

    fn known(&self, path: &str) -> Option<[u8; 32]> {
        self.hashes.lock().ok()?.get(path).copied()
    }

    fn remember(&self, item: &Item, image: &Rgb8) -> [u8; 32] {
        let hash = pixels_sha256(image);
        if let Ok(mut hashes) = self.hashes.lock() {
            hashes.insert(item.path.clone(), hash);
        }
        hash
    }
}

impl ImageSource for Fingerprint<'_> {
    fn image(&self, item: &Item) -> Result<Rgb8, PixelError> {
        let image = self.source.image(item)?;
        if self.known(&item.path).is_none() {
            self.remember(item, &image);
        }
        Ok(image)
    }

    fn pixels_sha256(&self, item: &Item) -> Result<[u8; 32], PixelError> {
        match self.known(&item.path) {
            Some(hash) => Ok(hash),
            None => Ok(self.remember(item, &self.source.image(item)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Flat(u8);

    impl ImageSource for Flat {
        fn image(&self, _: &Item) -> Result<Rgb8, PixelError> {
            Ok(Rgb8::new(2, 1, vec![self.0; 6]).unwrap())
        }
    }

    fn digest(value: u8, read: &[&str], of: &[&str]) -> String {
        let item = |path: &&str| Item { path: (*path).to_owned(), label: 0 };
        let source = Flat(value);
        let watched = Fingerprint::new(&source);
        read.iter().for_each(|path| drop(watched.image(&item(path)).unwrap()));
        watched.digest(&of.iter().map(item).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn pixels_paths_and_order_count_and_reading_order_does_not() {
        let first = digest(1, &["a", "b"], &["a", "b"]);
        assert_eq!(first, digest(1, &["b", "a", "a"], &["a", "b"]));
        assert_ne!(first, digest(2, &["a", "b"], &["a", "b"]));
        assert_ne!(first, digest(1, &["a", "b"], &["b", "a"]));
        assert_eq!(first, digest(1, &["a"], &["a", "b"]));
    }
}
