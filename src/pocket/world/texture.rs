//! Surface patterns, and paints made of a pattern and two colours.
//!
//! Owns the yes-or-no question "which of its two colours does the pattern show at this point". One
//! unit of a pattern's plane is one repeat; softness comes from the raster's samples alone.

use super::geometry::Point;
use super::palette::Rgb;

/// A pattern word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texture {
    /// One colour.
    Plain,
    /// Parallel bars.
    Striped,
    /// Discs in staggered rows.
    Dotted,
    /// Squares of two colours.
    Checkered,
    /// Two families of thin lines.
    Gridded,
    /// Bars bent into teeth.
    Zigzagged,
    /// Specks at random places.
    Speckled,
    /// Bars bent into waves.
    Wavy,
    /// Short bars, alternately level and upright.
    Woven,
    /// Walls of six-cornered cells.
    Honeycombed,
    /// Veins.
    Marbled,
    /// Rows of arcs.
    Scaly,
}

impl Texture {
    /// Every pattern with a word of its own, which leaves out [`Texture::Plain`].
    pub const PATTERNS: [Self; 11] = [
        Self::Striped,
        Self::Dotted,
        Self::Checkered,
        Self::Gridded,
        Self::Zigzagged,
        Self::Speckled,
        Self::Wavy,
        Self::Woven,
        Self::Honeycombed,
        Self::Marbled,
        Self::Scaly,
    ];

    /// The word; "plain" is never said of an object.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Striped => "striped",
            Self::Dotted => "dotted",
            Self::Checkered => "checkered",
            Self::Gridded => "gridded",
            Self::Zigzagged => "zigzagged",
            Self::Speckled => "speckled",
            Self::Wavy => "wavy",
            Self::Woven => "woven",
            Self::Honeycombed => "honeycombed",
            Self::Marbled => "marbled",
            Self::Scaly => "scaly",
        }
    }

    /// Whether the point shows the second colour.
    #[inline(always)]
    pub fn marks(self, [u, v]: Point, seed: u32) -> bool {
        match self {
            Self::Plain => false,
            Self::Striped => fract(u) < 0.4,
            Self::Dotted => in_dot(u, v),
            Self::Checkered => (fract(u) < 0.5) != (fract(v) < 0.5),
            Self::Gridded => fract(u) < 0.22 || fract(v) < 0.22,
            Self::Zigzagged => fract(v + (fract(u * 0.6) - 0.5).abs() * 1.6) < 0.42,
            Self::Speckled => in_speck(u * 1.7, v * 1.7, seed),
            Self::Wavy => fract(v + 0.45 * wave(u * 0.5)) < 0.42,
            Self::Woven => in_weave(u, v),
            Self::Honeycombed => in_comb(u, v),
            Self::Marbled => (noise(u * 0.8, v * 0.8, seed) - 0.5).abs() < 0.055,
            Self::Scaly => in_scale(u, v),
        }
    }
}

/// A pattern in two colours, laid on a plane.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    /// The pattern.
    pub texture: Texture,
    /// The colour the object is named by.
    pub base: Rgb,
    /// The colour of the marks.
    pub mark: Rgb,
    /// Repeats per unit of the plane, turned: `[cos, sin]` of the pattern's direction times frequency.
    pub grain: Point,
    /// Where random patterns start.
    pub seed: u32,
}

impl Paint {
    /// One colour everywhere.
    pub fn plain(rgb: Rgb) -> Self {
        Self { texture: Texture::Plain, base: rgb, mark: rgb, grain: [1.0, 0.0], seed: 0 }
    }

    /// The colour at a point of the plane.
    #[inline(always)]
    pub fn at(&self, [x, y]: Point) -> Rgb {
        if self.texture == Texture::Plain {
            return self.base;
        }
        let [c, s] = self.grain;
        let point = [c * x + s * y + 64.25, c * y - s * x + 64.25];
        if self.texture.marks(point, self.seed) { self.mark } else { self.base }
    }
}

/// Smooth noise in [0, 1): random values on the whole-number grid, blended between.
#[inline(always)]
pub fn noise(x: f64, y: f64, seed: u32) -> f64 {
    let (cell_x, cell_y) = (x.floor(), y.floor());
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (tx, ty) = (ease(x - cell_x), ease(y - cell_y));
    let (ix, iy) = (cell_x as i32, cell_y as i32);
    let at = |dx, dy| unit(lattice(ix.wrapping_add(dx), iy.wrapping_add(dy), seed));
    let top = at(0, 0) + (at(1, 0) - at(0, 0)) * tx;
    let bottom = at(0, 1) + (at(1, 1) - at(0, 1)) * tx;
    top + (bottom - top) * ty
}

/// 32 mixed bits for a grid cell.
#[inline(always)]
pub fn lattice(x: i32, y: i32, seed: u32) -> u32 {
    let mut h = (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77) ^ seed;
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^ (h >> 15)
}

/// A wave of period 1 and height ±1 made of two parabolas.
#[inline(always)]
pub fn wave(x: f64) -> f64 {
    let t = fract(x) * 2.0;
    if t < 1.0 { 4.0 * t * (1.0 - t) } else { -4.0 * (t - 1.0) * (2.0 - t) }
}

#[inline(always)]
fn fract(x: f64) -> f64 {
    x - x.floor()
}

#[inline(always)]
fn unit(bits: u32) -> f64 {
    f64::from(bits >> 8) / f64::from(1u32 << 24)
}

#[inline(always)]
fn in_dot(u: f64, v: f64) -> bool {
    let row = v.floor();
    let stagger = if row as i64 % 2 == 0 { 0.0 } else { 0.5 };
    let (x, y) = (fract(u + stagger) - 0.5, v - row - 0.5);
    x * x + y * y < 0.1
}

#[inline(always)]
fn in_speck(u: f64, v: f64, seed: u32) -> bool {
    let (cell_x, cell_y) = (u.floor(), v.floor());
    let bits = lattice(cell_x as i32, cell_y as i32, seed);
    if bits & 3 == 0 {
        return false;
    }
    let x = u - cell_x - 0.25 - 0.5 * unit(bits << 4);
    let y = v - cell_y - 0.25 - 0.5 * unit(bits << 14);
    x * x + y * y < 0.05
}

#[inline(always)]
fn in_weave(u: f64, v: f64) -> bool {
    let level = (u.floor() as i64 + v.floor() as i64) % 2 == 0;
    let across = if level { fract(v) } else { fract(u) };
    fract(across * 3.0) < 0.45
}

#[inline(always)]
fn in_comb(u: f64, v: f64) -> bool {
    // The two nearest centres of a triangular grid are about equally far at a cell wall.
    const TALL: f64 = 0.866_025_403_784_438_6;
    let row = (v / TALL).floor();
    let (mut first, mut second) = (f64::INFINITY, f64::INFINITY);
    for r in [row, row + 1.0] {
        let offset = if r as i64 % 2 == 0 { 0.0 } else { 0.5 };
        let base = (u - offset).floor() + offset;
        for x in [base, base + 1.0] {
            let (dx, dy) = (u - x, v - r * TALL);
            let d = dx * dx + dy * dy;
            second = second.min(d.max(first));
            first = first.min(d);
        }
    }
    second - first < 0.17
}

#[inline(always)]
fn in_scale(u: f64, v: f64) -> bool {
    let row = (v * 2.0).floor();
    for r in [row, row - 1.0] {
        let offset = if r as i64 % 2 == 0 { 0.0 } else { 0.5 };
        let (x, y) = (fract(u + offset) - 0.5, v - r * 0.5);
        let d = x * x + y * y;
        if d < 0.26 {
            return d > 0.15;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_shows_both_colours_and_mostly_the_first() {
        for texture in Texture::PATTERNS {
            let marks = (0..10_000)
                .filter(|k| {
                    let (x, y) = (k % 100, k / 100);
                    texture.marks([f64::from(x) * 0.083, f64::from(y) * 0.083], 7)
                })
                .count();
            assert!((800..5_600).contains(&marks), "{} marks {marks} of 10000", texture.word());
        }
    }

    #[test]
    fn noise_is_continuous_and_within_bounds() {
        let mut before = noise(0.0, 0.3, 5);
        for k in 1..1_000 {
            let now = noise(f64::from(k) * 0.01, 0.3, 5);
            assert!((0.0..1.0).contains(&now) && (now - before).abs() < 0.05);
            before = now;
        }
    }
}
