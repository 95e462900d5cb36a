//! The canvas: nine samples a pixel, painted region by region, then averaged.
//!
//! Owns samples, outlines and the averaging. It knows no object. Each sample also remembers which
//! region painted it last: outlines are the places where that number changes.

use super::geometry::{Affine, Point};
use super::palette::Rgb;
use super::region::Geom;
use super::texture::{Paint, Texture};
use crate::util::vectorised;

/// Width and height of every pocket image in pixels.
pub const SIDE: usize = 48;
/// Samples along one side of a pixel.
const SUB: usize = 3;
/// Samples along one side of the image.
const FINE: usize = SIDE * SUB;

/// A sampled picture in the making; coordinates are pixels, (0, 0) the upper left corner.
pub struct Canvas {
    samples: Vec<Rgb>,
    region: Vec<u16>,
    regions: u16,
}

impl Canvas {
    /// A canvas whose every sample is coloured by `ground`, a closure marked `#[inline(always)]`.
    pub fn new(ground: impl Fn(Point) -> Rgb) -> Self {
        let mut samples = vec![[0; 3]; FINE * FINE];
        vectorised(
            #[inline(always)]
            || {
                for (row, samples) in samples.chunks_exact_mut(FINE).enumerate() {
                    for (col, sample) in samples.iter_mut().enumerate() {
                        *sample = ground([centre(col), centre(row)]);
                    }
                }
            },
        );
        Self { samples, region: vec![0; FINE * FINE], regions: 0 }
    }

    /// A canvas whose every pixel is coloured by `ground`, marked as well, asked once at its centre: a ninth of the
    /// work of [`Canvas::new`], for grounds without sharp edges.
    pub fn soft(ground: impl Fn(Point) -> Rgb) -> Self {
        let mut samples = vec![[0; 3]; FINE * FINE];
        vectorised(
            #[inline(always)]
            || {
                for (y, rows) in samples.chunks_exact_mut(SUB * FINE).enumerate() {
                    for x in 0..SIDE {
                        rows[x * SUB..(x + 1) * SUB].fill(ground([x as f64 + 0.5, y as f64 + 0.5]));
                    }
                    for copy in 1..SUB {
                        rows.copy_within(..FINE, copy * FINE);
                    }
                }
            },
        );
        Self { samples, region: vec![0; FINE * FINE], regions: 0 }
    }

    /// Paints a region given in its own plane, which `place` puts on the image. The paint's pattern
    /// lies in the region's plane and turns with it.
    pub fn paint(&mut self, geom: &Geom, place: &Affine, paint: &Paint) {
        let (Some(back), Some(region)) = (place.inverse(), geom.place(place)) else { return };
        self.regions = self.regions.saturating_add(1);
        let (low, high) = region.rows();
        let mut cuts = Vec::with_capacity(8);
        for row in first_inside(low)..first_inside(high) {
            region.cut(centre(row), &mut cuts);
            for span in cuts.chunks_exact(2) {
                let (from, to) = (first_inside(span[0]), first_inside(span[1]));
                self.region[row * FINE + from..row * FINE + to].fill(self.regions);
                let samples = &mut self.samples[row * FINE + from..row * FINE + to];
                if paint.texture == Texture::Plain {
                    samples.fill(paint.base);
                } else {
                    vectorised(
                        #[inline(always)]
                        || {
                            for (col, sample) in (from..to).zip(samples.iter_mut()) {
                                *sample = paint.at(back.apply([centre(col), centre(row)]));
                            }
                        },
                    );
                }
            }
        }
    }

    /// Changes the colour of every sample.
    pub fn recolour(&mut self, map: impl Fn(Rgb) -> Rgb) {
        for sample in &mut self.samples {
            *sample = map(*sample);
        }
    }

    /// Draws a line of `thickness` samples wherever two regions, or a region and the ground, meet.
    pub fn outline(&mut self, colour: Rgb, thickness: usize) {
        let reach = thickness.max(1);
        for row in 0..FINE - reach {
            for col in 0..FINE - reach {
                let here = self.region[row * FINE + col];
                let right = self.region[row * FINE + col + reach];
                let below = self.region[(row + reach) * FINE + col];
                if here != right || here != below {
                    self.samples[row * FINE + col] = colour;
                }
            }
        }
    }

    /// The picture: `SIDE × SIDE × 3` bytes, each pixel the rounded mean of its samples.
    pub fn finish(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SIDE * SIDE * 3);
        let mut sums = [[0u16; 3]; SIDE];
        vectorised(
            #[inline(always)]
            || {
                for rows in self.samples.chunks_exact(FINE * SUB) {
                    sums.fill([0; 3]);
                    for row in rows.chunks_exact(FINE) {
                        for (sum, pixel) in sums.iter_mut().zip(row.as_chunks::<SUB>().0) {
                            for sample in pixel {
                                for c in 0..3 {
                                    sum[c] += u16::from(sample[c]);
                                }
                            }
                        }
                    }
                    bytes.extend(sums.iter().flatten().map(|sum| ((sum + 4) / 9) as u8));
                }
            },
        );
        bytes
    }
}

#[inline(always)]
fn centre(sample: usize) -> f64 {
    (sample as f64 + 0.5) / SUB as f64
}

/// The first sample whose centre lies at or right of `edge`.
fn first_inside(edge: f64) -> usize {
    (edge * SUB as f64 + 0.5).floor().clamp(0.0, FINE as f64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_covered_pixel_takes_the_share_of_each_colour() {
        let mut canvas = Canvas::new(|_| [0, 0, 0]);
        let left = Geom::Poly(vec![[0.0, 0.0], [1.0 / 3.0, 0.0], [1.0 / 3.0, 1.0], [0.0, 1.0]]);
        canvas.paint(&left, &Affine::IDENTITY, &Paint::plain([90, 180, 255]));
        let bytes = canvas.finish();
        assert_eq!(bytes.len(), SIDE * SIDE * 3);
        assert_eq!(bytes[..6], [30, 60, 85, 0, 0, 0]);
    }

    #[test]
    fn outlines_follow_the_region_border() {
        let mut canvas = Canvas::new(|_| [0, 0, 0]);
        let disc = Geom::Ring { centre: [24.0, 24.0], outer: 10.0, inner: 0.0 };
        canvas.paint(&disc, &Affine::IDENTITY, &Paint::plain([0, 0, 0]));
        canvas.outline([255, 255, 255], 1);
        let bytes = canvas.finish();
        let red = |x: usize, y: usize| bytes[(y * SIDE + x) * 3];
        assert!(red(24, 24) == 0 && red(2, 2) == 0);
        assert!((12..16).any(|x| red(x, 24) > 0));
    }
}
