//! The walk over a JPEG file's markers, and the assembly of its components.

use super::super::Rgb8;
use super::super::decode::{DecodeError, check_size};
use super::color::ColorModel;
use super::frame::{Frame, Plane, read_frame};
use super::idct::inverse_dct;
use super::marker::{
    END_OF_IMAGE, FIRST_RESTART, LAST_RESTART, START_OF_SCAN, Tables, malformed, next_marker, segment,
    truncated, unsupported,
};
use super::scan::{Target, decode_scan};
use super::upsample::Upsampler;

/// Most scans of a file. Encoders write about ten; each costs a walk over the whole image.
const MAX_SCANS: usize = 500;

/// Decodes a JPEG to RGB: grey is repeated; YCbCr, CMYK and YCCK are converted as Pillow does.
///
/// # Errors
/// [`DecodeError`]: also for arithmetic, lossless and 12-bit files, and where the end marker is missing.
pub(in super::super) fn decode(bytes: &[u8]) -> Result<Rgb8, DecodeError> {
    let mut tables = Tables::default();
    let mut picture: Option<(Frame, Vec<Target>)> = None;
    let (mut at, mut scans) = (2, 0);
    loop {
        let (marker, end) = next_marker(bytes, at).ok_or_else(truncated)?;
        at = end;
        if marker == END_OF_IMAGE {
            break;
        }
        if matches!(marker, 0x01 | FIRST_RESTART..=LAST_RESTART) {
            continue;
        }
        let (payload, end) = segment(bytes, at)?;
        at = end;
        match marker {
            0xc0..=0xc2 => {
                if picture.is_some() {
                    return Err(malformed("it has two frame headers"));
                }
                let frame = read_frame(payload, marker == 0xc2)?;
                check_size(frame.width as u64, frame.height as u64)?;
                let targets = targets(&frame);
                picture = Some((frame, targets));
            }
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Err(unsupported("arithmetic, lossless or hierarchical"));
            }
            START_OF_SCAN => {
                let (frame, targets) =
                    picture.as_mut().ok_or_else(|| malformed("a scan comes before the frame header"))?;
                scans += 1;
                if scans > MAX_SCANS {
                    return Err(malformed("it has more than 500 scans"));
                }
                at = decode_scan(bytes, at, payload, frame, &tables, targets)?;
            }
            other => tables.read(other, payload)?,
        }
    }
    match picture {
        Some((frame, targets)) if scans > 0 => assemble(&frame, targets, &tables),
        _ => Err(malformed("it holds no image")),
    }
}

fn targets(frame: &Frame) -> Vec<Target> {
    let target = |component| {
        let plane = Plane::grey(component);
        let blocks = if frame.progressive { plane.samples.len() / 64 } else { 0 };
        Target { plane, coefficients: vec![[0; 64]; blocks], quantisation: None }
    };
    frame.components.iter().map(target).collect()
}

/// Transforms what a progressive file kept, then upsamples and converts row by row.
fn assemble(frame: &Frame, mut targets: Vec<Target>, tables: &Tables) -> Result<Rgb8, DecodeError> {
    let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
    let model = ColorModel::guess(&ids, tables.has_jfif, tables.adobe_transform)
        .ok_or_else(|| unsupported(&format!("{}-component", ids.len())))?;
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
