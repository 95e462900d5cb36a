//! BMP, as Pillow's `BmpImagePlugin` reads it: Windows 2 to 5 and OS/2, plain, in bit fields or run-length coded.
//!
//! Easy to get wrong: 16-bit colours are `v · 255 / 31` cut off, not rounded; a palette that is the grey ramp is no
//! palette; and a height whose top byte is 255, nothing else, means that rows come from the top.

use super::super::Rgb8;
use super::super::decode::{DecodeError, check_room, check_size};
use super::bmp_rle::expand;
use super::palette::Palette;
use super::samples::{little, unpacked};
use super::{malformed, picture, unsupported};

/// The format's name in errors.
const FORMAT: &str = "BMP";

/// Most pixels that a byte can hold: a jump of the run-length code passes over many rows.
const PIXELS_PER_BYTE: u64 = 4096;

const RUNS_OF_8: u32 = 1;
const RUNS_OF_4: u32 = 2;
const BIT_FIELDS: u32 = 3;

/// What a file's headers say.
struct Header {
    width: usize,
    height: usize,
    from_top: bool,
    bits: u32,
    compression: u32,
    /// Entries of the palette, and bytes of each.
    colours: usize,
    colour_bytes: usize,
    /// Red, green, blue, alpha; only with [`BIT_FIELDS`].
    masks: [u32; 4],
    /// Where the palette starts.
    palette_at: usize,
    pixels_at: usize,
}

/// How a pixel's bytes become a colour.
enum Pixels {
    /// Offsets of red, green and blue, and bytes per pixel.
    Bytes([usize; 3], usize),
    /// Bits of green: 5 or 6.
    Words(u32),
    Indices(Box<Palette>),
}

/// Decodes a BMP.
///
/// # Errors
/// [`DecodeError`], also where its data end early.
pub(super) fn decode(bytes: &[u8]) -> Result<Rgb8, DecodeError> {
    let header = read_header(bytes).ok_or(DecodeError::Truncated { format: FORMAT })??;
    let size = (header.width as u64, header.height as u64);
    check_size(size.0, size.1)?;
    check_room(FORMAT, size, bytes.len(), PIXELS_PER_BYTE)?;
    if size.0 == 0 || size.1 == 0 {
        return Err(malformed(FORMAT, "it has no pixels"));
    }
    let pixels = pixels(&header, bytes)?;
    if header.compression == RUNS_OF_8 || header.compression == RUNS_OF_4 {
        let Pixels::Indices(palette) = &pixels else {
            return Err(unsupported(FORMAT, "a run-length code of true colours"));
        };
        let indices =
            expand(bytes, header.pixels_at, (header.width, header.height), header.compression == RUNS_OF_4)?;
        let rows = indices.chunks_exact(header.width).take(header.height);
        return rows_to_picture(&header, rows.map(|row| palette.rgb(row)).collect());
    }
    // Rows are padded to four bytes, but for the last in the file, whose padding may be missing.
    let row_bytes = (header.width * header.bits as usize).div_ceil(8);
    let stride = (header.width * header.bits as usize).div_ceil(32) * 4;
    let data = bytes.get(header.pixels_at..).unwrap_or(&[]);
    if data.len() < stride * (header.height - 1) + row_bytes {
        return Err(DecodeError::Truncated { format: FORMAT });
    }
    let rows = data.chunks(stride).take(header.height);
    rows_to_picture(&header, rows.map(|row| pixels.rgb(row, &header)).collect())
}

/// Puts rows in the order of the file together, from the top.
fn rows_to_picture(header: &Header, mut rows: Vec<Vec<u8>>) -> Result<Rgb8, DecodeError> {
    if !header.from_top {
        rows.reverse();
    }
    picture(FORMAT, (header.width, header.height), rows.concat())
}

/// Reads the headers; `None` where the file ends inside them.
fn read_header(bytes: &[u8]) -> Option<Result<Header, DecodeError>> {
    let word = |at| little::<2>(bytes, at);
    let long = |at| little::<4>(bytes, at);
    let (offset, length) = (long(10)? as usize, long(14)?);
    let behind = 14 + length as usize;
    let mut header = Header {
        width: 0,
        height: 0,
        from_top: false,
        bits: 0,
        compression: 0,
        colours: 0,
        colour_bytes: 4,
        masks: [0; 4],
        palette_at: behind,
        pixels_at: offset,
    };
    match length {
        12 => {
            (header.width, header.height) = (word(18)? as usize, word(20)? as usize);
            (header.bits, header.colour_bytes) = (word(24)?, 3);
        }
        40 | 52 | 56 | 64 | 108 | 124 => {
            bytes.get(behind - 1)?;
            header.from_top = bytes[25] == 0xff;
            let height = long(22)?;
            header.width = long(18)? as usize;
            header.height = (if header.from_top { height.wrapping_neg() } else { height }) as usize;
            (header.bits, header.compression) = (word(28)?, long(30)?);
            header.colours = long(46)? as usize;
        }
        other => {
            return Some(Err(unsupported(FORMAT, &format!("a header of {other} bytes"))));
        }
    }
    if header.compression == BIT_FIELDS {
        // Behind a header of 40 bytes, else inside it; the fourth from 56 bytes on.
        let masks = if length >= 56 { 4 } else { 3 };
        for (index, mask) in header.masks.iter_mut().take(masks).enumerate() {
            *mask = long(54 + index * 4)?;
        }
        if length == 40 {
            header.palette_at += 12;
        }
    }
    if header.colours == 0 {
        header.colours = 1usize.checked_shl(header.bits).unwrap_or(0);
    }
    if offset == behind && header.bits <= 8 {
        header.pixels_at = header.colours.saturating_mul(header.colour_bytes).saturating_add(offset);
    } else if offset == 0 {
        let palette = if header.bits <= 8 { header.colours * header.colour_bytes } else { 0 };
        header.pixels_at = header.palette_at.saturating_add(palette);
    }
    Some(Ok(header))
}

/// How the pixels are stored.
fn pixels(header: &Header, bytes: &[u8]) -> Result<Pixels, DecodeError> {
    let refused = |kind: &str| Err(unsupported(FORMAT, kind));
    match (header.bits, header.compression) {
        (1 | 4 | 8, 0 | RUNS_OF_8 | RUNS_OF_4) => indices(header, bytes),
        (16, 0) => Ok(Pixels::Words(5)),
        (24, 0) => Ok(Pixels::Bytes([2, 1, 0], 3)),
        (32, 0) => Ok(Pixels::Bytes([2, 1, 0], 4)),
        (16 | 24 | 32, BIT_FIELDS) => bit_fields(header.bits, header.masks)
            .ok_or_else(|| unsupported(FORMAT, &format!("a layout of bit fields ({:x?})", header.masks))),
        (1 | 4 | 8 | 16 | 24 | 32, 4) => refused("JPEG inside"),
        (1 | 4 | 8 | 16 | 24 | 32, 5) => refused("PNG inside"),
        (1 | 4 | 8 | 16 | 24 | 32, other) => refused(&format!("compression {other}")),
        (other, _) => refused(&format!("{other} bits a pixel")),
    }
}

/// The layouts that Pillow knows.
fn bit_fields(bits: u32, masks: [u32; 4]) -> Option<Pixels> {
    const LOW: u32 = 0xff;
    const SECOND: u32 = 0xff00;
    const THIRD: u32 = 0xff_0000;
    const HIGH: u32 = 0xff00_0000;
    Some(match (bits, masks) {
        (16, [0xf800, 0x7e0, 0x1f, _]) => Pixels::Words(6),
        (16, [0x7c00, 0x3e0, 0x1f, _]) => Pixels::Words(5),
        (24, [THIRD, SECOND, LOW, _]) => Pixels::Bytes([2, 1, 0], 3),
        (32, [THIRD, SECOND, LOW, 0 | HIGH] | [0, 0, 0, 0]) => Pixels::Bytes([2, 1, 0], 4),
        (32, [HIGH, THIRD, SECOND, 0 | LOW]) => Pixels::Bytes([3, 2, 1], 4),
        (32, [HIGH, SECOND, LOW, 0 | THIRD]) => Pixels::Bytes([3, 1, 0], 4),
        (32, [LOW, SECOND, THIRD, HIGH]) => Pixels::Bytes([0, 1, 2], 4),
        _ => return None,
    })
}

/// Reads the palette. One that is black and white, or every grey in turn, is none to Pillow: then a row's
/// samples are read at the depth that its length suggests, and only the usual depth is the file's.
fn indices(header: &Header, bytes: &[u8]) -> Result<Pixels, DecodeError> {
    let long = || unsupported(FORMAT, &format!("a palette of {} colours", header.colours));
    let length = header.colours.checked_mul(header.colour_bytes).ok_or_else(long)?;
    let start = header.palette_at.min(bytes.len());
    let entries = &bytes[start..start.saturating_add(length).min(bytes.len())];
    let colours = || entries.chunks_exact(header.colour_bytes).map(|entry| [entry[2], entry[1], entry[0]]);
    let grey = |index: usize| if header.colours == 2 { [0, 255][index.min(1)] } else { (index & 255) as u8 };
    let is_grey = colours().len() == header.colours
        && colours().enumerate().all(|(index, colour)| colour == [grey(index); 3] && index < 256);
    let black_and_white = || [[0; 3], [255; 3]].into_iter();
    let palette = match (is_grey, header.colours, header.bits) {
        (true, ..=2, 1) if header.compression == 0 => Palette::new(black_and_white()),
        (true, 3.., 8) => Some(Palette::grey()),
        (true, count, bits) => {
            return Err(unsupported(FORMAT, &format!("a palette of {count} greys for {bits} bits")));
        }
        (false, ..) => Palette::new(colours()),
    };
    palette.map(|palette| Pixels::Indices(Box::new(palette))).ok_or_else(long)
}

impl Pixels {
    /// RGB of one row; `row` holds it.
    fn rgb(&self, row: &[u8], header: &Header) -> Vec<u8> {
        match self {
            Self::Bytes([r, g, b], size) => {
                let pixels = row.chunks_exact(*size).take(header.width);
                pixels.flat_map(|pixel| [pixel[*r], pixel[*g], pixel[*b]]).collect()
            }
            Self::Words(green_bits) => {
                let words = row.as_chunks::<2>().0.iter().take(header.width);
                words.flat_map(|word| colour_of_word(u16::from_le_bytes(*word), *green_bits)).collect()
            }
            Self::Indices(palette) => {
                let samples = unpacked(row, header.bits, header.width);
                samples.flat_map(|index| palette.colour(index)).collect()
            }
        }
    }
}

/// A colour of five bits each, or six for green.
fn colour_of_word(word: u16, green_bits: u32) -> [u8; 3] {
    let word = u32::from(word);
    let scaled = |shift: u32, bits: u32| {
        let largest = (1 << bits) - 1;
        ((word >> shift & largest) * 255 / largest) as u8
    };
    [scaled(5 + green_bits, 5), scaled(5, green_bits), scaled(0, 5)]
}

#[cfg(test)]
mod tests {
    use super::colour_of_word;

    #[test]
    fn words_are_cut_off_not_rounded() {
        // 3 · 255 / 31 = 24.68; 5 · 255 / 63 = 20.2.
        assert_eq!(colour_of_word(3 << 10 | 31 << 5 | 3, 5), [24, 255, 24]);
        assert_eq!(colour_of_word(3 << 11 | 5 << 5 | 31, 6), [24, 20, 255]);
    }
}
