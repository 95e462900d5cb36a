//! WebP: the container here, the pictures by the `image-webp` crate.
//!
//! Easy to get wrong: of an animation Pillow shows the first frame on black, unblended, whatever the file's
//! background and blending say; alpha is dropped, so its chunk is not even read.

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use super::super::Rgb8;
use super::super::decode::{DecodeError, check_room, check_size};
use super::guard::guarded;
use super::samples::little;
use super::{malformed, picture};

/// The format's name in errors.
const FORMAT: &str = "WebP";

/// Most pixels that a byte can hold. A lossless picture of one colour takes none at all: beyond this it is refused.
const PIXELS_PER_BYTE: u64 = 4096;

/// Flag of the extended header: the file is an animation.
const ANIMATED: u8 = 2;

/// One chunk of the container.
struct Chunk<'a> {
    name: [u8; 4],
    data: &'a [u8],
}

/// Where a picture lies on its canvas.
struct Placed<'a> {
    chunk: Chunk<'a>,
    left: usize,
    top: usize,
    /// Stated size; unknown for a file without an extended header.
    size: Option<(usize, usize)>,
    canvas: Option<(usize, usize)>,
}

/// Decodes a still picture, or the first frame of an animation.
///
/// # Errors
/// [`DecodeError`], also where the file is shorter than it says.
pub(super) fn decode(bytes: &[u8]) -> Result<Rgb8, DecodeError> {
    let length = little::<4>(bytes, 4).ok_or(DecodeError::Truncated { format: FORMAT })? as usize;
    let body = bytes.get(12..length.saturating_add(8)).ok_or(DecodeError::Truncated { format: FORMAT })?;
    let placed = find_picture(body)?;
    let size = stated_size(&placed.chunk)?;
    let canvas = placed.canvas.unwrap_or(size);
    for (width, height) in [size, canvas] {
        check_size(width as u64, height as u64)?;
        check_room(FORMAT, (width as u64, height as u64), bytes.len(), PIXELS_PER_BYTE)?;
    }
    if placed.size.is_some_and(|stated| stated != size)
        || placed.left + size.0 > canvas.0
        || placed.top + size.1 > canvas.1
    {
        return Err(malformed(FORMAT, "its headers state different sizes"));
    }
    let frame = guarded(FORMAT, || still(&placed.chunk, size))?;
    if size == canvas {
        return picture(FORMAT, size, frame);
    }
    let mut out = vec![0; canvas.0 * canvas.1 * 3];
    for (line, row) in out.chunks_exact_mut(canvas.0 * 3).skip(placed.top).zip(frame.chunks_exact(size.0 * 3))
    {
        line[placed.left * 3..placed.left * 3 + row.len()].copy_from_slice(row);
    }
    picture(FORMAT, canvas, out)
}

/// The chunk at the start of `body`, and what follows it.
fn first_chunk(body: &[u8]) -> Option<(Chunk<'_>, &[u8])> {
    let name = *body.first_chunk::<4>()?;
    let length = little::<4>(body, 4)? as usize;
    let data = body.get(8..length.checked_add(8)?)?;
    Some((Chunk { name, data }, body.get(8 + length.next_multiple_of(2)..).unwrap_or(&[])))
}

/// The picture's chunk, where the container has it.
fn find_picture(body: &[u8]) -> Result<Placed<'_>, DecodeError> {
    let (head, mut rest) = first_chunk(body).ok_or(DecodeError::Truncated { format: FORMAT })?;
    if &head.name != b"VP8X" {
        if !is_picture(&head.name) {
            return Err(malformed(FORMAT, "it begins with no picture"));
        }
        return Ok(Placed { chunk: head, left: 0, top: 0, size: None, canvas: None });
    }
    let side = |at| little::<3>(head.data, at).map(|side| side as usize + 1);
    let canvas = side(4).zip(side(7)).ok_or_else(|| malformed(FORMAT, "its header is too short"))?;
    let animated = head.data[0] & ANIMATED != 0;
    while let Some((chunk, behind)) = first_chunk(rest) {
        rest = behind;
        if !animated && is_picture(&chunk.name) {
            return Ok(Placed { chunk, left: 0, top: 0, size: Some(canvas), canvas: Some(canvas) });
        }
        if animated && &chunk.name == b"ANMF" {
            return first_frame(&chunk, canvas);
        }
    }
    Err(DecodeError::Truncated { format: FORMAT })
}

fn first_frame<'a>(frame: &Chunk<'a>, canvas: (usize, usize)) -> Result<Placed<'a>, DecodeError> {
    let short = || malformed(FORMAT, "its first frame is cut off");
    let number = |at| little::<3>(frame.data, at).map(|value| value as usize).ok_or_else(short);
    let (left, top) = (number(0)? * 2, number(3)? * 2);
    let size = (number(6)? + 1, number(9)? + 1);
    let mut rest = frame.data.get(16..).ok_or_else(short)?;
    while let Some((chunk, behind)) = first_chunk(rest) {
        if is_picture(&chunk.name) {
            return Ok(Placed { chunk, left, top, size: Some(size), canvas: Some(canvas) });
        }
        rest = behind;
    }
    Err(short())
}

fn is_picture(name: &[u8; 4]) -> bool {
    name == b"VP8 " || name == b"VP8L"
}

/// The size that a picture's own data state.
fn stated_size(chunk: &Chunk<'_>) -> Result<(usize, usize), DecodeError> {
    let stated = if &chunk.name == b"VP8L" {
        let bits = little::<4>(chunk.data, 1).filter(|_| chunk.data[0] == 0x2f);
        bits.map(|bits| (bits & 0x3fff, bits >> 14 & 0x3fff)).map(|(w, h)| (w as usize + 1, h as usize + 1))
    } else {
        let side = |at| little::<2>(chunk.data, at).map(|side| side as usize & 0x3fff);
        side(6).zip(side(8)).filter(|_| chunk.data[3..6] == [0x9d, 0x01, 0x2a])
    };
    stated.filter(|&(w, h)| w > 0 && h > 0).ok_or_else(|| malformed(FORMAT, "its picture header is damaged"))
}

/// Decodes one picture, in a container of its own. Alpha of a lossless one is dropped.
fn still(chunk: &Chunk<'_>, size: (usize, usize)) -> Result<Vec<u8>, DecodeError> {
    let length = chunk.data.len();
    let padded = length.next_multiple_of(2);
    let mut file = Vec::with_capacity(padded + 20);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&((padded + 12) as u32).to_le_bytes());
    file.extend_from_slice(b"WEBP");
    file.extend_from_slice(&chunk.name);
    file.extend_from_slice(&(length as u32).to_le_bytes());
    file.extend_from_slice(chunk.data);
    file.resize(padded + 20, 0);
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|e| damage(&e))?;
    let pixels = size.0 * size.1;
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let mut data = vec![0; pixels * channels];
    if decoder.output_buffer_size() != Some(data.len()) {
        return Err(malformed(FORMAT, "its headers state different sizes"));
    }
    decoder.read_image(&mut data).map_err(|e| damage(&e))?;
    if channels == 4 {
        data = data.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
    }
    Ok(data)
}

/// The crate's own words are about its code; what matters is whether data are missing.
fn damage(error: &DecodingError) -> DecodeError {
    match error {
        DecodingError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            DecodeError::Truncated { format: FORMAT }
        }
        DecodingError::BitStreamError => malformed(FORMAT, "its data end early or are damaged"),
        _ => malformed(FORMAT, "its data are damaged"),
    }
}
