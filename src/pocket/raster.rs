//! The canvas: nine samples a pixel, painted region by region, then averaged.
//!
//! Owns samples, outlines and the averaging. It knows no object. Each sample also remembers which
//! region painted it last: outlines are the places where that number changes.

use super::geometry::{Affine, Geom, Point};
use super::palette::Rgb;
use super::texture::Paint;

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
    /// A canvas whose every sample is coloured by `ground`.
    pub fn new(ground: impl Fn(Point) -> Rgb) -> Self {
        let mut samples = Vec::with_capacity(FINE * FINE);
        for row in 0..FINE {
            let y = centre(row);
            samples.extend((0..FINE).map(|col| ground([centre(col), y])));
        }
        Self { samples, region: vec![0; FINE * FINE], regions: 0 }
    }

    /// Paints a region given in its own plane, which `place` puts on the image. The paint's pattern
    /// lies in the region's plane and turns with it.
    pub fn paint(&mut self, geom: &Geom, place: &Affine, paint: &Paint) {
        let Some(back) = place.inverse() else { return };
        self.regions = self.regions.saturating_add(1);
        let [x0, y0, x1, y1] = image_box(geom.bounds(), place);
        for row in first(y0)..last(y1) {
            for col in first(x0)..last(x1) {
                let point = back.apply([centre(col), centre(row)]);
                if geom.contains(point) {
                    self.samples[row * FINE + col] = paint.at(point);
                    self.region[row * FINE + col] = self.regions;
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
        for rows in self.samples.chunks_exact(FINE * SUB) {
            sums.fill([0; 3]);
            for row in rows.chunks_exact(FINE) {
                for (sum, pixel) in sums.iter_mut().zip(row.chunks_exact(SUB)) {
                    for sample in pixel {
                        for c in 0..3 {
                            sum[c] += u16::from(sample[c]);
                        }
                    }
                }
            }
            bytes.extend(sums.iter().flatten().map(|sum| ((sum + 4) / 9) as u8));
        }
        bytes
    }
}

fn centre(sample: usize) -> f64 {
    (sample as f64 + 0.5) / SUB as f64
}

fn first(edge: f64) -> usize {
    (edge * SUB as f64 - 0.5).floor().clamp(0.0, FINE as f64) as usize
}

fn last(edge: f64) -> usize {
    (edge * SUB as f64 + 1.5).floor().clamp(0.0, FINE as f64) as usize
}

fn image_box([x0, y0, x1, y1]: [f64; 4], place: &Affine) -> [f64; 4] {
    let corners = [[x0, y0], [x1, y0], [x0, y1], [x1, y1]].map(|p| place.apply(p));
    let over =
        |axis: usize, pick: fn(f64, f64) -> f64| corners.iter().map(|p| p[axis]).reduce(pick).unwrap_or(0.0);
    [over(0, f64::min), over(1, f64::min), over(0, f64::max), over(1, f64::max)]
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
