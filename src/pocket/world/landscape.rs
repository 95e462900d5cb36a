//! Landscapes: what each place looks like.
//!
//! Owns the eight drawings. Colours are written as in daylight; the weather changes them on their way
//! to the canvas, except those of sun, moon, stars, lit windows and flakes.

use super::geometry::{Affine, Point};
use super::palette::{Rgb, jitter, mix};
use super::place::{Place, Weather};
use super::raster::{Canvas, SIDE};
use super::region::Geom;
use super::texture::{Paint, lattice};
use crate::util::rng::Stream;

const S: f64 = SIDE as f64;

/// A landscape under construction.
struct Scenery<'a> {
    canvas: Canvas,
    weather: Weather,
    stream: &'a mut Stream,
    horizon: f64,
}

/// Draws a place; `colour_jitter` is the style's, in levels.
pub fn paint(place: Place, weather: Weather, colour_jitter: f64, stream: &mut Stream) -> Canvas {
    let horizon = stream.uniform_in(19.0, 26.0);
    let [top, low] = weather.sky().map(|c| jitter(c, colour_jitter * 0.5, stream));
    let canvas = Canvas::soft(
        #[inline(always)]
        |[_, y]| mix(top, low, (y / horizon).min(1.0)),
    );
    let mut scenery = Scenery { canvas, weather, stream, horizon };
    scenery.light();
    match place {
        Place::Beach => scenery.beach(),
        Place::Forest => scenery.forest(),
        Place::Mountain => scenery.mountain(),
        Place::City => scenery.city(),
        Place::Desert => scenery.desert(),
        Place::Lake => scenery.lake(),
        Place::Road => scenery.road(),
        Place::Farm => scenery.farm(),
    }
    scenery.air();
    scenery.canvas
}

impl Scenery<'_> {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.stream.uniform_in(low, high)
    }

    fn put(&mut self, geom: Geom, rgb: Rgb) {
        let paint = Paint::plain(self.weather.tone(rgb));
        self.canvas.paint(&geom, &Affine::IDENTITY, &paint);
    }

    fn poly(&mut self, rgb: Rgb, corners: &[Point]) {
        self.put(Geom::Poly(corners.to_vec()), rgb);
    }

    fn rect(&mut self, rgb: Rgb, x0: f64, y0: f64, x1: f64, y1: f64) {
        self.poly(rgb, &[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]);
    }

    fn oval(&mut self, rgb: Rgb, x: f64, y: f64, rx: f64, ry: f64) {
        self.put(Geom::Oval { centre: [x, y], radii: [rx, ry], axis: [1.0, 0.0] }, rgb);
    }

    fn line(&mut self, rgb: Rgb, from: Point, to: Point, half_width: f64) {
        self.put(Geom::Line { from, to, half_width }, rgb);
    }

    /// Everything below the horizon.
    fn ground(&mut self, rgb: Rgb) {
        let horizon = self.horizon;
        self.rect(rgb, 0.0, horizon, S, S);
    }

    /// Sun or moon and stars, as the weather has them; these keep their own colours.
    fn light(&mut self) {
        let [x, y] = [self.between(6.0, 42.0), self.between(4.0, 9.0)];
        let (rgb, y, radius) = match self.weather {
            Weather::Sunny => ([255, 236, 120], y, 4.0),
            Weather::Sunset => ([255, 226, 130], self.horizon - 2.0, 6.0),
            Weather::Moonlit => ([236, 238, 220], y, 3.2),
            Weather::Snowy | Weather::Foggy => return,
        };
        if self.weather == Weather::Moonlit {
            for _ in 0..14 {
                let star = [self.between(0.0, S), self.between(0.0, 18.0)];
                let geom = Geom::Ring { centre: star, outer: 0.45, inner: 0.0 };
                self.canvas.paint(&geom, &Affine::IDENTITY, &Paint::plain([220, 224, 240]));
            }
        }
        let disc = Geom::Ring { centre: [x, y], outer: radius, inner: 0.0 };
        self.canvas.paint(&disc, &Affine::IDENTITY, &Paint::plain(rgb));
    }

    /// What hangs in the air before everything else.
    fn air(&mut self) {
        if self.weather != Weather::Snowy {
            return;
        }
        for _ in 0..34 {
            let centre = [self.between(0.0, S), self.between(0.0, S)];
            let outer = self.between(0.4, 0.9);
            let flake = Geom::Ring { centre, outer, inner: 0.0 };
            self.canvas.paint(&flake, &Affine::IDENTITY, &Paint::plain([255, 255, 255]));
        }
    }

    fn fir(&mut self, x: f64, foot: f64, height: f64) {
        let green = [38 + (lattice(x as i32, foot as i32, 3) & 15) as u8, 96, 52];
        self.rect([86, 60, 36], x - height * 0.05, foot - height * 0.2, x + height * 0.05, foot);
        for k in 0..3 {
            let top = foot - height * (0.52 + 0.16 * f64::from(k));
            let half = height * (0.3 - 0.07 * f64::from(k));
            self.poly(
                green,
                &[[x, top - height * 0.16], [x + half, top + height * 0.34], [x - half, top + height * 0.34]],
            );
        }
    }

    fn beach(&mut self) {
        self.ground([44, 128, 180]);
        let [left, right] = [self.between(27.0, 36.0), self.between(31.0, 42.0)];
        let shore = [[0.0, left], [16.0, left + 2.0], [32.0, right - 2.0], [S, right]];
        let foam: Vec<Point> = shore.iter().map(|p| [p[0], p[1] - 1.6]).chain([[S, S], [0.0, S]]).collect();
        self.poly([236, 244, 246], &foam);
        let sand: Vec<Point> = shore.iter().copied().chain([[S, S], [0.0, S]]).collect();
        self.poly([236, 208, 144], &sand);
        let x = self.between(8.0, 40.0);
        self.line([140, 96, 54], [x, 46.0], [x + 3.0, 22.0], 0.9);
        for [dx, dy] in [[-9.0, 1.0], [-6.0, -5.0], [2.0, -7.0], [8.0, -3.0], [9.0, 4.0]] {
            self.line([46, 128, 58], [x + 3.0, 22.0], [x + 3.0 + dx, 22.0 + dy], 1.1);
        }
    }

    fn forest(&mut self) {
        self.ground([82, 116, 58]);
        for row in 0..3 {
            let foot = self.horizon + 5.0 + 8.0 * f64::from(row);
            let height = 17.0 + 5.0 * f64::from(row);
            for k in 0..6 - row {
                let x = (f64::from(k) + 0.5) * S / f64::from(6 - row) + self.between(-3.0, 3.0);
                let height = height * self.between(0.85, 1.15);
                self.fir(x, foot, height);
            }
        }
    }

    fn mountain(&mut self) {
        self.ground([104, 148, 78]);
        for (low, high) in [(4.0, 16.0), (30.0, 44.0), (17.0, 31.0)] {
            let [x, top] = [self.between(low, high), self.between(4.0, 12.0)];
            let base = self.horizon + 9.0;
            let half = (base - top) * self.between(0.55, 0.75);
            self.poly([112, 108, 118], &[[x, top], [x + half, base], [x - half, base]]);
            self.poly([84, 80, 92], &[[x, top], [x + half, base], [x + half * 0.25, base]]);
            let cap = 0.3;
            let y = top + (base - top) * cap;
            self.poly(
                [248, 250, 252],
                &[
                    [x, top],
                    [x + half * cap, y],
                    [x + half * 0.1, y - 1.6],
                    [x - half * 0.1, y + 1.2],
                    [x - half * cap, y],
                ],
            );
        }
        let meadow = self.horizon + 7.0;
        self.rect([104, 148, 78], 0.0, meadow, S, S);
    }

    fn city(&mut self) {
        self.ground([112, 114, 120]);
        let mut x = self.between(-4.0, 0.0);
        while x < S {
            let [width, top] = [self.between(7.0, 12.0), self.between(5.0, 22.0)];
            let wall = [[128, 132, 148], [156, 130, 116], [96, 108, 130]][self.stream.below(3) as usize];
            self.rect(wall, x, top, x + width, 43.0);
            self.windows(x, top, width);
            x += width + self.between(0.0, 1.5);
        }
        self.rect([70, 72, 78], 0.0, 42.5, S, S);
    }

    fn windows(&mut self, x: f64, top: f64, width: f64) {
        let lit = self.weather == Weather::Moonlit;
        let glass = if lit { [255, 222, 120] } else { self.weather.tone([212, 230, 244]) };
        let paint = Paint::plain(glass);
        let mut y = top + 2.0;
        while y < 39.0 {
            for k in 0..((width - 1.5) / 2.8) as u32 {
                if self.stream.chance(if lit { 0.55 } else { 0.85 }) {
                    let left = x + 1.4 + 2.8 * f64::from(k);
                    let corners = [[left, y], [left + 1.5, y], [left + 1.5, y + 1.8], [left, y + 1.8]];
                    self.canvas.paint(&Geom::Poly(corners.to_vec()), &Affine::IDENTITY, &paint);
                }
            }
            y += 3.6;
        }
    }

    fn desert(&mut self) {
        self.ground([228, 182, 104]);
        for rgb in [[216, 166, 92], [236, 194, 118], [206, 154, 82]] {
            let [x, y] = [self.between(0.0, S), self.between(34.0, 48.0)];
            self.oval(rgb, x, y, 22.0, 9.0);
        }
        for _ in 0..2 {
            let [x, foot] = [self.between(6.0, 42.0), self.between(32.0, 44.0)];
            let green = [70, 128, 66];
            self.line(green, [x, foot], [x, foot - 15.0], 1.7);
            self.line(green, [x, foot - 6.0], [x - 5.0, foot - 7.0], 1.1);
            self.line(green, [x - 5.0, foot - 7.0], [x - 5.0, foot - 12.0], 1.1);
            self.line(green, [x, foot - 4.0], [x + 5.0, foot - 5.0], 1.1);
            self.line(green, [x + 5.0, foot - 5.0], [x + 5.0, foot - 10.0], 1.1);
        }
    }

    fn lake(&mut self) {
        let horizon = self.horizon;
        for _ in 0..3 {
            let x = self.between(0.0, S);
            let [rx, ry] = [self.between(12.0, 20.0), self.between(4.0, 9.0)];
            self.oval([72, 118, 74], x, horizon + 1.0, rx, ry);
        }
        self.ground([92, 146, 76]);
        let [x, rx] = [self.between(18.0, 30.0), self.between(19.0, 24.0)];
        let middle = horizon + 11.0;
        self.oval([198, 190, 150], x, middle, rx + 1.4, 9.2);
        self.oval([58, 132, 196], x, middle, rx, 8.2);
        for _ in 0..6 {
            let [at, y] = [x + self.between(-12.0, 8.0), middle + self.between(-5.0, 5.0)];
            self.line([150, 200, 232], [at, y], [at + 4.5, y], 0.4);
        }
        let side = if self.stream.chance(0.5) { 5.0 } else { 42.0 };
        self.fir(side, 46.0, 20.0);
    }

    fn road(&mut self) {
        self.ground([112, 156, 80]);
        let [x, horizon] = [self.between(19.0, 29.0), self.horizon];
        let foot = self.between(20.0, 28.0);
        self.poly(
            [96, 96, 102],
            &[[x - 0.8, horizon], [x + 0.8, horizon], [foot + 19.0, S], [foot - 19.0, S]],
        );
        for k in 0..4 {
            let near = [0.14, 0.32, 0.56, 0.84][k];
            let far = [0.08, 0.22, 0.42, 0.68][k];
            let at = |t: f64, side: f64| {
                [x + (foot - x) * t + side * (0.2 + 1.4 * t), horizon + (S - horizon) * t]
            };
            self.poly([244, 240, 220], &[at(far, -1.0), at(far, 1.0), at(near, 1.0), at(near, -1.0)]);
        }
        for side in [-1.0, 1.0] {
            let pole = x + side * 13.0;
            self.line([92, 70, 50], [pole, horizon + 8.0], [pole, horizon - 8.0], 0.6);
        }
    }

    fn farm(&mut self) {
        self.ground([120, 164, 70]);
        let [x, horizon] = [self.between(10.0, 38.0), self.horizon];
        for k in -7..8 {
            let foot = x + f64::from(k) * 11.0;
            let row = [[x + f64::from(k) * 1.3, horizon], [foot + 5.0, S], [foot, S]];
            self.poly([204, 176, 72], &row);
        }
        let barn = self.between(6.0, 32.0);
        self.rect([176, 50, 44], barn, horizon - 6.0, barn + 12.0, horizon + 4.0);
        self.poly(
            [96, 84, 84],
            &[[barn - 1.5, horizon - 5.5], [barn + 6.0, horizon - 12.0], [barn + 13.5, horizon - 5.5]],
        );
        self.rect([246, 240, 228], barn + 4.0, horizon - 1.0, barn + 8.0, horizon + 4.0);
    }
}
