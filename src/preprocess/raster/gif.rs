//! GIF: the first frame on its screen, as Pillow's `GifImagePlugin` reads it.
//!
//! Easy to get wrong: around a smaller frame Pillow shows the transparent index's colour, or index 0's, never
//! the background's; a frame that reaches beyond the screen enlarges it.

use super::super::Rgb8;
use super::super::decode::{DecodeError, check_room, check_size};
use super::gif_lzw::{Canvas, FORMAT, fill_frame};
use super::palette::Palette;
use super::samples::little;
use super::{malformed, picture};

/// Most pixels that a byte can hold: codes of 12 bits, each of at most 4 096 pixels.
const PIXELS_PER_BYTE: u64 = 4096;

/// Reads a file's blocks in order.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// What stands in front of the first frame's data.
struct Frame {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    interlaced: bool,
    /// Its own palette, if it has one.
    palette: Option<Palette>,
    transparent: Option<u8>,
    code_bits: u32,
}

/// Decodes the first frame.
///
/// # Errors
/// [`DecodeError`], also where the frame's data end before its pixels do.
pub(super) fn decode(bytes: &[u8]) -> Result<Rgb8, DecodeError> {
    let mut reader = Reader { bytes, at: 6 };
    let screen = reader.take(7)?;
    let side = |at| little::<2>(screen, at).unwrap_or(0) as usize;
    let (width, height) = (side(0), side(2));
    let global = if screen[4] & 0x80 != 0 { Some(reader.palette(screen[4])?) } else { None };
    let frame = reader.first_frame()?;
    let size = (width.max(frame.left + frame.width), height.max(frame.top + frame.height));
    if frame.width == 0 || frame.height == 0 {
        return Err(malformed(FORMAT, "its first frame has no pixels"));
    }
    check_size(size.0 as u64, size.1 as u64)?;
    check_room(FORMAT, (size.0 as u64, size.1 as u64), bytes.len(), PIXELS_PER_BYTE)?;
    let background = frame.transparent.unwrap_or(0);
    let mut indices = vec![background; size.0 * size.1];
    let canvas = Canvas {
        indices: &mut indices,
        stride: size.0,
        left: frame.left,
        top: frame.top,
        width: frame.width,
        height: frame.height,
    };
    fill_frame(&bytes[reader.at..], frame.code_bits, frame.interlaced, canvas)?;
    let palette = frame.palette.or(global).unwrap_or_else(Palette::grey);
    picture(FORMAT, size, palette.rgb(&indices))
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.saturating_add(count);
        let taken = self.bytes.get(self.at..end).ok_or(DecodeError::Truncated { format: FORMAT })?;
        self.at = end;
        Ok(taken)
    }

    /// A palette whose size the flags of its header state.
    fn palette(&mut self, flags: u8) -> Result<Palette, DecodeError> {
        let colours = self.take(3 << ((flags & 7) + 1))?.as_chunks::<3>().0.iter().copied();
        Palette::new(colours).ok_or_else(|| malformed(FORMAT, "its palette is too long"))
    }

    /// A data block; `None` for the empty one that ends a row of them. At the file's end what is left.
    fn block(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(*self.bytes.get(self.at)?);
        self.at += 1;
        let end = (self.at + length).min(self.bytes.len());
        let block = &self.bytes[self.at..end];
        self.at = end;
        (!block.is_empty()).then_some(block)
    }

    /// Passes extensions and bytes that mean nothing, up to the first frame.
    fn first_frame(&mut self) -> Result<Frame, DecodeError> {
        let mut transparent = None;
        loop {
            match self.take(1)?[0] {
                b';' => return Err(malformed(FORMAT, "it holds no image")),
                b'!' => self.extension(&mut transparent)?,
                b',' => return self.frame(transparent),
                _ => {}
            }
        }
    }

    /// One extension. Like Pillow it reads on behind an empty first block, except of a comment.
    fn extension(&mut self, transparent: &mut Option<u8>) -> Result<(), DecodeError> {
        let label = self.take(1)?[0];
        let mut block = self.block();
        match (label, block) {
            (0xf9, Some(control)) => {
                let &[flags, _, _, index, ..] = control else {
                    return Err(malformed(FORMAT, "its graphic control block is too short"));
                };
                if flags & 1 != 0 {
                    *transparent = Some(index);
                }
            }
            (0xfe, _) => {
                while block.is_some() {
                    block = self.block();
                }
                return Ok(());
            }
            (0xff, Some(name)) if name.starts_with(b"NETSCAPE2.0") => {
                self.block();
            }
            _ => {}
        }
        while self.block().is_some() {}
        Ok(())
    }

    fn frame(&mut self, transparent: Option<u8>) -> Result<Frame, DecodeError> {
        let header = self.take(9)?;
        let number = |at| little::<2>(header, at).unwrap_or(0) as usize;
        let flags = header[8];
        let palette = if flags & 0x80 != 0 { Some(self.palette(flags)?) } else { None };
        let code_bits = u32::from(self.take(1)?[0]);
        Ok(Frame {
            left: number(0),
            top: number(2),
            width: number(4),
            height: number(6),
            interlaced: flags & 0x40 != 0,
            palette,
            transparent,
            code_bits,
        })
    }
}
