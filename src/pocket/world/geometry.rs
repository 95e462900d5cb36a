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
    #[inline(always)]
    pub fn apply(&self, [x, y]: Point) -> Point {
        let [a, b, c, d] = self.matrix;
        [a * x + b * y + self.shift[0], c * x + d * y + self.shift[1]]
    }

    /// This map first, then `next`.
    pub fn then(&self, next: &Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.matrix, next.matrix);
        let matrix = [e * a + f * c, e * b + f * d, g * a + h * c, g * b + h * d];
        Self { matrix, shift: next.apply(self.shift) }
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
}
