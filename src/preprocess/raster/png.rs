//! PNG: chunks up to and through the pixel data, as Pillow's `PngImagePlugin` reads them.
//!
//! Easy to get wrong: checksums count in front of the pixels and not in them; what comes behind the last row,
//! the end chunk included, does not matter; of an animation the first frame is read.

use super::super::Rgb8;
use super::super::decode::{DecodeError, MAX_PIXELS, check_size};
use super::inflate::LARGEST_RATIO;
use super::palette::Palette;
use super::png_rows::{FORMAT, Layout, rgb_rows};
use super::samples::big32;
use super::{malformed, unsupported};

/// One chunk: its name, where its data start, their stated length.
struct Chunk<'a> {
    name: &'a [u8],
    at: usize,
    length: usize,
}

/// Decodes a PNG.
///
/// # Errors
/// [`DecodeError`], also where the pixel data end before the picture does.
pub(super) fn decode(bytes: &[u8]) -> Result<Rgb8, DecodeError> {
    let (layout, pixels_at) = read_head(bytes)?;
    let data = pixel_data(bytes, pixels_at);
    let (width, height) = (layout.width as u64, layout.height as u64);
    let room = LARGEST_RATIO * data.len() as u64 + LARGEST_RATIO;
    if layout.raw_bytes() > room.max(1 << 22) {
        return Err(DecodeError::Implausible { format: FORMAT, width, height, bytes: bytes.len() });
    }
    let rgb = rgb_rows(&layout, &data)?;
    super::picture(FORMAT, (layout.width, layout.height), rgb)
}

/// Reads the chunks in front of the pixel data; also returns where the first chunk of those begins.
fn read_head(bytes: &[u8]) -> Result<(Layout, usize), DecodeError> {
    let mut layout: Option<Layout> = None;
    let mut palette = None;
    let mut at = 8;
    loop {
        let chunk = chunk(bytes, at)?;
        if chunk.name == b"IDAT" {
            let mut layout = layout.ok_or_else(|| malformed(FORMAT, "its header is missing"))?;
            layout.palette = palette.unwrap_or_else(Palette::black);
            return Ok((layout, at));
        }
        let data = bytes.get(chunk.at..chunk.at.saturating_add(chunk.length));
        let data = data.ok_or(DecodeError::Truncated { format: FORMAT })?;
        let end = chunk.at + chunk.length;
        let stated = big32(bytes, end).ok_or(DecodeError::Truncated { format: FORMAT })?;
        if crc(&bytes[at + 4..end]) != stated {
            let name = String::from_utf8_lossy(chunk.name);
            return Err(malformed(FORMAT, &format!("the checksum of its {name} chunk is wrong")));
        }
        match (chunk.name, &layout) {
            (b"IHDR", _) => layout = Some(header(data)?),
            (b"IEND" | b"fdAT", _) => return Err(malformed(FORMAT, "it holds no image")),
            (b"PLTE", Some(layout)) if layout.colour == 3 => palette = Some(read_palette(data)?),
            (b"fcTL", Some(layout)) if !covers(data, layout) => {
                return Err(unsupported(
                    FORMAT,
                    "an animation whose first frame is smaller than the picture",
                ));
            }
            _ => {}
        }
        at = end + 4;
    }
}

/// The chunk at `at`, whose data need not be there.
fn chunk(bytes: &[u8], at: usize) -> Result<Chunk<'_>, DecodeError> {
    let truncated = DecodeError::Truncated { format: FORMAT };
    let Some(length) = big32(bytes, at) else { return Err(truncated) };
    let Some(name) = bytes.get(at + 4..at + 8) else { return Err(truncated) };
    if !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        return Err(malformed(FORMAT, "a chunk has no proper name"));
    }
    Ok(Chunk { name, at: at + 8, length: length as usize })
}

fn header(data: &[u8]) -> Result<Layout, DecodeError> {
    let short = || malformed(FORMAT, "its header is too short");
    let (width, height) = (big32(data, 0).ok_or_else(short)?, big32(data, 4).ok_or_else(short)?);
    let &[depth, colour, _, filter, interlaced] =
        data.get(8..13).and_then(|d| d.first_chunk::<5>()).ok_or_else(short)?;
    let depths: &[u8] = match colour {
        0 => &[1, 2, 4, 8, 16],
        2 | 4 | 6 => &[8, 16],
        3 => &[1, 2, 4, 8],
        _ => &[],
    };
    if !depths.contains(&depth) || filter != 0 || width == 0 || height == 0 {
        return Err(malformed(FORMAT, &format!("its header states colour type {colour} at {depth} bits")));
    }
    check_size(u64::from(width), u64::from(height))?;
    debug_assert!(u64::from(width) <= MAX_PIXELS);
    Ok(Layout {
        width: width as usize,
        height: height as usize,
        depth: u32::from(depth),
        colour,
        interlaced: interlaced != 0,
        palette: Palette::black(),
    })
}

fn read_palette(data: &[u8]) -> Result<Palette, DecodeError> {
    let colours = data.as_chunks::<3>().0.iter().copied();
    Palette::new(colours).ok_or_else(|| malformed(FORMAT, "its palette has more than 256 colours"))
}

/// Whether an animation's frame is the whole picture.
fn covers(control: &[u8], layout: &Layout) -> bool {
    let number = |at| big32(control, at).map(|value| value as usize);
    [number(4), number(8), number(12), number(16)]
        == [Some(layout.width), Some(layout.height), Some(0), Some(0)]
}

/// The data of the pixel chunks that follow each other from `at` on, as far as the file has them.
fn pixel_data(bytes: &[u8], mut at: usize) -> Vec<u8> {
    let mut data = Vec::new();
    while let Ok(chunk) = chunk(bytes, at) {
        if chunk.name != b"IDAT" {
            break;
        }
        let end = chunk.at.saturating_add(chunk.length);
        data.extend_from_slice(&bytes[chunk.at..end.min(bytes.len())]);
        at = end.saturating_add(4);
    }
    data
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
