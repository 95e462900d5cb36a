//! Regions of a plane, and where the rows of an image cross them.
//!
//! Owns the four shapes every drawing is made of. Regions are not tested point by point: each row is
//! cut at the region's border (a square root or a division a border), which IEEE 754 fixes exactly.

use super::geometry::{Affine, Point};

/// A closed region of a plane.
#[derive(Clone, Debug)]
pub enum Geom {
    /// An ellipse: `turns` rotates its first half-axis away from the x axis.
    Oval {
        /// Centre.
        centre: Point,
        /// Half-axes.
        radii: Point,
        /// `[cos, sin]` of the first half-axis.
        axis: Point,
    },
    /// A disc with a round hole; a hole of radius 0 makes it a disc.
    Ring {
        /// Centre.
        centre: Point,
        /// Outer radius.
        outer: f64,
        /// Radius of the hole.
        inner: f64,
    },
    /// A polygon under the even-odd rule; the last corner joins the first.
    Poly(Vec<Point>),
    /// All points within `half_width` of a segment: a line with round ends.
    Line {
        /// One end.
        from: Point,
        /// The other end.
        to: Point,
        /// Half the line's width.
        half_width: f64,
    },
}

/// A region put on the image.
#[derive(Debug)]
pub enum Placed {
    /// A round region: the map takes it to the unit disc, less a hole of this radius.
    Round(Affine, f64),
    /// A polygon with its corners in pixels.
    Poly(Vec<Point>),
    /// Two round ends and the straight piece between them.
    Line([Affine; 2], [Point; 4]),
}

impl Geom {
    /// The region on the image, or `None` where it is flattened to nothing.
    pub fn place(&self, place: &Affine) -> Option<Placed> {
        let back = place.inverse()?;
        let unit = |centre: Point, radii: Point, axis: Point| {
            let [cos, sin] = axis;
            let matrix = [cos / radii[0], sin / radii[0], -sin / radii[1], cos / radii[1]];
            let turned = Affine { matrix, shift: [0.0, 0.0] };
            let [x, y] = turned.apply(centre);
            back.then(&Affine { matrix, shift: [-x, -y] })
        };
        Some(match self {
            Self::Oval { centre, radii, axis } => Placed::Round(unit(*centre, *radii, *axis), 0.0),
            Self::Ring { centre, outer, inner } => {
                Placed::Round(unit(*centre, [*outer, *outer], [1.0, 0.0]), inner / outer)
            }
            Self::Poly(corners) => Placed::Poly(corners.iter().map(|corner| place.apply(*corner)).collect()),
            Self::Line { from, to, half_width } => {
                let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
                let scale = half_width / (dx * dx + dy * dy).sqrt().max(1e-9);
                let (nx, ny) = (-dy * scale, dx * scale);
                let sides = [
                    [from[0] + nx, from[1] + ny],
                    [to[0] + nx, to[1] + ny],
                    [to[0] - nx, to[1] - ny],
                    [from[0] - nx, from[1] - ny],
                ];
                let end = |at: Point| unit(at, [*half_width, *half_width], [1.0, 0.0]);
                Placed::Line([end(*from), end(*to)], sides.map(|side| place.apply(side)))
            }
        })
    }
}

impl Placed {
    /// The rows the region lies in, as heights.
    pub fn rows(&self) -> (f64, f64) {
        match self {
            Self::Round(unit, _) => round_rows(unit),
            Self::Poly(corners) => corners
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), c| (low.min(c[1]), high.max(c[1]))),
            Self::Line([from, to], _) => {
                let ((a, b), (c, d)) = (round_rows(from), round_rows(to));
                (a.min(c), b.max(d))
            }
        }
    }

    /// Replaces `cuts` by the places where the border crosses the height `y`, from left to right:
    /// the region lies between the first and the second, the third and the fourth, and so on.
    pub fn cut(&self, y: f64, cuts: &mut Vec<f64>) {
        cuts.clear();
        match self {
            Self::Round(unit, hole) => {
                cut_round(unit, 1.0, y, cuts);
                if *hole > 0.0 {
                    cut_round(unit, *hole, y, cuts);
                }
            }
            Self::Poly(corners) => cut_polygon(corners, y, cuts),
            Self::Line(ends, sides) => {
                ends.iter().for_each(|end| cut_round(end, 1.0, y, cuts));
                cut_polygon(sides, y, cuts);
                // The three pieces overlap and the whole is convex: only the outermost cuts count.
                let low = cuts.iter().copied().reduce(f64::min);
                let high = cuts.iter().copied().reduce(f64::max);
                cuts.clear();
                cuts.extend(low.into_iter().chain(high));
            }
        }
        cuts.sort_by(f64::total_cmp);
    }
}

/// The heights of the topmost and the lowest point of the ellipse a map takes to the unit disc.
fn round_rows(unit: &Affine) -> (f64, f64) {
    let Some(Affine { matrix: [_, _, c, d], shift }) = unit.inverse() else { return (0.0, 0.0) };
    let reach = (c * c + d * d).sqrt();
    (shift[1] - reach, shift[1] + reach)
}

fn cut_round(unit: &Affine, radius: f64, y: f64, cuts: &mut Vec<f64>) {
    let [a, b, c, d] = unit.matrix;
    let (p, q) = (b * y + unit.shift[0], d * y + unit.shift[1]);
    let square = a * a + c * c;
    let half = a * p + c * q;
    let rest = half * half - square * (p * p + q * q - radius * radius);
    if rest >= 0.0 && square > 0.0 {
        let root = rest.sqrt();
        cuts.extend([(-half - root) / square, (-half + root) / square]);
    }
}

fn cut_polygon(corners: &[Point], y: f64, cuts: &mut Vec<f64>) {
    let Some(mut before) = corners.last() else { return };
    for corner in corners {
        if (corner[1] > y) != (before[1] > y) {
            cuts.push((before[0] - corner[0]) * (y - corner[1]) / (before[1] - corner[1]) + corner[0]);
        }
        before = corner;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(geom: &Geom, place: &Affine, y: f64) -> Vec<f64> {
        let mut cuts = Vec::new();
        geom.place(place).expect("a placement of positive size").cut(y, &mut cuts);
        cuts
    }

    fn close(found: &[f64], expected: &[f64]) -> bool {
        found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    #[test]
    fn rows_are_cut_at_the_borders() {
        let here = Affine::IDENTITY;
        let square = Geom::Poly(vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]);
        assert!(close(&cuts(&square, &here, 0.5), &[0.0, 1.0]));
        let ring = Geom::Ring { centre: [2.0, 0.0], outer: 1.0, inner: 0.5 };
        assert!(close(&cuts(&ring, &here, 0.0), &[1.0, 1.5, 2.5, 3.0]));
        assert!(close(&cuts(&ring, &here, 0.6), &[1.2, 2.8]));
        let line = Geom::Line { from: [0.0, 0.0], to: [2.0, 0.0], half_width: 0.1 };
        assert!(close(&cuts(&line, &here, 0.0), &[-0.1, 2.1]));
        assert!(cuts(&line, &here, 0.2).is_empty());
    }

    #[test]
    fn placing_moves_and_scales() {
        let oval = Geom::Oval { centre: [0.5, 0.0], radii: [0.5, 0.25], axis: [1.0, 0.0] };
        let place = Affine::place([10.0, 20.0], 4.0, 0.0, 0.0, false);
        assert!(close(&cuts(&oval, &place, 20.0), &[10.0, 14.0]));
        let (low, high) = oval.place(&place).expect("a placement of positive size").rows();
        assert!(close(&[low, high], &[19.0, 21.0]));
    }
}
