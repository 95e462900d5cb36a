//! A drawing as a list of inked regions in the plane [-1, 1]².
//!
//! Owns the vocabulary the shape files draw with. Colours stay open here: an [`Ink`] says whose
//! colour a region takes, and the scene decides which colour that is.

use super::geometry::{Point, direction};
use super::palette::Rgb;
use super::region::Geom;

/// Where a region's colour comes from.
#[derive(Clone, Copy, Debug)]
pub enum Ink {
    /// The object's named colour and pattern.
    Body,
    /// The object's named colour, darkened by this share and without pattern.
    Shade(f64),
    /// A colour that stands out against the body.
    Accent,
    /// This colour, whatever the object's is.
    Fixed(Rgb),
}

/// Tyres, eyes and other dark details.
pub const DARK: Ink = Ink::Fixed([36, 34, 38]);
/// Windows.
pub const GLASS: Ink = Ink::Fixed([188, 222, 238]);
/// Paper, teeth and other light details.
pub const LIGHT: Ink = Ink::Fixed([246, 244, 238]);
/// Trunks, handles and boards.
pub const WOOD: Ink = Ink::Fixed([128, 86, 48]);
/// Stems and leaves.
pub const LEAF: Ink = Ink::Fixed([62, 138, 58]);
/// Metal.
pub const METAL: Ink = Ink::Fixed([150, 154, 162]);

/// The regions of a drawing, painted first to last.
#[derive(Debug, Default)]
pub struct Sketch {
    /// Regions with their inks.
    pub parts: Vec<(Geom, Ink)>,
}

impl Sketch {
    /// An ellipse with level axes.
    pub fn oval(&mut self, ink: Ink, x: f64, y: f64, rx: f64, ry: f64) {
        self.leaning_oval(ink, [x, y], [rx, ry], 0.0);
    }

    /// An ellipse whose first axis is turned by `turns`.
    pub fn leaning_oval(&mut self, ink: Ink, centre: Point, radii: Point, turns: f64) {
        self.parts.push((Geom::Oval { centre, radii, axis: direction(turns) }, ink));
    }

    /// A disc with a round hole.
    pub fn ring(&mut self, ink: Ink, x: f64, y: f64, outer: f64, inner: f64) {
        self.parts.push((Geom::Ring { centre: [x, y], outer, inner }, ink));
    }

    /// A polygon.
    pub fn poly(&mut self, ink: Ink, corners: &[Point]) {
        self.parts.push((Geom::Poly(corners.to_vec()), ink));
    }

    /// A level rectangle from its upper left to its lower right corner.
    pub fn rect(&mut self, ink: Ink, x0: f64, y0: f64, x1: f64, y1: f64) {
        self.poly(ink, &[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]);
    }

    /// A straight line with round ends, `half_width` to each side.
    pub fn line(&mut self, ink: Ink, from: Point, to: Point, half_width: f64) {
        self.parts.push((Geom::Line { from, to, half_width }, ink));
    }

    /// Lines through the points, one after another.
    pub fn path(&mut self, ink: Ink, points: &[Point], half_width: f64) {
        for pair in points.windows(2) {
            self.line(ink, pair[0], pair[1], half_width);
        }
    }

    /// A regular polygon with one corner at `turns` (0 is right, 0.75 is up).
    pub fn regular(&mut self, ink: Ink, centre: Point, radius: f64, corners: u32, turns: f64) {
        self.star(ink, centre, [radius, radius], corners, turns);
    }

    /// A polygon whose corners alternate between the two radii, `points` of each.
    /// With equal radii it is the regular polygon of `points` corners.
    pub fn star(&mut self, ink: Ink, centre: Point, radii: Point, points: u32, turns: f64) {
        let flat = radii[0] == radii[1];
        let count = if flat { points } else { 2 * points };
        let corner = |k: u32| {
            let [cos, sin] = direction(turns + f64::from(k) / f64::from(count));
            let r = radii[(k % 2) as usize];
            [centre[0] + r * cos, centre[1] + r * sin]
        };
        self.parts.push((Geom::Poly((0..count).map(corner).collect()), ink));
    }

    /// The part of an ellipse's rim from one angle to another (in turns), as corners of a polygon.
    pub fn arc(centre: Point, radii: Point, from: f64, to: f64) -> Vec<Point> {
        const STEPS: u32 = 14;
        let at = |k: u32| {
            let [cos, sin] = direction(from + (to - from) * f64::from(k) / f64::from(STEPS));
            [centre[0] + radii[0] * cos, centre[1] + radii[1] * sin]
        };
        (0..=STEPS).map(at).collect()
    }
}
