//! PNG, GIF, BMP, WebP and TIFF to RGB, equal to Pillow's `Image.open(f).convert("RGB")` byte for byte.
//!
//! The containers are read here, because what Pillow makes of odd and damaged files is decided there. Decompression is
//! that of well-known crates, called under [`guard`], so that a panic of theirs is an error that names the file.
//! Easy to get wrong: an index beyond a palette is black, alpha is dropped and not blended, and Pillow keeps the
//! high byte of 16-bit colour but cuts 16-bit grey off at white.

mod bmp;
mod bmp_rle;
mod gif;
mod gif_lzw;
mod guard;
mod inflate;
mod names;
mod palette;
mod png;
mod png_rows;
mod samples;
mod tiff;
mod tiff_strips;
mod tiff_tags;
mod webp;

use super::Rgb8;
use super::decode::DecodeError;

/// Decodes any format of this build but JPEG.
pub(super) fn decode(bytes: &[u8]) -> Result<Rgb8, DecodeError> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        png::decode(bytes)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        gif::decode(bytes)
    } else if bytes.starts_with(b"BM") {
        bmp::decode(bytes)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        webp::decode(bytes)
    } else if tiff_tags::is_tiff(bytes) {
        tiff::decode(bytes)
    } else {
        Err(names::refusal(bytes))
    }
}

/// A picture from its size and bytes.
fn picture(format: &'static str, size: (usize, usize), data: Vec<u8>) -> Result<Rgb8, DecodeError> {
    Rgb8::new(size.0, size.1, data).ok_or_else(|| malformed(format, "it has no pixels"))
}

fn malformed(format: &'static str, reason: &str) -> DecodeError {
    DecodeError::Malformed { format, reason: reason.to_owned() }
}

fn unsupported(format: &'static str, kind: &str) -> DecodeError {
    DecodeError::Unsupported { format, kind: kind.to_owned() }
}
