//! One scan: which components and bands it holds, and the walk over its MCUs and restart markers.
//!
//! Blocks of a sequential scan are transformed as they come; those of a progressive one are kept until
//! the file's end. Damage is forgiven as libjpeg does: missing data leaves blocks grey.

use super::super::decode::DecodeError;
use super::bits::BitReader;
use super::frame::{Component, Frame, Plane};
use super::huffman::HuffmanTable;
use super::idct::inverse_dct;
use super::marker::{FIRST_RESTART, LAST_RESTART, NATURAL_ORDER, Tables, malformed, next_marker};
use super::progressive::Band;

/// Blocks that an MCU may hold (`D_MAX_BLOCKS_IN_MCU`).
const MAX_MCU_BLOCKS: usize = 10;

/// What decoding fills in for one component.
pub(super) struct Target {
    pub(super) plane: Plane,
    /// Row-major blocks, row by row; only for progressive files.
    pub(super) coefficients: Vec<[i16; 64]>,
    /// The table in force when the component's first scan began.
    pub(super) quantisation: Option<[u16; 64]>,
}

/// One component of a scan, with its tables.
struct Part<'a> {
    index: usize,
    component: &'a Component,
    dc: Option<&'a HuffmanTable>,
    ac: Option<&'a HuffmanTable>,
    /// The last DC value.
    prediction: i32,
}

/// A scan under way.
struct Scan<'a> {
    parts: Vec<Part<'a>>,
    band: Band,
    progressive: bool,
    bits: BitReader<'a>,
    end_of_band_run: u32,
}

/// Decodes the scan whose header is `header` and whose data starts at `at`; returns where to look for the
/// next marker.
pub(super) fn decode_scan(
    data: &[u8],
    at: usize,
    header: &[u8],
    frame: &Frame,
    tables: &Tables,
    targets: &mut [Target],
) -> Result<usize, DecodeError> {
    let (parts, band) = read_header(header, frame, tables)?;
    for part in &parts {
        let slot = tables.quantisation[part.component.quantisation_slot];
        let target = &mut targets[part.index];
        target.quantisation = target.quantisation.or(slot);
        if target.quantisation.is_none() {
            return Err(malformed("a scan uses a quantisation table that the file lacks"));
        }
    }
    let bits = BitReader::new(data, at);
    let mut scan = Scan { parts, band, progressive: frame.progressive, bits, end_of_band_run: 0 };
    let (across, down) = match scan.parts.as_slice() {
        [only] => only.component.own_blocks,
        _ => frame.mcus,
    };
    let mut next_restart = FIRST_RESTART;
    for mcu in 0..across * down {
        if tables.restart_interval > 0 && mcu > 0 && mcu % tables.restart_interval == 0 {
            scan.restart(data, next_restart);
            next_restart = FIRST_RESTART + (next_restart - FIRST_RESTART + 1) % 8;
        }
        if !scan.bits.is_starved() {
            scan.decode_mcu(mcu % across, mcu / across, targets)?;
        }
    }
    Ok(scan.bits.position())
}

fn read_header<'a>(
    header: &[u8],
    frame: &'a Frame,
    tables: &'a Tables,
) -> Result<(Vec<Part<'a>>, Band), DecodeError> {
    let bad = || malformed("a scan header is inconsistent");
    let (&count, rest) = header.split_first().ok_or_else(bad)?;
    let (selectors, rest) = rest.split_at_checked(usize::from(count) * 2).ok_or_else(bad)?;
    let &[first, last, bits] = rest.first_chunk::<3>().ok_or_else(bad)?;
    let mut parts: Vec<Part<'a>> = Vec::new();
    for &[id, slots] in selectors.as_chunks::<2>().0 {
        let index = frame.components.iter().position(|component| component.id == id).ok_or_else(bad)?;
        let repeated = parts.iter().any(|part| part.index == index);
        let (dc, ac) = (usize::from(slots >> 4), usize::from(slots & 15));
        if repeated || dc > 3 || ac > 3 {
            return Err(bad());
        }
        let (dc, ac) = (tables.dc[dc].as_ref(), tables.ac[ac].as_ref());
        parts.push(Part { index, component: &frame.components[index], dc, ac, prediction: 0 });
    }
    let blocks: usize = parts.iter().map(|p| p.component.sampling.0 * p.component.sampling.1).sum();
    if parts.is_empty() || (parts.len() > 1 && blocks > MAX_MCU_BLOCKS) {
        return Err(bad());
    }
    let band =
        Band { first: usize::from(first), last: usize::from(last), known_bits: bits >> 4, shift: bits & 15 };
    if frame.progressive && !band.is_valid(parts.len()) {
        return Err(bad());
    }
    Ok((parts, band))
}

impl Scan<'_> {
    /// Decodes the MCU at column `x` and row `y` of the scan's grid.
    fn decode_mcu(&mut self, x: usize, y: usize, targets: &mut [Target]) -> Result<(), DecodeError> {
        let interleaved = self.parts.len() > 1;
        for part in &mut self.parts {
            let (h, v) = if interleaved { part.component.sampling } else { (1, 1) };
            let target = &mut targets[part.index];
            for block in 0..h * v {
                let place = (x * h + block % h, y * v + block / h);
                if self.progressive {
                    let position = place.1 * part.component.blocks.0 + place.0;
                    let block = &mut target.coefficients[position];
                    progressive_block(self.band, part, &mut self.bits, &mut self.end_of_band_run, block)?;
                } else {
                    let block = sequential_block(part, &mut self.bits)?;
                    let quantisation = target.quantisation.as_ref().ok_or_else(no_table)?;
                    target.plane.set_block(place, &inverse_dct(&block, quantisation));
                }
            }
        }
        Ok(())
    }

    /// Passes the restart marker `expected`, as libjpeg's `jpeg_resync_to_restart` does: an earlier or
    /// later one means that data were lost or doubled.
    fn restart(&mut self, data: &[u8], expected: u8) {
        let near = |offset: u8| FIRST_RESTART + (expected - FIRST_RESTART + offset) % 8;
        let mut at = self.bits.position();
        let resume = loop {
            let Some((marker, end)) = next_marker(data, at) else { break None };
            let is_restart = (FIRST_RESTART..=LAST_RESTART).contains(&marker);
            if marker == expected {
                break Some(end);
            } else if marker < 0xc0 || marker == near(7) || marker == near(6) {
                at = end;
            } else if !is_restart || marker == near(1) || marker == near(2) {
                break None;
            } else {
                break Some(end);
            }
        };
        self.end_of_band_run = 0;
        for part in &mut self.parts {
            part.prediction = 0;
        }
        if let Some(end) = resume {
            self.bits.restart(end);
        }
    }
}

fn no_table() -> DecodeError {
    malformed("a scan uses a table that the file lacks")
}

impl Part<'_> {
    /// Reads a DC difference and returns the new DC value.
    fn next_dc(&mut self, bits: &mut BitReader<'_>) -> Result<i32, DecodeError> {
        let table = self.dc.filter(|table| table.fits_dc()).ok_or_else(no_table)?;
        let size = u32::from(table.decode(bits));
        self.prediction = self.prediction.wrapping_add(bits.take_signed(size));
        Ok(self.prediction)
    }
}

/// One whole block of a sequential scan (`jdhuff.c`).
fn sequential_block(part: &mut Part<'_>, bits: &mut BitReader<'_>) -> Result<[i16; 64], DecodeError> {
    let mut block = [0i16; 64];
    block[0] = part.next_dc(bits)? as i16;
    let table = part.ac.ok_or_else(no_table)?;
    let mut k = 1;
    while k < 64 {
        let symbol = table.decode(bits);
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        if size > 0 {
            k += run;
            block[usize::from(NATURAL_ORDER[k])] = bits.take_signed(size) as i16;
        } else if run == 15 {
            k += 15;
        } else {
            break;
        }
        k += 1;
    }
    Ok(block)
}

fn progressive_block(
    band: Band,
    part: &mut Part<'_>,
    bits: &mut BitReader<'_>,
    end_of_band_run: &mut u32,
    block: &mut [i16; 64],
) -> Result<(), DecodeError> {
    match (band.first, band.known_bits) {
        (0, 0) => block[0] = (part.next_dc(bits)? << band.shift) as i16,
        (0, _) => block[0] |= (bits.take(1) << band.shift) as i16,
        (_, 0) => band.first_ac(bits, part.ac.ok_or_else(no_table)?, end_of_band_run, block),
        _ => band.refine_ac(bits, part.ac.ok_or_else(no_table)?, end_of_band_run, block),
    }
    Ok(())
}
