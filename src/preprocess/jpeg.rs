//! JPEG to RGB: zune-jpeg's decoding, Pillow's colour rules and Pillow's view of truncation.
//!
//! It owns what happens around the decoder. Easy to get wrong: four-component files hold *inverted* ink
//! by Adobe's convention, and Pillow inverts every one of them, whatever its markers say.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::Rgb8;
use super::decode::{DecodeError, check_size};

const FORMAT: &str = "JPEG";
/// The largest side a JPEG header can state; the limit is on pixels, not sides.
const MAX_SIDE: usize = 65_535;

/// Decodes a JPEG: grey is repeated, YCbCr, CMYK and YCCK are converted.
pub(super) fn decode(bytes: &[u8]) -> Result<Rgb8, DecodeError> {
    let malformed = |reason: String| DecodeError::Malformed { format: FORMAT, reason };
    let options = DecoderOptions::default().set_max_width(MAX_SIDE).set_max_height(MAX_SIDE);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| malformed(e.to_string()))?;
    let info = decoder.info().ok_or_else(|| malformed("it has no image header".to_owned()))?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    check_size(width as u64, height as u64)?;
    if !has_end_of_image(bytes) {
        return Err(DecodeError::Truncated { format: FORMAT });
    }
    let stored = decoder.input_colorspace().ok_or_else(|| malformed("it has no components".to_owned()))?;
    let wanted = match stored {
        ColorSpace::CMYK | ColorSpace::YCCK => stored,
        _ => ColorSpace::RGB,
    };
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let samples = decoder.decode().map_err(|e| malformed(e.to_string()))?;
    let data = match wanted {
        ColorSpace::CMYK => rgb_from_quads(&samples, rgb_from_cmyk),
        ColorSpace::YCCK => rgb_from_quads(&samples, rgb_from_ycck),
        _ => samples,
    };
    let found = data.len();
    Rgb8::new(width, height, data)
        .ok_or_else(|| malformed(format!("{found} bytes for {width} x {height} pixels")))
}

/// Whether an end-of-image marker follows the first scan, without which Pillow calls a file truncated.
/// The decoder itself would fill the rest with grey. A thumbnail's marker lies before the scan.
fn has_end_of_image(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4).and_then(|s| s.as_array::<4>()) {
        if marker == 0xda {
            return bytes[at..].windows(2).any(|pair| pair == [0xff, 0xd9]);
        }
        let has_length = marker != 0xff;
        at += if has_length { 2 + usize::from(u16::from_be_bytes([high, low])) } else { 1 };
    }
    bytes.windows(2).skip(2).any(|pair| pair == [0xff, 0xd9])
}

fn rgb_from_quads(samples: &[u8], convert: fn([u8; 4]) -> [u8; 3]) -> Vec<u8> {
    samples.as_chunks::<4>().0.iter().flat_map(|&quad| convert(quad)).collect()
}

/// Pillow's `cmyk2rgb` on inverted ink: `255 - stored` is the amount of ink.
fn rgb_from_cmyk([c, m, y, light]: [u8; 4]) -> [u8; 3] {
    [c, m, y].map(|stored| light - multiply_divide_255(255 - stored, light))
}

/// libjpeg's YCCK to CMYK gives `255 - RGB` and keeps K; then as CMYK.
fn rgb_from_ycck([y, cb, cr, k]: [u8; 4]) -> [u8; 3] {
    let [r, g, b] = rgb_from_ycc(y, cb, cr);
    rgb_from_cmyk([255 - r, 255 - g, 255 - b, k])
}

/// libjpeg's integer YCbCr conversion (`jdcolor.c`), 16 fractional bits.
fn rgb_from_ycc(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}

/// Pillow's `MULDIV255`: `a · b / 255`, rounded.
fn multiply_divide_255(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    (((product >> 8) + product) >> 8) as u8
}
