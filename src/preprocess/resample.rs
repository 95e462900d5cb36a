//! Pillow's 8-bit bicubic resize with antialiasing, bit for bit (its `Resample.c`, version 13).
//!
//! It owns the filter and the two passes; which part of which image is resized is [`super::pillow`]'s
//! business. Easy to get wrong: the first pass is rounded to 8 bits before the second reads it, and which
//! one is first depends on the sizes (`vertical_first`), so neither order nor rounding may change.
//!
//! Loops are written for the vectoriser and compiled for several levels of vector instructions; the machine's
//! own is chosen when the program runs. Sums are of integers, so no level changes a bit.

use super::{CropBox, Rgb8};
use crate::util::vectorised;

/// Fractional bits of a coefficient: 32 less 8 for the pixel, less 2 for overshoot and sign.
const PRECISION_BITS: u32 = 32 - 8 - 2;
/// Half-width of the bicubic filter, in output pixels or input pixels, whichever are larger.
const SUPPORT: f64 = 2.0;
/// Sums computed side by side. So many that the compiler keeps their loop, and vectorises it.
const LANES: usize = 64;
/// Rows of the horizontal pass computed side by side, each pixel padded to four bytes.
const ROWS: usize = LANES / 4;

/// Where one output position reads: inputs from `first` on, one per coefficient.
struct Taps {
    first: usize,
    /// Fixed point, with [`PRECISION_BITS`] fractional bits.
    coefficients: Vec<i32>,
}

/// Resizes `image` to `width` by `height`; sizes of 0 are taken as 1.
pub fn resize(image: &Rgb8, width: usize, height: usize) -> Rgb8 {
    let (width, height) = (width.max(1), height.max(1));
    let source = CropBox::whole(image.width(), image.height());
    resize_window(image, source, (width, height), CropBox::whole(width, height))
}

/// Crops `source` out of `image`, resizes that to `full` (width, height) and crops `window` out of the
/// result. Only the window is computed, and pixels outside `source` are never read. `source` must lie
/// inside the image and `window` inside the full size, with no side of 0.
pub(super) fn resize_window(image: &Rgb8, source: CropBox, full: (usize, usize), window: CropBox) -> Rgb8 {
    let mut columns = taps(source.width, full.0, window.left, window.width);
    let mut rows = taps(source.height, full.1, window.top, window.height);
    if vertical_first(source, full) {
        let (left, width) = rebase(&mut columns);
        let needed = CropBox { left: source.left + left, width, ..source };
        let low = vertical_pass(image, needed, &rows);
        horizontal_pass(&low, CropBox::whole(low.width(), low.height()), &columns)
    } else {
        let (top, height) = rebase(&mut rows);
        let needed = CropBox { top: source.top + top, height, ..source };
        let narrow = horizontal_pass(image, needed, &columns);
        vertical_pass(&narrow, CropBox::whole(narrow.width(), narrow.height()), &rows)
    }
}

/// Whether Pillow 13 resizes columns before rows: where the height shrinks by more than twice what the
/// width shrinks by. Measured on Pillow 13.0.0 (every case of the golden file, both sides of the limit).
fn vertical_first(source: CropBox, full: (usize, usize)) -> bool {
    let width_loss = source.width.saturating_sub(full.0);
    let height_loss = source.height.saturating_sub(full.1);
    height_loss > width_loss.saturating_mul(2)
}

/// Counts inputs from the first one read; returns that one and how many are read from it on.
fn rebase(taps: &mut [Taps]) -> (usize, usize) {
    let first = taps.iter().map(|taps| taps.first).min().unwrap_or(0);
    for taps in taps.iter_mut() {
        taps.first -= first;
    }
    (first, taps.iter().map(|taps| taps.first + taps.coefficients.len()).max().unwrap_or(0))
}

/// Pillow's `bicubic_filter`, a = -0.5.
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc` for `count` outputs from `first` on, where
/// `in_size` inputs shrink or grow to `out_size` outputs.
fn taps(in_size: usize, out_size: usize, first: usize, count: usize) -> Vec<Taps> {
    let scale = in_size as f64 / out_size as f64;
    let filter_scale = scale.max(1.0);
    let support = SUPPORT * filter_scale;
    let inverse = 1.0 / filter_scale;
    let of_output = |output: usize| {
        let center = (output as f64 + 0.5) * scale;
        // Casts saturate at 0, where Pillow tests for a negative start.
        let start = (center - support + 0.5) as usize;
        let end = ((center + support + 0.5) as usize).min(in_size);
        let weights: Vec<f64> = (start..end).map(|x| bicubic((x as f64 - center + 0.5) * inverse)).collect();
        let sum: f64 = weights.iter().fold(0.0, |sum, weight| sum + weight);
        let normalised = |weight: &f64| if sum == 0.0 { *weight } else { weight / sum };
        Taps { first: start, coefficients: weights.iter().map(|w| fixed_point(normalised(w))).collect() }
    };
    (first..first + count).map(of_output).collect()
}

/// Rounds half away from zero.
fn fixed_point(weight: f64) -> i32 {
    let scaled = weight * f64::from(1u32 << PRECISION_BITS);
    (if weight < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

/// Weighs `LANES` bytes at once and rounds them back to bytes (Pillow's `clip8`).
#[inline(always)]
fn weigh(inputs: impl Iterator<Item = [u8; LANES]>, coefficients: &[i32]) -> [u8; LANES] {
    let mut sums = [1i32 << (PRECISION_BITS - 1); LANES];
    for (bytes, coefficient) in inputs.zip(coefficients) {
        for (sum, byte) in sums.iter_mut().zip(bytes) {
            *sum += i32::from(byte) * coefficient;
        }
    }
    sums.map(|sum| (sum >> PRECISION_BITS).clamp(0, 255) as u8)
}

/// Resizes each row of `source` to one pixel per entry of `columns`, which count from its left side.
fn horizontal_pass(image: &Rgb8, source: CropBox, columns: &[Taps]) -> Rgb8 {
    let mut out = vec![0u8; source.height * columns.len() * 3];
    vectorised(
        #[inline(always)]
        || resize_rows(image, source, columns, &mut out),
    );
    filled(columns.len(), source.height, out)
}

#[inline(always)]
fn resize_rows(image: &Rgb8, source: CropBox, columns: &[Taps], out: &mut [u8]) {
    let stride = columns.len() * 3;
    let mut side_by_side = vec![0u8; source.width * LANES];
    for (block, out_rows) in out.chunks_mut(ROWS * stride).enumerate() {
        // The last block repeats its last row. Column by column, so that every cache line is written once.
        let count = out_rows.len() / stride;
        let rows: [&[[u8; 3]]; ROWS] = std::array::from_fn(|row| {
            let top = source.top + block * ROWS + row.min(count - 1);
            let start = (top * image.width() + source.left) * 3;
            image.data()[start..start + source.width * 3].as_chunks::<3>().0
        });
        for (x, lanes) in side_by_side.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            for (row, lane) in rows.iter().zip(lanes.as_chunks_mut::<4>().0) {
                if let Some(&[red, green, blue]) = row.get(x) {
                    *lane = [red, green, blue, 0];
                }
            }
        }
        for (x, taps) in columns.iter().enumerate() {
            let inputs = side_by_side[taps.first * LANES..].chunks(LANES).map(first_lanes);
            let weighed = weigh(inputs, &taps.coefficients);
            for (out_row, pixel) in out_rows.chunks_exact_mut(stride).zip(weighed.as_chunks::<4>().0) {
                out_row[x * 3..x * 3 + 3].copy_from_slice(&pixel[..3]);
            }
        }
    }
}

/// Resizes each column of `source` to one pixel per entry of `rows`, which count from its top.
fn vertical_pass(image: &Rgb8, source: CropBox, rows: &[Taps]) -> Rgb8 {
    let mut out = vec![0u8; rows.len() * source.width * 3];
    vectorised(
        #[inline(always)]
        || resize_columns(image, source, rows, &mut out),
    );
    filled(source.width, rows.len(), out)
}

#[inline(always)]
fn resize_columns(image: &Rgb8, source: CropBox, rows: &[Taps], out: &mut [u8]) {
    let (stride, width_bytes) = (image.width() * 3, source.width * 3);
    for (taps, out_row) in rows.iter().zip(out.chunks_exact_mut(width_bytes)) {
        let start = (source.top + taps.first) * stride + source.left * 3;
        for (block, out_block) in out_row.chunks_mut(LANES).enumerate() {
            let inputs = image.data()[start + block * LANES..].chunks(stride).map(first_lanes);
            let weighed = weigh(inputs, &taps.coefficients);
            out_block.copy_from_slice(&weighed[..out_block.len()]);
        }
    }
}

/// The first bytes of `bytes`; where fewer are left, at the image's end, the rest is 0 and not used. Both
/// passes load through this: from whole arrays the vectoriser would gather byte by byte.
#[inline(always)]
fn first_lanes(bytes: &[u8]) -> [u8; LANES] {
    bytes.first_chunk().copied().unwrap_or_else(|| {
        let mut lanes = [0; LANES];
        lanes[..bytes.len()].copy_from_slice(bytes);
        lanes
    })
}

fn filled(width: usize, height: usize, data: Vec<u8>) -> Rgb8 {
    Rgb8::new(width, height, data).expect("a pass fills an image of at least one pixel")
}

#[cfg(test)]
mod tests {
    use super::{Rgb8, bicubic, resize, taps};

    #[test]
    fn the_filter_is_keys_cubic() {
        assert_eq!([0.0, 1.0, -1.0, 2.0, 3.0].map(bicubic), [1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(bicubic(0.5), 0.5625);
        assert_eq!(bicubic(-1.5), -0.0625);
    }

    #[test]
    fn coefficients_of_every_output_add_up_to_one() {
        for (input, output) in [(1, 7), (7, 1), (500, 224), (224, 500), (3, 3)] {
            for taps in taps(input, output, 0, output) {
                let sum: i32 = taps.coefficients.iter().sum();
                let off = (sum - (1 << 22)).unsigned_abs() as usize;
                assert!(off <= taps.coefficients.len(), "{input} to {output}: off by {off}");
                assert!(taps.first + taps.coefficients.len() <= input);
            }
        }
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let bytes = (0..5 * 7 * 3).map(|i| (i * 37 % 256) as u8).collect();
        let image = Rgb8::new(5, 7, bytes).unwrap();
        assert_eq!(resize(&image, 5, 7), image);
    }
}
