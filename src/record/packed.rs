//! Large prediction files are compressed: `.csv.gz` from a mebibyte on, which is what pandas reads as it is.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Texts of at least as many bytes are compressed.
pub const LARGE: usize = 1 << 20;
/// Most bytes that a file is unpacked to: some 40 million rows. A small file can claim to hold any number.
const MOST: u64 = 4 << 30;
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The bytes to store, and whether they are compressed, which a small file is not. The same text gives the same bytes.
pub fn packed(text: String) -> (bool, Vec<u8>) {
    if text.len() < LARGE {
        return (false, text.into_bytes());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail; were it to, the plain text is as good.
    match encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
        Ok(bytes) => (true, bytes),
        Err(_) => (false, text.into_bytes()),
    }
}

/// The text of a stored file, compressed or not; `None` for damaged, endless or non-UTF-8 ones.
pub fn unpacked(bytes: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    if !bytes.starts_with(&MAGIC) {
        return std::str::from_utf8(bytes).ok().map(Into::into);
    }
    let mut text = String::new();
    let read = GzDecoder::new(bytes).take(MOST + 1).read_to_string(&mut text).ok()?;
    (read as u64 <= MOST).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_texts_are_smaller_and_come_back() {
        let text = "val/n01440764/ILSVRC2012_val_00000293.JPEG,0,0,0.5,0.5,0.25\n".repeat(20_000);
        let (is_packed, bytes) = packed(text.clone());
        assert!(is_packed);
        assert!(bytes.len() * 4 < text.len());
        assert_eq!(unpacked(&bytes).unwrap(), text);
        assert_eq!(packed(text.clone()).1, bytes, "the same bytes every time");
        assert_eq!(unpacked(&bytes[..bytes.len() / 2]), None);
        assert_eq!(packed("a\n".to_owned()), (false, b"a\n".to_vec()));
        assert_eq!(unpacked(b"\xff"), None);
    }
}
