//! The pieces of a TIFF picture, strips or tiles: where they are, how they are packed, and the rows they make.

use weezl::{BitOrder, LzwStatus, decode::Decoder};

use super::super::decode::DecodeError;
use super::guard::guarded;
use super::inflate::Inflater;
use super::tiff_tags::{FORMAT, Tags};
use super::{malformed, unsupported};

/// How pieces are compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Code {
    None,
    Lzw,
    Deflate,
    PackBits,
}

/// Compression and predictor.
pub(super) struct Packing {
    code: Code,
    predicted: bool,
}

/// How a picture is cut into pieces.
pub(super) struct Grid {
    width: usize,
    height: usize,
    /// Size of a piece in pixels; of a strip, as wide as the picture.
    piece: (usize, usize),
    tiled: bool,
    /// Bits of a pixel of one plane.
    pixel_bits: usize,
    samples: usize,
    sample_bytes: usize,
    planes: usize,
    /// Bytes of a row of one plane.
    pub(super) row_bytes: usize,
}

impl Packing {
    pub(super) fn read(tags: &Tags<'_>) -> Result<Self, DecodeError> {
        let code = match tags.one(259, 1)? {
            1 => Code::None,
            5 => Code::Lzw,
            8 | 32_946 => Code::Deflate,
            32_773 => Code::PackBits,
            other => {
                let name = match other {
                    2..=4 | 32_771 => "CCITT fax compression",
                    6 | 7 => "JPEG inside",
                    34_887 | 34_888 => "LERC compression",
                    34_925 => "LZMA compression",
                    50_000 => "Zstandard compression",
                    50_001 => "WebP inside",
                    _ => return Err(unsupported(FORMAT, &format!("compression {other}"))),
                };
                return Err(unsupported(FORMAT, name));
            }
        };
        let predicted = match (tags.one(317, 1)?, code) {
            (1, _) => false,
            (2, Code::Lzw | Code::Deflate) => true,
            (other, _) => return Err(unsupported(FORMAT, &format!("predictor {other} here"))),
        };
        Ok(Self { code, predicted })
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.code != Code::None
    }

    pub(super) fn is_predicted(&self) -> bool {
        self.predicted
    }
}

impl Grid {
    /// For a picture of `(width, height)` with `samples` of `bits` bits a pixel in each of `planes` planes.
    pub(super) fn read(
        tags: &Tags<'_>,
        (width, height): (usize, usize),
        bits: usize,
        samples: usize,
        planes: usize,
    ) -> Result<Self, DecodeError> {
        let tiled = tags.has(322) || tags.has(324);
        let piece = if tiled {
            (tags.one(322, 0)?, tags.one(323, 0)?)
        } else {
            (width as u64, tags.one(278, height as u64)?.min(height as u64))
        };
        // A tile may reach beyond a small picture, but not by much.
        let fits = |side: u64, whole: usize| side > 0 && side <= (whole as u64).max(4096);
        if !fits(piece.0, width) || !fits(piece.1, height) {
            return Err(malformed(FORMAT, "its strips or tiles have no sensible size"));
        }
        let piece = (piece.0 as usize, piece.1 as usize);
        let pixel_bits = bits * samples;
        if tiled && planes > 1 {
            return Err(unsupported(FORMAT, "a tiled planar layout"));
        }
        if tiled && !(piece.0 * pixel_bits).is_multiple_of(8) {
            return Err(unsupported(FORMAT, "tiles that do not end at a byte"));
        }
        let row_bytes = (width * pixel_bits).div_ceil(8);
        let sample_bytes = bits.div_ceil(8);
        Ok(Self { width, height, piece, tiled, pixel_bits, samples, sample_bytes, planes, row_bytes })
    }

    fn pieces(&self) -> (usize, usize) {
        (self.width.div_ceil(self.piece.0), self.height.div_ceil(self.piece.1))
    }
}

/// The rows of every plane, one plane after the other.
pub(super) fn read_rows(
    bytes: &[u8],
    tags: &Tags<'_>,
    grid: &Grid,
    packing: &Packing,
) -> Result<Vec<u8>, DecodeError> {
    let (across, down) = grid.pieces();
    let (offsets, lengths) = if grid.tiled {
        (tags.values(324)?, tags.values(325)?)
    } else {
        (tags.values(273)?, tags.values(279)?)
    };
    let count = across * down * grid.planes;
    // Uncompressed, Pillow ignores the lengths.
    if offsets.len() != count || (packing.code != Code::None && lengths.len() != count) {
        return Err(malformed(FORMAT, "the number of its strips or tiles does not fit its size"));
    }
    let mut rows = vec![0; grid.row_bytes * grid.height * grid.planes];
    let piece_row = (grid.piece.0 * grid.pixel_bits).div_ceil(8);
    let mut piece = Vec::new();
    for (index, offset) in offsets.iter().enumerate() {
        let (column, row) = (index % across, index / across % down);
        let plane_start = index / (across * down) * grid.height;
        let top = row * grid.piece.1;
        let seen = grid.piece.1.min(grid.height - top);
        // The last strip is as short as the picture; a tile is always whole.
        let stored = if grid.tiled && packing.code != Code::None { grid.piece.1 } else { seen };
        let start = usize::try_from(*offset).ok().filter(|start| *start <= bytes.len());
        let start = start.ok_or(DecodeError::Truncated { format: FORMAT })?;
        let end = match packing.code {
            Code::None => bytes.len(),
            _ => start.saturating_add(usize::try_from(lengths[index]).unwrap_or(usize::MAX)).min(bytes.len()),
        };
        piece.clear();
        piece.resize(stored * piece_row, 0);
        unpack(&bytes[start..end], packing.code, &mut piece)?;
        if packing.predicted {
            piece.chunks_exact_mut(piece_row).for_each(|row| sum_up(row, grid, tags.big_endian));
        }
        let left = column * piece_row;
        let length = piece_row.min(grid.row_bytes - left);
        for (y, source) in piece.chunks_exact(piece_row).take(seen).enumerate() {
            let at = (plane_start + top + y) * grid.row_bytes + left;
            rows[at..at + length].copy_from_slice(&source[..length]);
        }
    }
    Ok(rows)
}

/// Fills `out` from a piece's data.
fn unpack(data: &[u8], code: Code, out: &mut [u8]) -> Result<(), DecodeError> {
    let filled = match code {
        Code::None => {
            let length = out.len().min(data.len());
            out[..length].copy_from_slice(&data[..length]);
            length
        }
        Code::Deflate => {
            let mut inflater = Inflater::new(FORMAT, data);
            let filled = inflater.fill(out)?;
            inflater.finish()?;
            filled
        }
        Code::Lzw => unpack_lzw(data, out)?,
        Code::PackBits => unpack_bits(data, out),
    };
    if filled < out.len() { Err(DecodeError::Truncated { format: FORMAT }) } else { Ok(()) }
}

fn unpack_lzw(data: &[u8], out: &mut [u8]) -> Result<usize, DecodeError> {
    if let [0, second, ..] = data
        && second % 2 == 1
    {
        return Err(unsupported(FORMAT, "the LZW code of before 1992"));
    }
    guarded(FORMAT, || {
        let mut decoder = Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
        let (mut read, mut filled) = (0, 0);
        while filled < out.len() {
            let step = decoder.decode_bytes(&data[read..], &mut out[filled..]);
            read += step.consumed_in;
            filled += step.consumed_out;
            match step.status {
                Ok(LzwStatus::Ok) if step.consumed_in + step.consumed_out > 0 => {}
                Ok(_) => break,
                Err(_) => return Err(malformed(FORMAT, "its compressed data are damaged")),
            }
        }
        Ok(filled)
    })
}

/// Runs and literals of bytes.
fn unpack_bits(mut data: &[u8], out: &mut [u8]) -> usize {
    let mut filled = 0;
    while let Some((&head, rest)) = data.split_first()
        && filled < out.len()
    {
        let room = out.len() - filled;
        match head {
            128 => data = rest,
            0..=127 => {
                let length = (usize::from(head) + 1).min(rest.len());
                let used = length.min(room);
                out[filled..filled + used].copy_from_slice(&rest[..used]);
                (filled, data) = (filled + used, &rest[length..]);
            }
            129.. => {
                let Some((&value, rest)) = rest.split_first() else { break };
                let length = (257 - usize::from(head)).min(room);
                out[filled..filled + length].fill(value);
                (filled, data) = (filled + length, rest);
            }
        }
    }
    filled
}

/// Undoes the predictor of differences from pixel to pixel, in a row of 8- or 16-bit samples.
fn sum_up(row: &mut [u8], grid: &Grid, big_endian: bool) {
    let step = grid.samples * grid.sample_bytes;
    if grid.sample_bytes == 1 {
        for i in step..row.len() {
            row[i] = row[i].wrapping_add(row[i - step]);
        }
        return;
    }
    let read = |pair: [u8; 2]| if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
    for i in (step..row.len().saturating_sub(1)).step_by(2) {
        let sum = read([row[i], row[i + 1]]).wrapping_add(read([row[i - step], row[i - step + 1]]));
        let pair = if big_endian { sum.to_be_bytes() } else { sum.to_le_bytes() };
        row[i..i + 2].copy_from_slice(&pair);
    }
}

#[cfg(test)]
mod tests {
    use super::unpack_bits;

    #[test]
    fn runs_and_literals_stop_where_the_piece_is_full() {
        let mut out = [0; 6];
        assert_eq!(unpack_bits(&[254, 7, 128, 1, 8, 9, 200, 5], &mut out), 6);
        assert_eq!(out, [7, 7, 7, 8, 9, 5]);
        assert_eq!(unpack_bits(&[3, 1, 2], &mut out), 2);
        assert_eq!(unpack_bits(&[254], &mut out), 0);
    }
}
