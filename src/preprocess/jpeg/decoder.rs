//! The walk over a JPEG file's markers, and the assembly of its components.
//!
//! Easy to get wrong: a file whose first scan holds every component is finished with that scan, as libjpeg reads
//! it, so its end marker may be missing; of any other file all scans up to the end marker belong to it.

use super::super::Rgb8;
use super::super::decode::{DecodeError, check_room, check_size};
use super::color::ColorModel;
use super::frame::{Frame, Plane, read_frame};
use super::idct::inverse_dct;
use super::marker::{
    END_OF_IMAGE, FIRST_RESTART, LAST_RESTART, START_OF_SCAN, Tables, malformed, next_marker, segment,
    truncated, unsupported,
};
use super::scan::{Layout, Target, decode_scan};
use super::upsample::Upsampler;

/// Most scans of a file. Encoders write about ten; each costs a walk over the whole image.
const MAX_SCANS: usize = 500;

/// Most pixels that a byte can hold: a block of 64 takes at least a bit, and three quarters of a picture may be
/// missing.
const PIXELS_PER_BYTE: u64 = 64 * 8 * 4;

/// What the markers before a scan, or before the end, have said.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    tables: Tables,
    frame: Option<Frame>,
}

/// Where a walk stops.
enum Stop<'a> {
    /// At a scan with this header; its data follow.
    Scan(&'a [u8]),
    End,
}

/// Decodes a JPEG to RGB: grey is repeated; YCbCr, CMYK and YCCK are converted as Pillow does.
///
/// # Errors
/// [`DecodeError`]: also for arithmetic, lossless and 12-bit files, where the data end before the picture, and for
/// progressive files that lack scans (libjpeg would guess what is missing).
pub(in super::super) fn decode(bytes: &[u8]) -> Result<Rgb8, DecodeError> {
    let mut walk = Walk { bytes, at: 2, tables: Tables::default(), frame: None };
    let Stop::Scan(mut header) = walk.next_stop()? else { return Err(malformed("it holds no image")) };
    let frame = walk.frame.take().ok_or_else(|| malformed("a scan comes before the frame header"))?;
    let layout = Layout::read(header, &frame)?;
    let kept = frame.progressive || layout.components() < frame.components.len();
    if !frame.progressive {
        walk.tables.add_standard_huffman();
    }
    let mut targets = targets(&frame, kept);
    if !kept {
        walk.at = decode_scan(bytes, walk.at, layout, &frame, &walk.tables, &mut targets)?;
        next_marker(bytes, walk.at).ok_or_else(truncated)?;
        match walk.next_stop() {
            Ok(Stop::End) | Err(DecodeError::Truncated { .. }) => {}
            Ok(Stop::Scan(_)) => return Err(malformed("a scan follows the one that held everything")),
            Err(error) => return Err(error),
        }
    } else {
        for _ in 0..MAX_SCANS {
            let layout = Layout::read(header, &frame)?;
            walk.at = decode_scan(bytes, walk.at, layout, &frame, &walk.tables, &mut targets)?;
            match walk.next_stop()? {
                Stop::Scan(next) => header = next,
                Stop::End => return assemble(&frame, targets, &walk.tables),
            }
        }
        return Err(malformed("it has more than 500 scans"));
    }
    assemble(&frame, targets, &walk.tables)
}

impl<'a> Walk<'a> {
    /// Reads segments up to the next scan or the end marker.
    fn next_stop(&mut self) -> Result<Stop<'a>, DecodeError> {
        loop {
            let (marker, end) = next_marker(self.bytes, self.at).ok_or_else(truncated)?;
            self.at = end;
            match marker {
                END_OF_IMAGE => return Ok(Stop::End),
                FIRST_RESTART..=LAST_RESTART => continue,
                0x01..=0xbf | 0xc8 | 0xde | 0xdf | 0xf0..=0xfd => {
                    return Err(malformed(&format!("it has a reserved marker (ff {marker:02x})")));
                }
                0xd8 => return Err(malformed("a second image begins inside it")),
                0xc9 | 0xca | 0xcc => return Err(unsupported("arithmetic coding")),
                0xc3 | 0xcb => return Err(unsupported("lossless JPEG")),
                0xc5..=0xc7 | 0xcd..=0xcf => return Err(unsupported("hierarchical JPEG")),
                _ => {}
            }
            let found = segment(self.bytes, self.at);
            if found.is_err() && !matches!(marker, 0xdc | 0xe0..=0xef | 0xfe) {
                return Err(malformed("a table is cut off"));
            }
            let (payload, end) = found?;
            self.at = end;
            match marker {
                START_OF_SCAN => return Ok(Stop::Scan(payload)),
                0xc0..=0xc2 => self.take_frame(payload, marker == 0xc2)?,
                other => self.tables.read(other, payload)?,
            }
        }
    }

    fn take_frame(&mut self, payload: &[u8], progressive: bool) -> Result<(), DecodeError> {
        if self.frame.is_some() {
            return Err(malformed("it has two frame headers"));
        }
        let frame = read_frame(payload, progressive)?;
        let (width, height) = (frame.width as u64, frame.height as u64);
        check_size(width, height)?;
        check_room("JPEG", (width, height), self.bytes.len(), PIXELS_PER_BYTE)?;
        self.frame = Some(frame);
        Ok(())
    }
}

/// Grey planes, and room for coefficients where several scans add to them.
fn targets(frame: &Frame, kept: bool) -> Vec<Target> {
    let target = |component| {
        let plane = Plane::grey(component);
        let blocks = if kept { plane.samples.len() / 64 } else { 0 };
        Target { plane, coefficients: vec![[0; 64]; blocks], quantisation: None, known: [-1; 64] }
    };
    frame.components.iter().map(target).collect()
}

/// Transforms what several scans built up, then upsamples and converts row by row.
fn assemble(frame: &Frame, mut targets: Vec<Target>, tables: &Tables) -> Result<Rgb8, DecodeError> {
    let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
    let model = ColorModel::guess(&ids, tables.has_jfif, tables.adobe_transform)
        .ok_or_else(|| unsupported(&format!("{}-component", ids.len())))?;
    if frame.progressive && libjpeg_would_guess(&targets) {
        return Err(malformed("scans of a progressive file are missing (cut short?)"));
    }
    for (component, target) in frame.components.iter().zip(&mut targets) {
        let Some(quantisation) = target.quantisation else { continue };
        for (position, block) in target.coefficients.iter().enumerate() {
            let place = (position % component.blocks.0, position / component.blocks.0);
            target.plane.set_block(place, &inverse_dct(block, &quantisation));
        }
    }
    let mut upsamplers: Vec<Upsampler<'_>> = frame
        .components
        .iter()
        .zip(&targets)
        .map(|(component, target)| Upsampler::new(component, &target.plane))
        .collect();
    let mut data = vec![0; frame.width * frame.height * 3];
    for (y, out) in data.chunks_exact_mut(frame.width * 3).enumerate() {
        let rows: Vec<&[u8]> = upsamplers.iter_mut().map(|upsampler| upsampler.row(y)).collect();
        model.write_rgb(&rows, out);
    }
    Rgb8::new(frame.width, frame.height, data).ok_or_else(|| malformed("it has no pixels"))
}

/// libjpeg's `smoothing_ok`: every component has a quantisation table without zeros and some DC, and one of the
/// first nine AC coefficients is not yet exact. Then it fills in what neighbouring blocks suggest.
fn libjpeg_would_guess(targets: &[Target]) -> bool {
    const FIRST_TEN: [usize; 10] = [0, 1, 8, 16, 9, 2, 3, 10, 17, 24];
    let usable = |target: &Target| {
        let nonzero = |table: [u16; 64]| FIRST_TEN.iter().all(|&position| table[position] != 0);
        target.quantisation.is_some_and(nonzero) && target.known[0] >= 0
    };
    let inexact = |target: &Target| target.known[1..10].iter().any(|&shift| shift != 0);
    targets.iter().all(usable) && targets.iter().any(inexact)
}
