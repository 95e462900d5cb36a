//! One scan: which components and bands it holds, and the walk over its MCUs and restart markers.
//!
//! Blocks of a scan that holds everything are transformed as they come; others are kept until the file's end. Damage is forgiven as libjpeg does: missing data leaves blocks grey.

use super::super::decode::DecodeError;
use super::bits::BitReader;
use super::frame::{Component, Frame, Plane};
use super::huffman::{HuffmanSpec, HuffmanTable};
use super::idct::inverse_dct;
use super::marker::{FIRST_RESTART, LAST_RESTART, NATURAL_ORDER, Tables, malformed, next_marker, truncated};
use super::progressive::Band;

/// Blocks that an MCU may hold (`D_MAX_BLOCKS_IN_MCU`).
const MAX_MCU_BLOCKS: usize = 10;

/// What decoding fills in for one component.
pub(super) struct Target {
    pub(super) plane: Plane,
    /// Row-major blocks, row by row; only where several scans add to them.
    pub(super) coefficients: Vec<[i16; 64]>,
    /// The table in force when the component's first scan began.
    pub(super) quantisation: Option<[u16; 64]>,
    /// By zigzag position, how many low bits a progressive file still owes; -1 where nothing came yet.
    pub(super) known: [i8; 64],
}

/// Which components a scan holds and with which tables.
pub(super) struct Layout {
    /// Position of each component in the frame, and its DC and AC slots.
    parts: Vec<(usize, usize, usize)>,
    band: Band,
}

/// One component of a scan, with its tables.
struct Part<'a> {
    index: usize,
    component: &'a Component,
    dc: Option<HuffmanTable>,
    ac: Option<HuffmanTable>,
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
    /// Whether data ran out before the last restart marker that was found.
    starved: bool,
}

impl Layout {
    /// Reads a scan header's payload. Components are named by their id; of several with one id, the first that
    /// the scan has not named. (`get_sos` of libjpeg, which compares with the place in the scan: components out
    /// of the frame's order are refused.)
    pub(super) fn read(header: &[u8], frame: &Frame) -> Result<Self, DecodeError> {
        let bad = || malformed("a scan header is inconsistent");
        let (&count, rest) = header.split_first().ok_or_else(bad)?;
        let (selectors, rest) = rest.split_at_checked(usize::from(count) * 2).ok_or_else(bad)?;
        let &[first, last, bits] = <&[u8; 3]>::try_from(rest).ok().ok_or_else(bad)?;
        let mut parts = Vec::new();
        for &[id, slots] in selectors.as_chunks::<2>().0 {
            let mut candidates = frame.components.iter().enumerate();
            let named = candidates.find(|(index, component)| component.id == id && *index >= parts.len());
            let (index, _) = named.ok_or_else(bad)?;
            if parts.iter().any(|&(earlier, _, _)| earlier == index) {
                return Err(bad());
            }
            parts.push((index, usize::from(slots >> 4), usize::from(slots & 15)));
        }
        let sampling = |&(index, _, _): &(usize, usize, usize)| frame.components[index].sampling;
        let blocks: usize = parts.iter().map(sampling).map(|(h, v)| h * v).sum();
        if parts.is_empty() || (parts.len() > 1 && blocks > MAX_MCU_BLOCKS) {
            return Err(bad());
        }
        let band = Band {
            first: usize::from(first),
            last: usize::from(last),
            known_bits: bits >> 4,
            shift: bits & 15,
        };
        if frame.progressive && !band.is_valid(parts.len()) {
            return Err(bad());
        }
        Ok(Self { parts, band })
    }

    /// Number of components.
    pub(super) fn components(&self) -> usize {
        self.parts.len()
    }

    /// The parts with their tables built. Sequential scans need both tables of every component, progressive ones
    /// those of their band, and none for a refinement of DC.
    fn with_tables<'a>(&self, frame: &'a Frame, tables: &Tables) -> Result<Vec<Part<'a>>, DecodeError> {
        let sequential = !frame.progressive;
        let needs_dc = sequential || (self.band.first == 0 && self.band.known_bits == 0);
        let needs_ac = sequential || self.band.first > 0;
        let part = |&(index, dc, ac): &(usize, usize, usize)| {
            let dc = needs_dc.then(|| build(&tables.dc, dc)).transpose()?;
            if dc.as_ref().is_some_and(|table| !table.fits_dc()) {
                return Err(malformed("a Huffman table for DC holds other symbols"));
            }
            let ac = needs_ac.then(|| build(&tables.ac, ac)).transpose()?;
            let ac = if sequential { ac.map(HuffmanTable::with_steps) } else { ac };
            Ok(Part { index, component: &frame.components[index], dc, ac, prediction: 0 })
        };
        self.parts.iter().map(part).collect()
    }
}

fn build(slots: &[Option<HuffmanSpec>; 4], slot: usize) -> Result<HuffmanTable, DecodeError> {
    let spec = slots.get(slot).and_then(Option::as_ref).ok_or_else(no_table)?;
    HuffmanTable::new(spec.counts, &spec.symbols).map_err(|reason| malformed(&reason))
}

/// Decodes the scan whose data start at `at`; returns where to look for the next marker.
pub(super) fn decode_scan(
    data: &[u8],
    at: usize,
    layout: Layout,
    frame: &Frame,
    tables: &Tables,
    targets: &mut [Target],
) -> Result<usize, DecodeError> {
    let parts = layout.with_tables(frame, tables)?;
    for part in &parts {
        let slot = tables.quantisation.get(part.component.quantisation_slot).copied().flatten();
        let target = &mut targets[part.index];
        target.quantisation = target.quantisation.or(slot);
        if target.quantisation.is_none() {
            return Err(malformed("a scan uses a quantisation table that the file lacks"));
        }
        if frame.progressive {
            target.known[layout.band.first..=layout.band.last].fill(layout.band.shift as i8);
        }
    }
    let (band, progressive) = (layout.band, frame.progressive);
    let bits = BitReader::new(data, at);
    let mut scan = Scan { parts, band, progressive, bits, end_of_band_run: 0, starved: false };
    let (across, down) = match scan.parts.as_slice() {
        [only] => only.component.own_blocks,
        _ => frame.mcus,
    };
    let mut next_restart = FIRST_RESTART;
    for mcu in 0..across * down {
        if tables.restart_interval > 0 && mcu > 0 && mcu % tables.restart_interval == 0 {
            scan.restart(data, next_restart)?;
            next_restart = FIRST_RESTART + (next_restart - FIRST_RESTART + 1) % 8;
        }
        if !scan.is_starved() {
            scan.decode_mcu(mcu % across, mcu / across, targets)?;
        }
    }
    Ok(scan.bits.position())
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
                let position = place.1 * part.component.blocks.0 + place.0;
                match target.coefficients.get_mut(position) {
                    Some(block) if self.progressive => {
                        progressive_block(self.band, part, &mut self.bits, &mut self.end_of_band_run, block)?;
                    }
                    Some(block) => sequential_block(part, &mut self.bits, block)?,
                    None => {
                        let mut block = [0; 64];
                        sequential_block(part, &mut self.bits, &mut block)?;
                        let quantisation = target.quantisation.as_ref().ok_or_else(no_table)?;
                        target.plane.set_block(place, &inverse_dct(&block, quantisation));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether data ran out; what follows stays as it is, up to a restart marker.
    fn is_starved(&self) -> bool {
        self.starved || self.bits.is_starved()
    }

    /// Passes the restart marker `expected`, as libjpeg's `jpeg_resync_to_restart` does: an earlier or
    /// later one means that data were lost or doubled. Where it stays in front of a marker, the bits at hand are
    /// dropped and the segment is empty: its first MCU is made of zero bits, the rest stays as it is.
    fn restart(&mut self, data: &[u8], expected: u8) -> Result<(), DecodeError> {
        let near = |offset: u8| FIRST_RESTART + (expected - FIRST_RESTART + offset) % 8;
        let mut at = self.bits.position();
        let (resume, found) = loop {
            let (marker, end) = next_marker(data, at).ok_or_else(truncated)?;
            let is_restart = (FIRST_RESTART..=LAST_RESTART).contains(&marker);
            if marker == expected {
                break (end, true);
            } else if marker < 0xc0 || marker == near(7) || marker == near(6) {
                at = end;
            } else if !is_restart || marker == near(1) || marker == near(2) {
                break (end - 2, false);
            } else {
                break (end, true);
            }
        };
        self.end_of_band_run = 0;
        for part in &mut self.parts {
            part.prediction = 0;
        }
        self.starved = !found && self.is_starved();
        self.bits.restart(resume);
        Ok(())
    }
}

fn no_table() -> DecodeError {
    malformed("a scan uses a table that the file lacks")
}

impl Part<'_> {
    /// Reads a DC difference and returns the new DC value.
    fn next_dc(&mut self, bits: &mut BitReader<'_>) -> Result<i32, DecodeError> {
        let table = self.dc.as_ref().ok_or_else(no_table)?;
        let size = u32::from(table.decode(bits));
        self.prediction = self.prediction.wrapping_add(bits.take_signed(size));
        Ok(self.prediction)
    }
}

/// One whole block of a sequential scan (`jdhuff.c`). Coefficients that it does not name stay.
fn sequential_block(
    part: &mut Part<'_>,
    bits: &mut BitReader<'_>,
    block: &mut [i16; 64],
) -> Result<(), DecodeError> {
    block[0] = part.next_dc(bits)? as i16;
    let table = part.ac.as_ref().ok_or_else(no_table)?;
    let mut k = 1;
    while k < 64 {
        if let Some(step) = table.step(bits) {
            k += step.run;
            block[usize::from(NATURAL_ORDER[k])] = step.value;
            k += 1;
            continue;
        }
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
    Ok(())
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
        (_, 0) => band.first_ac(bits, part.ac.as_ref().ok_or_else(no_table)?, end_of_band_run, block),
        _ => band.refine_ac(bits, part.ac.as_ref().ok_or_else(no_table)?, end_of_band_run, block),
    }
    Ok(())
}
