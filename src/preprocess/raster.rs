//! PNG, GIF, BMP, WebP and TIFF to RGB: the `image` crate's decoding, Pillow's conversion.
//!
//! It owns how samples become 8-bit RGB. Easy to get wrong: Pillow keeps the high byte of 16-bit colour,
//! but opens 16-bit grey in a mode of its own, whose conversion to RGB is another; and TIFF is the one
//! format whose orientation it applies while loading. Not decoded: TIFF with a palette, with grey and
//! alpha, or in YCbCr without JPEG.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::Rgb8;
use super::decode::{DecodeError, MAX_PIXELS, check_size};

/// Bit depth and colour type of a PNG header that says 16-bit grey.
const PNG_GREY_16: [u8; 2] = [16, 0];

/// Decodes any format of this build but JPEG.
pub(super) fn decode(bytes: &[u8]) -> Result<Rgb8, DecodeError> {
    let format = image::guess_format(bytes).ok().and_then(|kind| Some((kind, name(kind)?)));
    let Some((kind, format)) = format else {
        return Err(DecodeError::UnknownFormat { start: bytes.iter().take(8).copied().collect() });
    };
    let error = |e: ImageError| named_error(format, &e);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(error)?;
    let (width, height) = decoder.dimensions();
    check_size(u64::from(width), u64::from(height))?;
    let stored = decoder.original_color_type();
    let orientation = match kind {
        ImageFormat::Tiff => decoder.orientation().map_err(error)?,
        _ => Orientation::NoTransforms,
    };
    let mut image = DynamicImage::from_decoder(decoder).map_err(error)?;
    image.apply_orientation(orientation);
    let (width, height) = (image.width(), image.height());
    let grey_16 = kind == ImageFormat::Png && bytes.get(24..26) == Some(&PNG_GREY_16);
    let data = rgb_bytes(image, grey_16)
        .ok_or_else(|| DecodeError::Unsupported { format, kind: format!("{stored:?}") })?;
    let found = data.len();
    Rgb8::new(width as usize, height as usize, data).ok_or_else(|| DecodeError::Malformed {
        format,
        reason: format!("{found} bytes for {width} x {height} pixels"),
    })
}

/// Room for the largest accepted image as 16-bit RGBA, once over.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_PIXELS * 8);
    limits
}

fn name(kind: ImageFormat) -> Option<&'static str> {
    match kind {
        ImageFormat::Png => Some("PNG"),
        ImageFormat::Gif => Some("GIF"),
        ImageFormat::Bmp => Some("BMP"),
        ImageFormat::WebP => Some("WebP"),
        ImageFormat::Tiff => Some("TIFF"),
        _ => None,
    }
}

fn named_error(format: &'static str, error: &ImageError) -> DecodeError {
    match error {
        ImageError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            DecodeError::Truncated { format }
        }
        other => DecodeError::Malformed { format, reason: other.to_string() },
    }
}

/// The picture's bytes as Pillow 13's `convert("RGB")` gives them; `None` for floating-point samples.
/// `grey_16` tells that the alpha of 16-bit grey stands for a transparent value, not for a channel.
fn rgb_bytes(image: DynamicImage, grey_16: bool) -> Option<Vec<u8>> {
    Some(match image {
        DynamicImage::ImageRgb8(image) => image.into_raw(),
        DynamicImage::ImageRgba8(image) => first_three(image.as_raw(), |sample| sample),
        DynamicImage::ImageLuma8(image) => repeat_grey(image.as_raw(), 1, |sample| sample),
        DynamicImage::ImageLumaA8(image) => repeat_grey(image.as_raw(), 2, |sample| sample),
        DynamicImage::ImageRgb16(image) => image.as_raw().iter().copied().map(high_byte).collect(),
        DynamicImage::ImageRgba16(image) => first_three(image.as_raw(), high_byte),
        DynamicImage::ImageLuma16(image) => repeat_grey(image.as_raw(), 1, clipped),
        DynamicImage::ImageLumaA16(image) if grey_16 => repeat_grey(image.as_raw(), 2, clipped),
        DynamicImage::ImageLumaA16(image) => repeat_grey(image.as_raw(), 2, high_byte),
        _ => return None,
    })
}

fn first_three<T: Copy>(samples: &[T], byte: fn(T) -> u8) -> Vec<u8> {
    samples.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b].map(byte)).collect()
}

fn repeat_grey<T: Copy>(samples: &[T], per_pixel: usize, byte: fn(T) -> u8) -> Vec<u8> {
    samples.iter().step_by(per_pixel).flat_map(|&grey| [byte(grey); 3]).collect()
}

fn high_byte(sample: u16) -> u8 {
    (sample >> 8) as u8
}

/// Pillow's `I;16` to `RGB`: values beyond a byte are white.
fn clipped(sample: u16) -> u8 {
    u8::try_from(sample).unwrap_or(u8::MAX)
}
