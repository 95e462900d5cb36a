//! Points, directions and affine placements for the renderer.
//!
//! Owns the arithmetic only. Everything uses `+ - * /`, `floor` and comparisons, which IEEE 754 fixes
//! to the last bit; the C library's sine and cosine are not, so [`direction`] brings its own.

/// A point or vector, `[x, y]`, y pointing down.
pub type Point = [f64; 2];

/// `[cos, sin]` of an angle given in full turns, by Taylor polynomials on a quarter turn
/// (absolute error below 1e-9), the same bits on every machine.
pub fn direction(turns: f64) -> Point {
    let turn = turns - turns.floor();
    let quarter = (turn * 4.0).floor();
    let x = (turn - quarter / 4.0) * std::f64::consts::TAU;
    let (mut cos, mut sin, mut term) = (0.0, 0.0, 1.0);
    for k in 0..16 {
        let sign = if k % 4 < 2 { term } else { -term };
        if k % 2 == 0 {
            cos += sign
        } else {
            sin += sign
        }
        term *= x / f64::from(k + 1);
    }
    match quarter as u8 {
        0 => [cos, sin],
        1 => [-sin, cos],
        2 => [-cos, -sin],
        _ => [sin, -cos],
    }
}

/// A map from one plane to another: `x' = a·x + b·y + tx`, `y' = c·x + d·y + ty`.
#[derive(Clone, Copy, Debug)]
pub struct Affine {
    /// The 2×2 matrix, row by row.
    pub matrix: [f64; 4],
    /// The translation.
    pub shift: Point,
}

impl Affine {
    /// The map that changes nothing: for drawings made in image pixels already.
    pub const IDENTITY: Self = Self { matrix: [1.0, 0.0, 0.0, 1.0], shift: [0.0, 0.0] };

    /// Puts an object of the plane [-1, 1]² at `centre`, `half` pixels to each side, sheared
    /// sideways by `shear`, then turned by `turns`; `flip` mirrors it left to right.
    pub fn place(centre: Point, half: f64, turns: f64, shear: f64, flip: bool) -> Self {
        let [cos, sin] = direction(turns);
        let mirror = if flip { -half } else { half };
        let matrix = [cos * mirror, (cos * shear - sin) * half, sin * mirror, (sin * shear + cos) * half];
        Self { matrix, shift: centre }
    }

    /// The image of a point.
    pub fn apply(&self, [x, y]: Point) -> Point {
        let [a, b, c, d] = self.matrix;
        [a * x + b * y + self.shift[0], c * x + d * y + self.shift[1]]
    }

    /// The map back, or `None` for a placement that flattens the plane.
    pub fn inverse(&self) -> Option<Self> {
        let [a, b, c, d] = self.matrix;
        let det = a * d - b * c;
        if det.abs() < 1e-9 {
            return None;
        }
        let matrix = [d / det, -b / det, -c / det, a / det];
        let back = Self { matrix, shift: [0.0, 0.0] };
        let [x, y] = back.apply(self.shift);
        Some(Self { matrix, shift: [-x, -y] })
    }
}

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
    /// A disc with a round hole.
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

impl Geom {
    /// The smallest axis-parallel box known to hold the region: `[x0, y0, x1, y1]`.
    pub fn bounds(&self) -> [f64; 4] {
        match self {
            Self::Oval { centre: [x, y], radii: [rx, ry], .. } => {
                let r = rx.max(*ry);
                [x - r, y - r, x + r, y + r]
            }
            Self::Ring { centre: [x, y], outer, .. } => [x - outer, y - outer, x + outer, y + outer],
            Self::Poly(corners) => corners.iter().fold(EMPTY, |b, p| grow(b, *p, 0.0)),
            Self::Line { from, to, half_width } => grow(grow(EMPTY, *from, *half_width), *to, *half_width),
        }
    }

    /// Whether the region holds the point.
    pub fn contains(&self, [x, y]: Point) -> bool {
        match self {
            Self::Oval { centre, radii, axis } => {
                let (dx, dy) = (x - centre[0], y - centre[1]);
                let u = (dx * axis[0] + dy * axis[1]) / radii[0];
                let v = (dy * axis[0] - dx * axis[1]) / radii[1];
                u * u + v * v <= 1.0
            }
            Self::Ring { centre, outer, inner } => {
                let square = (x - centre[0]) * (x - centre[0]) + (y - centre[1]) * (y - centre[1]);
                square <= outer * outer && square >= inner * inner
            }
            Self::Poly(corners) => in_polygon(corners, x, y),
            Self::Line { from, to, half_width } => {
                let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
                let (px, py) = (x - from[0], y - from[1]);
                let along = ((px * dx + py * dy) / (dx * dx + dy * dy).max(1e-12)).clamp(0.0, 1.0);
                let (ex, ey) = (px - along * dx, py - along * dy);
                ex * ex + ey * ey <= half_width * half_width
            }
        }
    }
}

const EMPTY: [f64; 4] = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];

fn grow(b: [f64; 4], [x, y]: Point, by: f64) -> [f64; 4] {
    [b[0].min(x - by), b[1].min(y - by), b[2].max(x + by), b[3].max(y + by)]
}

fn in_polygon(corners: &[Point], x: f64, y: f64) -> bool {
    let Some(mut before) = corners.last() else { return false };
    let mut inside = false;
    for corner in corners {
        if (corner[1] > y) != (before[1] > y) {
            let cut = (before[0] - corner[0]) * (y - corner[1]) / (before[1] - corner[1]) + corner[0];
            inside ^= x < cut;
        }
        before = corner;
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_match_the_library_closely() {
        for k in -50..50 {
            let turns = f64::from(k) / 17.0;
            let [cos, sin] = direction(turns);
            let angle = turns * std::f64::consts::TAU;
            assert!((cos - angle.cos()).abs() < 1e-9 && (sin - angle.sin()).abs() < 1e-9, "{turns}");
        }
    }

    #[test]
    fn a_placement_and_its_inverse_cancel() {
        let there = Affine::place([20.0, 30.0], 12.0, 0.13, 0.3, true);
        let back = there.inverse().expect("a placement of positive size");
        let [x, y] = back.apply(there.apply([0.4, -0.7]));
        assert!((x - 0.4).abs() < 1e-12 && (y + 0.7).abs() < 1e-12);
    }

    #[test]
    fn regions_hold_their_insides_only() {
        let square = Geom::Poly(vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]);
        assert!(square.contains([0.5, 0.5]) && !square.contains([1.5, 0.5]));
        let ring = Geom::Ring { centre: [0.0, 0.0], outer: 1.0, inner: 0.5 };
        assert!(ring.contains([0.7, 0.0]) && !ring.contains([0.2, 0.0]));
        let line = Geom::Line { from: [0.0, 0.0], to: [2.0, 0.0], half_width: 0.1 };
        assert!(line.contains([2.05, 0.0]) && !line.contains([1.0, 0.2]));
    }
}
