//! Land seen from above, as a satellite tile shows it.
//!
//! Owns the thirteen kinds of land. North is any way up, so there is no horizon and no sky.

use super::geometry::{Affine, Point, direction};
use super::palette::{Colour, Rgb, jitter, mix};
use super::raster::{Canvas, SIDE};
use super::region::Geom;
use super::texture::{Paint, lattice, noise, wave};
use crate::util::rng::Stream;

/// How thickly something covers the land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Density {
    /// Nearly everywhere.
    Dense,
    /// Here and there.
    Sparse,
}

/// The course of a line across the land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Straight.
    Straight,
    /// In bends.
    Winding,
}

/// A kind of land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Land {
    /// A patchwork of fields, mostly of this colour.
    Fields(Colour),
    /// Trees.
    Trees(Density),
    /// Houses.
    Houses(Density),
    /// A highway with a broken middle line.
    Highway(Course),
    /// A river.
    River(Course),
    /// A lake whose water has this colour.
    Lake(Colour),
}

impl Land {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Fields(Colour::Brown),
        Self::Fields(Colour::Green),
        Self::Fields(Colour::Yellow),
        Self::Trees(Density::Dense),
        Self::Trees(Density::Sparse),
        Self::Houses(Density::Dense),
        Self::Houses(Density::Sparse),
        Self::Highway(Course::Straight),
        Self::Highway(Course::Winding),
        Self::River(Course::Straight),
        Self::River(Course::Winding),
        Self::Lake(Colour::Blue),
        Self::Lake(Colour::Green),
    ];

    /// The words: "dense trees", "winding river", "brown crop fields".
    pub fn name(self) -> String {
        let density = |d| if d == Density::Dense { "dense" } else { "sparse" };
        let course = |c| if c == Course::Straight { "straight" } else { "winding" };
        match self {
            Self::Fields(colour) => format!("{} crop fields", colour.word()),
            Self::Trees(d) => format!("{} trees", density(d)),
            Self::Houses(d) => format!("{} houses", density(d)),
            Self::Highway(c) => format!("{} highway", course(c)),
            Self::River(c) => format!("{} river", course(c)),
            Self::Lake(colour) => format!("{} lake", colour.word()),
        }
    }
}

const S: f64 = SIDE as f64;

/// Draws a tile; `colour_jitter` is the style's, in levels.
pub fn paint(land: Land, colour_jitter: f64, stream: &mut Stream) -> Canvas {
    let soil = [[122, 140, 84], [146, 136, 96], [100, 132, 76]][stream.below(3) as usize];
    let soil = jitter(soil, colour_jitter, stream);
    let seed = stream.bits() as u32;
    let mut canvas = match land {
        Land::Fields(colour) => return fields(colour, colour_jitter, seed, stream),
        _ => Canvas::soft(
            #[inline(always)]
            |[x, y]| mix(soil, [52, 66, 40], 0.5 * noise(x * 0.16, y * 0.16, seed)),
        ),
    };
    match land {
        Land::Fields(_) => {}
        Land::Trees(density) => trees(&mut canvas, density, stream),
        Land::Houses(density) => houses(&mut canvas, density, stream),
        Land::Highway(course) => {
            scatter(&mut canvas, stream);
            let line = across(course, stream);
            ribbon(&mut canvas, &line, jitter([120, 120, 124], 8.0, stream), |_| 2.9);
            for pair in line.chunks_exact(2) {
                ribbon(&mut canvas, pair, [244, 242, 226], |_| 0.5);
            }
        }
        Land::River(course) => {
            scatter(&mut canvas, stream);
            let line = across(course, stream);
            let water = jitter([52, 104, 158], colour_jitter, stream);
            ribbon(&mut canvas, &line, mix(water, [200, 190, 140], 0.6), |k| 4.4 + 0.9 * wave(k * 0.23));
            ribbon(&mut canvas, &line, water, |k| 3.4 + 0.9 * wave(k * 0.23));
        }
        Land::Lake(colour) => lake(&mut canvas, colour, seed, stream),
    }
    canvas
}

fn put(canvas: &mut Canvas, geom: &Geom, rgb: Rgb) {
    canvas.paint(geom, &Affine::IDENTITY, &Paint::plain(rgb));
}

fn fields(colour: Colour, colour_jitter: f64, seed: u32, stream: &mut Stream) -> Canvas {
    let main: Rgb = match colour {
        Colour::Brown => [146, 104, 66],
        Colour::Green => [92, 150, 62],
        _ => [216, 190, 84],
    };
    let main = jitter(main, colour_jitter, stream);
    let [c, s] = direction(stream.uniform());
    let size = stream.uniform_in(11.0, 16.0);
    Canvas::new(
        #[inline(always)]
        move |[x, y]| {
            let (u, v) = ((c * x + s * y) / size + 64.3, (c * y - s * x) / (size * 1.3) + 64.6);
            let bits = lattice(u as i32, v as i32, seed);
            if u - u.floor() < 0.06 || v - v.floor() < 0.05 {
                return [86, 96, 60];
            }
            let shade = f64::from(bits & 255) / 255.0;
            let patch = if bits & 0x700 == 0 {
                [120, 132, 72]
            } else {
                mix(mix(main, [255, 250, 220], 0.3 * shade), [40, 40, 20], 0.22 * (1.0 - shade))
            };
            let along = if bits & 0x800 == 0 { u } else { v } * 5.0;
            if along - along.floor() < 0.35 { mix(patch, [40, 36, 20], 0.18) } else { patch }
        },
    )
}

fn crown(canvas: &mut Canvas, at: Point, radius: f64, shade: u8) {
    let shadow = Geom::Ring { centre: [at[0] + 0.8, at[1] + 0.9], outer: radius, inner: 0.0 };
    put(canvas, &shadow, [30, 46, 28]);
    put(canvas, &Geom::Ring { centre: at, outer: radius, inner: 0.0 }, [40 + shade / 2, 88 + shade, 42]);
    let light = Geom::Ring { centre: [at[0] - 0.6, at[1] - 0.7], outer: radius * 0.5, inner: 0.0 };
    put(canvas, &light, [66 + shade / 2, 120 + shade, 58]);
}

fn trees(canvas: &mut Canvas, density: Density, stream: &mut Stream) {
    let (count, jump) = if density == Density::Dense { (9, 1.8) } else { (3, 5.0) };
    let step = S / f64::from(count);
    for k in 0..count * count {
        let x = (f64::from(k % count) + 0.5) * step + stream.uniform_in(-jump, jump);
        let y = (f64::from(k / count) + 0.5) * step + stream.uniform_in(-jump, jump);
        crown(canvas, [x, y], stream.uniform_in(2.2, 3.4), stream.below(24) as u8);
    }
}

fn scatter(canvas: &mut Canvas, stream: &mut Stream) {
    for _ in 0..stream.below(9) {
        let at = [stream.uniform_in(0.0, S), stream.uniform_in(0.0, S)];
        crown(canvas, at, stream.uniform_in(1.6, 2.6), stream.below(24) as u8);
    }
}

fn houses(canvas: &mut Canvas, density: Density, stream: &mut Stream) {
    let (count, jump) = if density == Density::Dense { (5, 0.8) } else { (2, 5.0) };
    let step = S / f64::from(count);
    let lean = stream.uniform_in(-0.06, 0.06);
    if density == Density::Dense {
        for k in 0..=count {
            let at = f64::from(k) * step;
            let lane = Geom::Line { from: [-4.0, at], to: [S + 4.0, at], half_width: 0.9 };
            put(canvas, &lane, [158, 156, 150]);
        }
    }
    for k in 0..count * count {
        let x = (f64::from(k % count) + 0.5) * step + stream.uniform_in(-jump, jump);
        let y = (f64::from(k / count) + 0.5) * step + stream.uniform_in(-jump, jump);
        let roof = [[186, 92, 66], [166, 78, 58], [150, 146, 146], [204, 124, 88]][stream.below(4) as usize];
        let place = Affine::place([x, y], stream.uniform_in(2.9, 3.5), lean, 0.0, stream.chance(0.5));
        let paint = |canvas: &mut Canvas, corners: &[Point], rgb| {
            canvas.paint(&Geom::Poly(corners.to_vec()), &place, &Paint::plain(rgb));
        };
        paint(canvas, &[[-0.8, -0.5], [1.3, -0.5], [1.3, 1.1], [-0.8, 1.1]], [44, 44, 40]);
        paint(canvas, &[[-1.0, -0.75], [1.0, -0.75], [1.0, 0.0], [-1.0, 0.0]], roof);
        paint(canvas, &[[-1.0, 0.0], [1.0, 0.0], [1.0, 0.75], [-1.0, 0.75]], mix(roof, [0, 0, 0], 0.25));
    }
}

/// Points along a line that crosses the whole tile.
fn across(course: Course, stream: &mut Stream) -> Vec<Point> {
    let [c, s] = direction(stream.uniform());
    let offset = stream.uniform_in(-7.0, 7.0);
    let (swing, start) = (stream.uniform_in(7.0, 10.0), stream.uniform());
    let period = stream.uniform_in(26.0, 36.0);
    let at = |k: i32| {
        let along = f64::from(k) * 2.2 - 39.6;
        let side = match course {
            Course::Straight => offset,
            Course::Winding => offset * 0.4 + swing * wave(along / period + start),
        };
        [24.0 + c * along - s * side, 24.0 + s * along + c * side]
    };
    (0..37).map(at).collect()
}

fn ribbon(canvas: &mut Canvas, line: &[Point], rgb: Rgb, half_width: impl Fn(f64) -> f64) {
    for (k, pair) in line.windows(2).enumerate() {
        let piece = Geom::Line { from: pair[0], to: pair[1], half_width: half_width(k as f64) };
        put(canvas, &piece, rgb);
    }
}

fn lake(canvas: &mut Canvas, colour: Colour, seed: u32, stream: &mut Stream) {
    scatter(canvas, stream);
    let water = if colour == Colour::Blue { [48, 102, 168] } else { [62, 132, 104] };
    let centre = [stream.uniform_in(20.0, 28.0), stream.uniform_in(20.0, 28.0)];
    let size = stream.uniform_in(13.0, 18.0);
    let rim = |grow: f64| {
        let corner = |k: u32| {
            let [c, s] = direction(f64::from(k) / 28.0);
            let r = (size + grow) * (0.7 + 0.6 * noise(2.0 + 1.6 * c, 2.0 + 1.6 * s, seed));
            [centre[0] + r * c, centre[1] + r * s]
        };
        Geom::Poly((0..28).map(corner).collect())
    };
    put(canvas, &rim(1.8), [206, 192, 146]);
    put(canvas, &rim(0.0), water);
}
