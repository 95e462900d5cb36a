//! From an encoded file to RGB, by content: no file ending is looked at.
//!
//! It owns the choice of decoder, the size limit and the errors; JPEG is `jpeg`'s, every other
//! format `raster`'s. The aim is Pillow's `Image.open(f).convert("RGB")`. Easy to get wrong: that
//! ignores EXIF orientation, colour profiles and alpha (dropped, not blended), and so does this.

use super::{Rgb8, jpeg, raster};

/// The decoders and their versions, for run records: another decoder may round pixels differently.
/// The first two are of this crate, numbered whenever their pixels change or they read what they refused.
pub const DECODER: &str = "jpeg_islow 2, raster 1, image-webp 0.2.4";

/// Most pixels accepted: Pillow refuses above twice its `MAX_IMAGE_PIXELS` of 89 478 485.
pub const MAX_PIXELS: u64 = 2 * 89_478_485;

/// Why bytes could not be decoded. The caller knows and adds the file's name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The first bytes belong to no format of this build.
    #[error("recognise the image: it starts with {start:02x?}, expected JPEG, PNG, GIF, BMP, WebP or TIFF")]
    UnknownFormat {
        /// The first bytes, at most eight.
        start: Vec<u8>,
    },
    /// More pixels than [`MAX_PIXELS`]; nothing was allocated for them.
    #[error("decode the image: {width} x {height} pixels, more than {MAX_PIXELS}")]
    TooLarge {
        /// Stated width.
        width: u64,
        /// Stated height.
        height: u64,
    },
    /// The data ends before the image does.
    #[error("decode the {format}: the data ends before the image does")]
    Truncated {
        /// The format.
        format: &'static str,
    },
    /// The decoder refused the data.
    #[error("decode the {format}: {reason}")]
    Malformed {
        /// The format.
        format: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// A layout or coding that this build does not read, though others may.
    #[error("decode the {format}: not supported: {kind}; convert it to an 8-bit RGB PNG or a baseline JPEG")]
    Unsupported {
        /// The format.
        format: &'static str,
        /// What is not supported.
        kind: String,
    },
    /// A picture format that this build does not read.
    #[error("decode the image: {format} is not supported, convert it to PNG or JPEG")]
    OtherFormat {
        /// The format's name.
        format: &'static str,
    },
    /// A file that holds no picture.
    #[error("decode the image: it is no picture but {found}")]
    NoPicture {
        /// What it is.
        found: &'static str,
    },
    /// A picture far larger than its file can hold; nothing was allocated for it.
    #[error("decode the {format}: {width} x {height} pixels cannot come from {bytes} bytes")]
    Implausible {
        /// The format.
        format: &'static str,
        /// Stated width.
        width: u64,
        /// Stated height.
        height: u64,
        /// Length of the file.
        bytes: usize,
    },
}

/// Decodes JPEG, PNG, GIF (first frame), BMP, WebP or TIFF to 8-bit RGB.
///
/// # Errors
/// [`DecodeError`]; images of more than [`MAX_PIXELS`] are refused before their pixels are allocated.
pub fn decode(bytes: &[u8]) -> Result<Rgb8, DecodeError> {
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) { jpeg::decode(bytes) } else { raster::decode(bytes) }
}

/// Refuses sizes beyond [`MAX_PIXELS`].
pub(super) fn check_size(width: u64, height: u64) -> Result<(), DecodeError> {
    let pixels = width.saturating_mul(height);
    if pixels > MAX_PIXELS { Err(DecodeError::TooLarge { width, height }) } else { Ok(()) }
}

/// Pixels that any file may state: about a megapixel costs nothing to allocate.
const ALWAYS_ROOM: u64 = 1 << 20;

/// Refuses pictures that are larger than `bytes` bytes can hold at `per_byte` pixels each, so that memory is
/// bounded by the file and not by its header.
pub(super) fn check_room(
    format: &'static str,
    (width, height): (u64, u64),
    bytes: usize,
    per_byte: u64,
) -> Result<(), DecodeError> {
    let held = per_byte.saturating_mul(bytes as u64).max(ALWAYS_ROOM);
    if width.saturating_mul(height) > held {
        return Err(DecodeError::Implausible { format, width, height, bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{DECODER, DecodeError, check_size, decode};

    #[test]
    fn the_named_version_is_the_locked_one() {
        let lock = include_str!("../../Cargo.lock");
        let (_, named) = DECODER.rsplit_once(", ").unwrap();
        let (name, version) = named.split_once(' ').unwrap();
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(lock.contains(&entry), "{named} is not in Cargo.lock");
    }

    #[test]
    fn unknown_bytes_are_named() {
        let error = decode(b"some text, no picture").unwrap_err();
        assert_eq!(error, DecodeError::UnknownFormat { start: b"some tex".to_vec() });
    }

    #[test]
    fn the_limit_is_pillows() {
        assert!(check_size(178_956_970, 1).is_ok());
        assert!(check_size(178_956_971, 1).is_err());
        assert!(check_size(u64::MAX, u64::MAX).is_err());
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        bmp.extend([60_000u32, 60_000].map(u32::to_le_bytes).concat());
        bmp.extend([1, 0, 24, 0]);
        bmp.extend([0; 24]);
        assert_eq!(decode(&bmp).unwrap_err(), DecodeError::TooLarge { width: 60_000, height: 60_000 });
    }
}
