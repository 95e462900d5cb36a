//! TIFF: which layouts are read, and how their samples become RGB, as Pillow's `TiffImagePlugin` has it.
//!
//! Only layouts whose result is known to be Pillow's are read; all others are refused by name. Easy to get wrong:
//! premultiplied colours are divided by their alpha, 16-bit grey that is white at zero is not inverted, and
//! orientation is applied.

use super::super::Rgb8;
use super::super::decode::{DecodeError, check_room, check_size};
use super::palette::Palette;
use super::samples::{clipped, grey_scale, unpacked};
use super::tiff_strips::{Grid, Packing, read_rows};
use super::tiff_tags::{FORMAT, Tags};
use super::{malformed, picture, unsupported};

/// Most pixels that a byte can hold, by the densest packing.
const PIXELS_PER_BYTE: u64 = 4096;

/// What the samples of a pixel mean.
enum Meaning {
    /// Grey; whether zero is white.
    Grey(bool),
    Rgb,
    /// Colours multiplied by the fourth sample.
    Premultiplied,
    Indexed(Box<Palette>),
    Cmyk,
}

/// How pixels are stored.
struct Layout {
    meaning: Meaning,
    /// Bits of a sample.
    bits: u32,
    /// Samples of a pixel.
    samples: usize,
    big_endian: bool,
}

/// Decodes the first picture.
///
/// # Errors
/// [`DecodeError`]; layouts that are not read are named.
pub(super) fn decode(bytes: &[u8]) -> Result<Rgb8, DecodeError> {
    let tags = Tags::read(bytes)?;
    let (width, height) = (tags.one(256, 0)?, tags.one(257, 0)?);
    if width == 0 || height == 0 {
        return Err(malformed(FORMAT, "its width or height is missing"));
    }
    check_size(width, height)?;
    check_room(FORMAT, (width, height), bytes.len(), PIXELS_PER_BYTE)?;
    let size = (width as usize, height as usize);
    let orientation = orientation(&tags)?;
    let packing = Packing::read(&tags)?;
    let planar = match tags.one(284, 1)? {
        1 => false,
        2 => true,
        other => return Err(unsupported(FORMAT, &format!("planar configuration {other}"))),
    };
    let layout = layout(&tags)?;
    let planar = planar && layout.samples > 1;
    if orientation >= 5 && !packing.is_compressed() && layout.samples != 3 && width != height {
        // Pillow maps such a file with its sides exchanged and shows noise.
        return Err(unsupported(FORMAT, "a turned picture without compression"));
    }
    let plain = layout.samples == 3 || tags.has(338);
    if planar && (layout.bits != 8 || !matches!(layout.meaning, Meaning::Rgb) || !plain) {
        return Err(unsupported(FORMAT, "a planar layout other than 8-bit RGB"));
    }
    if packing.is_predicted() && !matches!(layout.bits, 8 | 16) {
        return Err(unsupported(FORMAT, &format!("a predictor on {}-bit samples", layout.bits)));
    }
    let planes = if planar { layout.samples } else { 1 };
    let grid = Grid::read(&tags, size, layout.bits as usize, layout.samples / planes, planes)?;
    let rows = read_rows(bytes, &tags, &grid, &packing)?;
    let rgb = if planar { interleaved(&rows, size) } else { layout.rgb(&rows, &grid, size) };
    let picture = picture(FORMAT, size, rgb)?;
    Ok(if orientation == 1 { picture } else { oriented(&picture, orientation) })
}

/// The orientation tag; anything but 1 to 8 is none.
fn orientation(tags: &Tags<'_>) -> Result<u64, DecodeError> {
    if !tags.has(274) {
        let xmp = tags.text(700).unwrap_or(&[]);
        if xmp.windows(16).any(|part| part == b"tiff:Orientation") {
            return Err(unsupported(FORMAT, "an orientation that stands in XMP only"));
        }
    }
    let stated = tags.one(274, 1)?;
    Ok(if (1..=8).contains(&stated) { stated } else { 1 })
}

fn layout(tags: &Tags<'_>) -> Result<Layout, DecodeError> {
    let photometric = tags.one(262, 0)?;
    let extra = tags.values(338)?;
    let colours = match photometric {
        0 | 1 | 3 => 1,
        2 => 3,
        5 => 4,
        6 => return Err(unsupported(FORMAT, "YCbCr")),
        8..=10 => return Err(unsupported(FORMAT, "Lab")),
        other => return Err(unsupported(FORMAT, &format!("photometric interpretation {other}"))),
    };
    let samples = tags.one(277, 1)? as usize;
    let mut bits = tags.values(258)?;
    bits.truncate(samples.max(1));
    let bits_of_one = bits.first().copied().unwrap_or(1);
    if bits.iter().any(|bits| *bits != bits_of_one) || (bits.len() > 1 && bits.len() != samples) {
        return Err(unsupported(FORMAT, "samples of different depths"));
    }
    if tags.one(266, 1)? != 1 {
        return Err(unsupported(FORMAT, "a reversed order of bits"));
    }
    let formats = tags.values(339)?;
    let unsigned = formats.iter().all(|format| *format == 1);
    // Signed bytes of grey are read by Pillow as if they were not.
    let signed_grey = photometric == 1 && bits_of_one == 8 && formats == [2] && samples == 1;
    if !unsigned && !signed_grey {
        return Err(unsupported(FORMAT, "samples that are signed or floating-point numbers"));
    }
    let expected =
        if samples == 4 && photometric == 2 && extra.is_empty() { 4 } else { colours + extra.len() };
    if samples != expected {
        return Err(unsupported(FORMAT, &format!("{samples} samples with {} of them extra", extra.len())));
    }
    let meaning = meaning(tags, photometric, &extra)?;
    let depths: &[u64] = match (&meaning, samples) {
        (Meaning::Grey(_), 1) => &[1, 2, 4, 8, 16],
        (Meaning::Indexed(_), 1) => &[1, 2, 4, 8],
        (Meaning::Rgb | Meaning::Premultiplied, ..=4) | (Meaning::Cmyk, 4) => &[8, 16],
        _ => &[8],
    };
    if !depths.contains(&bits_of_one) || (photometric == 0 && bits_of_one == 16 && tags.big_endian) {
        return Err(unsupported(FORMAT, &format!("{bits_of_one}-bit samples of this kind")));
    }
    Ok(Layout { meaning, bits: bits_of_one as u32, samples, big_endian: tags.big_endian })
}

/// What the samples mean; `extra` says what those behind the colours are: 0 nothing, 1 premultiplied alpha, 2 alpha.
fn meaning(tags: &Tags<'_>, photometric: u64, extra: &[u64]) -> Result<Meaning, DecodeError> {
    let refused = || unsupported(FORMAT, &format!("extra samples of kinds {extra:?}"));
    match (photometric, extra) {
        (0, []) => Ok(Meaning::Grey(true)),
        (1, [] | [0 | 2]) => Ok(Meaning::Grey(false)),
        (2, [] | [0 | 2 | 999] | [0 | 2, 0] | [0 | 2, 0, 0]) => Ok(Meaning::Rgb),
        (2, [1] | [1, 0] | [1, 0, 0]) => Ok(Meaning::Premultiplied),
        (3, [] | [0 | 2]) => indexed(tags),
        (5, [] | [0] | [0, 0]) => Ok(Meaning::Cmyk),
        _ => Err(refused()),
    }
}

fn indexed(tags: &Tags<'_>) -> Result<Meaning, DecodeError> {
    let map = tags.values(320)?;
    let count = map.len() / 3;
    let byte = |value: u64| (value / 256) as u8;
    let colours = (0..count).map(|i| [byte(map[i]), byte(map[count + i]), byte(map[2 * count + i])]);
    let palette = if map.is_empty() || map.len() % 3 != 0 { None } else { Palette::new(colours) };
    let palette = palette.ok_or_else(|| malformed(FORMAT, "its palette is missing or damaged"))?;
    Ok(Meaning::Indexed(Box::new(palette)))
}

impl Layout {
    /// RGB of rows whose samples lie side by side.
    fn rgb(&self, rows: &[u8], grid: &Grid, (width, height): (usize, usize)) -> Vec<u8> {
        let mut out = Vec::with_capacity(width * height * 3);
        for row in rows.chunks_exact(grid.row_bytes).take(height) {
            match (&self.meaning, self.bits) {
                (Meaning::Grey(white_at_zero), ..=8) if self.samples == 1 => {
                    let (scale, flip) = (grey_scale(self.bits), if *white_at_zero { 255 } else { 0 });
                    let greys = unpacked(row, self.bits, width).map(|sample| (sample * scale) ^ flip);
                    out.extend(greys.flat_map(|grey| [grey; 3]));
                }
                (Meaning::Indexed(palette), _) if self.samples == 1 => {
                    out.extend(unpacked(row, self.bits, width).flat_map(|index| palette.colour(index)));
                }
                (_, 16) => out
                    .extend(row.chunks_exact(self.samples * 2).flat_map(|pixel| self.colour_of_words(pixel))),
                _ => out.extend(row.chunks_exact(self.samples).flat_map(|pixel| self.colour(pixel))),
            }
        }
        out
    }

    /// The colour of a pixel of bytes.
    fn colour(&self, pixel: &[u8]) -> [u8; 3] {
        match (&self.meaning, pixel) {
            (Meaning::Grey(_), [grey, ..]) => [*grey; 3],
            (Meaning::Indexed(palette), [index, ..]) => palette.colour(*index),
            (Meaning::Premultiplied, [r, g, b, alpha, ..]) => divided([*r, *g, *b], *alpha),
            (Meaning::Cmyk, [c, m, y, k, ..]) => rgb_from_ink([*c, *m, *y], *k),
            (_, [r, g, b, ..]) => [*r, *g, *b],
            _ => [0; 3],
        }
    }

    /// The colour of a pixel of 16-bit samples: of high bytes, but for grey.
    fn colour_of_words(&self, pixel: &[u8]) -> [u8; 3] {
        let words = pixel.as_chunks::<2>().0;
        if let (Meaning::Grey(_), [word]) = (&self.meaning, words) {
            let word = if self.big_endian { u16::from_be_bytes(*word) } else { u16::from_le_bytes(*word) };
            return [clipped(word); 3];
        }
        let mut high = [0; 4];
        for (high, word) in high.iter_mut().zip(words) {
            *high = if self.big_endian { word[0] } else { word[1] };
        }
        self.colour(&high[..words.len().min(4)])
    }
}

/// Pillow's unpacking of premultiplied colours.
fn divided(colours: [u8; 3], alpha: u8) -> [u8; 3] {
    match alpha {
        0 => [0; 3],
        255 => colours,
        alpha => colours.map(|colour| (u16::from(colour) * 255 / u16::from(alpha)).min(255) as u8),
    }
}

/// Pillow's `cmyk2rgb`.
fn rgb_from_ink(ink: [u8; 3], key: u8) -> [u8; 3] {
    let light = u32::from(255 - key);
    ink.map(|ink| {
        let product = u32::from(ink) * light + 128;
        (light - (((product >> 8) + product) >> 8)) as u8
    })
}

/// RGB from planes of bytes.
fn interleaved(planes: &[u8], (width, height): (usize, usize)) -> Vec<u8> {
    let pixels = width * height;
    let plane = |index: usize| &planes[index * pixels..(index + 1) * pixels];
    plane(0).iter().zip(plane(1)).zip(plane(2)).flat_map(|((r, g), b)| [*r, *g, *b]).collect()
}

/// Turns and mirrors a picture as its orientation (2 to 8) says.
fn oriented(picture: &Rgb8, orientation: u64) -> Rgb8 {
    let (width, height) = (picture.width(), picture.height());
    let turned = orientation >= 5;
    let size = if turned { (height, width) } else { (width, height) };
    let pixels = picture.data().as_chunks::<3>().0;
    let source = |x: usize, y: usize| {
        let (right, bottom) = (|x: usize| width - 1 - x, |y: usize| height - 1 - y);
        match orientation {
            2 => (right(x), y),
            3 => (right(x), bottom(y)),
            4 => (x, bottom(y)),
            5 => (y, x),
            6 => (y, bottom(x)),
            7 => (right(y), bottom(x)),
            _ => (right(y), x),
        }
    };
    let places = (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y)));
    let data = places.map(|(x, y)| source(x, y)).flat_map(|(x, y)| pixels[y * width + x]).collect();
    Rgb8::new(size.0, size.1, data).expect("turning keeps every pixel")
}

#[cfg(test)]
mod tests {
    use super::{Rgb8, divided, oriented, rgb_from_ink};

    #[test]
    fn alpha_is_divided_out_and_ink_darkens() {
        assert_eq!((divided([10, 200, 3], 100), divided([9; 3], 0)), ([25, 255, 7], [0; 3]));
        assert_eq!((rgb_from_ink([0, 255, 128], 0), rgb_from_ink([0; 3], 255)), ([255, 0, 127], [0; 3]));
    }

    #[test]
    fn orientations_move_the_first_pixel() {
        let picture = Rgb8::new(2, 1, vec![1, 1, 1, 2, 2, 2]).unwrap();
        let firsts = [2, 3, 4, 5, 6, 7, 8].map(|orientation| oriented(&picture, orientation).data()[0]);
        assert_eq!(firsts, [2, 2, 1, 1, 1, 2, 2]);
        assert_eq!(oriented(&picture, 6).height(), 2);
    }
}
