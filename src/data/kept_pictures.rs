//! Decoded pictures that are kept: a draw's are looked at once an epoch and decoded once a run.
//!
//! Those that come first stay. A pass over a draw asks for all of them in turn, so a rule that lets the oldest go would
//! keep none of a draw that is too large.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::item::Item;
use super::source::{ImageSource, PixelError};
use crate::preprocess::Rgb8;

/// Bytes of decoded pictures that a draw may keep: 16 shots of 50 classes of 500 × 375 pixels.
pub const KEPT_BYTES: u64 = 450 << 20;

/// A source whose pictures are decoded once, as far as memory allows.
pub struct KeptPictures<'a> {
    source: &'a dyn ImageSource,
    limit: u64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bytes: u64,
    pictures: BTreeMap<String, Rgb8>,
}

impl<'a> KeptPictures<'a> {
    /// Keeps pictures of `source` while they fit into `limit` bytes.
    pub fn new(source: &'a dyn ImageSource, limit: u64) -> Self {
        Self { source, limit, kept: Mutex::default() }
    }
}

impl ImageSource for KeptPictures<'_> {
    fn image(&self, item: &Item) -> Result<Rgb8, PixelError> {
        let known = self.kept.lock().ok().and_then(|kept| kept.pictures.get(&item.path).cloned());
        if let Some(image) = known {
            return Ok(image);
        }
        let image = self.source.image(item)?;
        let bytes = 3 * image.width() as u64 * image.height() as u64;
        if let Ok(mut kept) = self.kept.lock()
            && kept.bytes + bytes <= self.limit
            && kept.pictures.insert(item.path.clone(), image.clone()).is_none()
        {
            kept.bytes += bytes;
        }
        Ok(image)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Counting(AtomicUsize);

    impl ImageSource for Counting {
        fn image(&self, item: &Item) -> Result<Rgb8, PixelError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(Rgb8::new(2, 2, vec![item.label as u8; 12]).unwrap())
        }
    }

    /// Three epochs over four pictures of 12 bytes each: decodings, and the pictures.
    fn decoded(limit: u64) -> (usize, Vec<u8>) {
        let source = Counting(AtomicUsize::new(0));
        let kept = KeptPictures::new(&source, limit);
        let mut seen = Vec::new();
        for _ in 0..3 {
            for label in 0..4 {
                let item = Item { path: format!("{label}.png"), label };
                seen.push(kept.image(&item).unwrap().data()[0]);
            }
        }
        (source.0.into_inner(), seen)
    }

    #[test]
    fn pictures_are_decoded_once_as_far_as_they_fit() {
        let (all, none, two) = (decoded(48), decoded(0), decoded(30));
        assert_eq!((all.0, none.0, two.0), (4, 12, 2 + 3 * 2));
        assert!(all.1 == none.1 && all.1 == two.1 && all.1[..4] == [0, 1, 2, 3]);
    }
}
