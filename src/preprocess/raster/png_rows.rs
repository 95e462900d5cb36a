//! The rows of a PNG: filters, interlacing and samples, as Pillow's `ZipDecode.c` and its unpackers have them.

use super::super::decode::DecodeError;
use super::inflate::Inflater;
use super::malformed;
use super::palette::Palette;
use super::samples::{clipped, grey_scale, unpacked};

/// The format's name in errors.
pub(super) const FORMAT: &str = "PNG";

/// What the header and the palette say.
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Bits of a sample.
    pub(super) depth: u32,
    /// PNG's colour type.
    pub(super) colour: u8,
    pub(super) interlaced: bool,
    pub(super) palette: Palette,
}

/// The pixels of one pass: first column and row, and the steps between them.
#[derive(Clone, Copy)]
struct Pass {
    left: usize,
    top: usize,
    across: usize,
    down: usize,
}

const WHOLE: [Pass; 1] = [Pass { left: 0, top: 0, across: 1, down: 1 }];
const ADAM7: [Pass; 7] = [
    Pass { left: 0, top: 0, across: 8, down: 8 },
    Pass { left: 4, top: 0, across: 8, down: 8 },
    Pass { left: 0, top: 4, across: 4, down: 8 },
    Pass { left: 2, top: 0, across: 4, down: 4 },
    Pass { left: 0, top: 2, across: 2, down: 4 },
    Pass { left: 1, top: 0, across: 2, down: 2 },
    Pass { left: 0, top: 1, across: 1, down: 2 },
];

impl Pass {
    /// Its pixels across and down.
    fn size(self, layout: &Layout) -> (usize, usize) {
        let count = |side: usize, first: usize, step: usize| side.saturating_sub(first).div_ceil(step);
        let size = (count(layout.width, self.left, self.across), count(layout.height, self.top, self.down));
        if size.0 == 0 { (0, 0) } else { size }
    }
}

impl Layout {
    fn passes(&self) -> &'static [Pass] {
        if self.interlaced { &ADAM7 } else { &WHOLE }
    }

    fn bits_per_pixel(&self) -> usize {
        let samples = match self.colour {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };
        samples * self.depth as usize
    }

    /// Bytes of all filtered rows.
    pub(super) fn raw_bytes(&self) -> u64 {
        let of_pass = |pass: &Pass| {
            let (across, down) = pass.size(self);
            ((across * self.bits_per_pixel()).div_ceil(8) as u64 + 1) * down as u64
        };
        self.passes().iter().map(of_pass).sum()
    }
}

/// The picture's RGB bytes. Where the compressed stream ends properly, behind a whole row, but before the
/// picture does, the rest has zeros for samples, as in Pillow.
pub(super) fn rgb_rows(layout: &Layout, data: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let nothing = if layout.colour == 3 { layout.palette.colour(0) } else { [0; 3] };
    let mut out = nothing.repeat(layout.width * layout.height);
    let mut any = false;
    let mut inflater = Inflater::new(FORMAT, data);
    let bits = layout.bits_per_pixel();
    for pass in layout.passes() {
        let (across, down) = pass.size(layout);
        let length = (across * bits).div_ceil(8);
        let (mut row, mut previous) = (vec![0; length + 1], vec![0; length]);
        for y in 0..down {
            match inflater.fill(&mut row)? {
                0 if inflater.ended && any => return Ok(out),
                filled if filled < row.len() => return Err(DecodeError::Truncated { format: FORMAT }),
                _ => any = true,
            }
            unfilter(row[0], &mut row[1..], &previous, bits.div_ceil(8))?;
            previous.copy_from_slice(&row[1..]);
            let start = (pass.top + y * pass.down) * layout.width;
            let line = &mut out[start * 3..(start + layout.width) * 3];
            let targets = line.as_chunks_mut::<3>().0.iter_mut().skip(pass.left).step_by(pass.across);
            write_pixels(layout, &previous, across, targets);
        }
    }
    inflater.finish()?;
    Ok(out)
}

/// Undoes a row's filter; `reach` is the distance to the pixel on the left, in bytes.
fn unfilter(kind: u8, row: &mut [u8], above: &[u8], reach: usize) -> Result<(), DecodeError> {
    match kind {
        0 => {}
        1 => {
            for i in reach..row.len() {
                row[i] = row[i].wrapping_add(row[i - reach]);
            }
        }
        2 => {
            for (value, above) in row.iter_mut().zip(above) {
                *value = value.wrapping_add(*above);
            }
        }
        3 => {
            for i in 0..row.len() {
                let left = if i < reach { 0 } else { u16::from(row[i - reach]) };
                row[i] = row[i].wrapping_add(((left + u16::from(above[i])) / 2) as u8);
            }
        }
        4 => {
            for i in 0..row.len() {
                let (left, corner) = if i < reach { (0, 0) } else { (row[i - reach], above[i - reach]) };
                row[i] = row[i].wrapping_add(paeth(left, above[i], corner));
            }
        }
        _ => return Err(malformed(FORMAT, "a row has an unknown filter")),
    }
    Ok(())
}

fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let [a, b, c] = [left, above, corner].map(i32::from);
    let (to_left, to_above, to_corner) = ((b - c).abs(), (a - c).abs(), (a + b - 2 * c).abs());
    if to_left <= to_above && to_left <= to_corner {
        left
    } else if to_above <= to_corner {
        above
    } else {
        corner
    }
}

/// Converts a row's samples as Pillow's `convert("RGB")` does.
fn write_pixels<'o>(
    layout: &Layout,
    row: &[u8],
    count: usize,
    targets: impl Iterator<Item = &'o mut [u8; 3]>,
) {
    let mut targets = targets.take(count);
    let mut put = |colours: &mut dyn Iterator<Item = [u8; 3]>| {
        for (target, colour) in (&mut targets).zip(colours) {
            *target = colour;
        }
    };
    let words = |row: &[u8]| row.as_chunks::<2>().0.iter().map(|word| u16::from_be_bytes(*word)).collect();
    match (layout.colour, layout.depth) {
        (0, 16) => {
            let words: Vec<u16> = words(row);
            put(&mut words.iter().map(|&word| [clipped(word); 3]));
        }
        (0, depth) => {
            let scale = grey_scale(depth);
            put(&mut unpacked(row, depth, count).map(|sample| [sample * scale; 3]));
        }
        (3, depth) => put(&mut unpacked(row, depth, count).map(|index| layout.palette.colour(index))),
        (2, 8) => put(&mut row.as_chunks::<3>().0.iter().copied()),
        (2, _) => put(&mut row.as_chunks::<6>().0.iter().map(|&[r, _, g, _, b, _]| [r, g, b])),
        (4, 8) => put(&mut row.as_chunks::<2>().0.iter().map(|&[grey, _]| [grey; 3])),
        (4, _) => put(&mut row.as_chunks::<4>().0.iter().map(|&[grey, ..]| [grey; 3])),
        (_, 8) => put(&mut row.as_chunks::<4>().0.iter().map(|&[r, g, b, _]| [r, g, b])),
        (_, _) => put(&mut row.as_chunks::<8>().0.iter().map(|&[r, _, g, _, b, ..]| [r, g, b])),
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, Palette, paeth, unfilter};

    #[test]
    fn filters_are_undone() {
        for (kind, want) in
            [(0, [1, 2, 3]), (1, [1, 3, 6]), (2, [11, 22, 33]), (3, [6, 15, 25]), (4, [11, 22, 33])]
        {
            let mut row = [1, 2, 3];
            unfilter(kind, &mut row, &[10, 20, 30], 1).unwrap();
            assert_eq!(row, want, "{kind}");
        }
        assert!(unfilter(5, &mut [0], &[0], 1).is_err());
        assert_eq!((paeth(1, 2, 3), paeth(9, 2, 3), paeth(9, 9, 3)), (1, 9, 9));
    }

    #[test]
    fn interlaced_passes_hold_every_pixel_once() {
        for (width, height) in [(1, 1), (3, 5), (8, 8), (9, 17)] {
            let layout =
                Layout { width, height, depth: 8, colour: 0, interlaced: true, palette: Palette::grey() };
            let pixels: usize = layout
                .passes()
                .iter()
                .map(|pass| pass.size(&layout))
                .map(|(across, down)| across * down)
                .sum();
            assert_eq!(pixels, width * height);
        }
    }
}
