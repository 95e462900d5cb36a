//! Chroma rows at full resolution: libjpeg-turbo's "fancy" upsampling (`jdsample.c`).
//!
//! A sample twice as wide or high as a pixel is blended 3 : 1 with its neighbour on the pixel's side.
//! Rounding alternates so that it does not drift; the image's border repeats. Other ratios repeat samples.

use super::frame::{Component, Plane};
use crate::util::vectorised;

/// How one component's rows become full-size rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Whole,
    BlendAcross,
    BlendDown,
    BlendBoth,
    Repeat,
}

/// Upsamples the rows of one component, in any order.
pub(super) struct Upsampler<'a> {
    plane: &'a Plane,
    method: Method,
    /// Pixels per sample, across and down.
    ratio: (usize, usize),
    /// Samples that belong to the image, across and down; what lies beyond is never read.
    size: (usize, usize),
    /// One full-size row.
    row: Vec<u8>,
    /// One row of vertically blended samples, times four.
    sums: Vec<u16>,
}

impl<'a> Upsampler<'a> {
    /// For a component and its decoded plane. `ratio` is pixels per sample, `size` the component's own
    /// size in samples.
    pub(super) fn new(component: &Component, plane: &'a Plane) -> Self {
        let (ratio, size) = (component.ratio, component.size);
        let method = match ratio {
            (1, 1) => Method::Whole,
            (2, 1) if size.0 > 2 => Method::BlendAcross,
            (1, 2) => Method::BlendDown,
            (2, 2) if size.0 > 2 => Method::BlendBoth,
            _ => Method::Repeat,
        };
        Self { plane, method, ratio, size, row: vec![0; size.0 * ratio.0], sums: vec![0; size.0] }
    }

    /// The component's samples for pixel row `y`, at least as many as the image is wide.
    pub(super) fn row(&mut self, y: usize) -> &[u8] {
        let near = self.samples(y / self.ratio.1);
        let far = self.far_samples(y);
        match self.method {
            Method::Whole => return near,
            Method::BlendAcross => vectorised(
                #[inline(always)]
                || blend_across(near, &mut self.row),
            ),
            Method::BlendDown => {
                let bias = 1 + (y % 2) as u16;
                for ((out, &near), &far) in self.row.iter_mut().zip(near).zip(far) {
                    *out = ((u16::from(near) * 3 + u16::from(far) + bias) >> 2) as u8;
                }
            }
            Method::BlendBoth => vectorised(
                #[inline(always)]
                || {
                    for ((sum, &near), &far) in self.sums.iter_mut().zip(near).zip(far) {
                        *sum = u16::from(near) * 3 + u16::from(far);
                    }
                    blend_sums_across(&self.sums, &mut self.row);
                },
            ),
            Method::Repeat => {
                for (out, &sample) in self.row.chunks_exact_mut(self.ratio.0).zip(near) {
                    out.fill(sample);
                }
            }
        }
        &self.row
    }

    /// The samples of row `y` of the component.
    fn samples(&self, y: usize) -> &'a [u8] {
        let start = y.min(self.size.1 - 1) * self.plane.stride;
        &self.plane.samples[start..start + self.size.0]
    }

    /// The next nearest row of the component, where it has half the image's height.
    fn far_samples(&self, y: usize) -> &'a [u8] {
        let near = y / 2;
        self.samples(if y.is_multiple_of(2) { near.saturating_sub(1) } else { near + 1 })
    }
}

/// `h2v1_fancy_upsample`; `out` is twice as long as `samples`, which are at least three.
#[inline(always)]
fn blend_across(samples: &[u8], out: &mut [u8]) {
    let (Some(&first), Some(&last)) = (samples.first(), samples.last()) else { return };
    let inner = &mut out[1..2 * samples.len() - 1];
    for (pair, out) in samples.array_windows::<2>().zip(inner.as_chunks_mut::<2>().0) {
        let [left, right] = pair.map(u16::from);
        *out = [(left * 3 + right + 2) >> 2, (right * 3 + left + 1) >> 2].map(|sample| sample as u8);
    }
    out[0] = first;
    out[2 * samples.len() - 1] = last;
}

/// The horizontal half of `h2v2_fancy_upsample`, on sums that are four times a sample.
#[inline(always)]
fn blend_sums_across(sums: &[u16], out: &mut [u8]) {
    let (Some(&first), Some(&last)) = (sums.first(), sums.last()) else { return };
    let inner = &mut out[1..2 * sums.len() - 1];
    for (&[left, right], out) in sums.array_windows::<2>().zip(inner.as_chunks_mut::<2>().0) {
        *out = [(left * 3 + right + 7) >> 4, (right * 3 + left + 8) >> 4].map(|sample| sample as u8);
    }
    out[0] = ((first * 4 + 8) >> 4) as u8;
    out[2 * sums.len() - 1] = ((last * 4 + 7) >> 4) as u8;
}

#[cfg(test)]
mod tests {
    use super::{blend_across, blend_sums_across};

    #[test]
    fn rounding_alternates_and_the_border_repeats() {
        let mut out = [0; 6];
        blend_across(&[10, 20, 41], &mut out);
        // 10, (30+20+2)/4, (60+10+1)/4, (60+41+2)/4, (123+20+1)/4, 41
        assert_eq!(out, [10, 13, 17, 25, 36, 41]);
        blend_sums_across(&[40, 80, 164], &mut out);
        // (160+8)/16, (120+80+7)/16, (240+40+8)/16, (240+164+7)/16, (492+80+8)/16, (656+7)/16
        assert_eq!(out, [10, 12, 18, 25, 36, 41]);
    }
}
