//! What lies behind an object: grounds and clutter.
//!
//! Owns no style: which grounds and how much clutter are the style's to say.

use super::geometry::{Affine, Point, direction};
use super::palette::{Colour, Rgb, jitter, mix};
use super::raster::{Canvas, SIDE};
use super::region::Geom;
use super::texture::{Paint, Texture, noise};
use crate::util::rng::Stream;

/// A kind of ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backdrop {
    /// One colour.
    Plain,
    /// One colour into a darker one.
    Gradient,
    /// Wide stripes.
    Striped,
    /// Large checks.
    Checkered,
    /// Rows of dots.
    Dotted,
    /// Soft clouds of two shades.
    Cloudy,
    /// A wall above a floor.
    Room,
    /// Blue sky with clouds.
    Sky,
    /// Sky above grass.
    Meadow,
    /// Grass seen from near.
    Grass,
    /// Wooden boards.
    Planks,
    /// Sky, kerb and asphalt.
    Street,
}

impl Backdrop {
    /// The colour of a ground that has one of its own, with the nearest colour word; `None` for a
    /// ground that takes any colour.
    pub fn own_colour(self) -> Option<(Colour, Rgb)> {
        match self {
            Self::Sky => Some((Colour::Blue, [120, 178, 234])),
            Self::Meadow | Self::Grass => Some((Colour::Green, [96, 150, 66])),
            Self::Planks => Some((Colour::Brown, [153, 108, 67])),
            Self::Street => Some((Colour::Grey, [104, 104, 110])),
            _ => None,
        }
    }

    /// A phrase for captions, where the ground has a name.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Striped => Some("striped"),
            Self::Checkered => Some("checkered"),
            Self::Dotted => Some("dotted"),
            _ => None,
        }
    }

    /// A canvas covered by the ground. `main` is its colour, if it takes one.
    pub fn canvas(self, main: Rgb, stream: &mut Stream) -> Canvas {
        let seed = stream.bits() as u32;
        let second = mix(main, if stream.chance(0.5) { [0, 0, 0] } else { [255, 255, 255] }, 0.28);
        let level = stream.uniform_in(26.0, 36.0);
        match self {
            Self::Plain => Canvas::soft(
                #[inline(always)]
                |_| main,
            ),
            Self::Gradient => {
                let [c, s] = direction(stream.uniform());
                Canvas::soft(
                    #[inline(always)]
                    |[x, y]| mix(main, second, ((x - 24.0) * c + (y - 24.0) * s) / 68.0 + 0.5),
                )
            }
            Self::Striped => {
                patterned(Texture::Striped, [main, second], stream.uniform_in(8.0, 13.0), stream)
            }
            Self::Checkered => {
                patterned(Texture::Checkered, [main, second], stream.uniform_in(12.0, 20.0), stream)
            }
            Self::Dotted => patterned(Texture::Dotted, [main, second], stream.uniform_in(7.0, 11.0), stream),
            Self::Cloudy => Canvas::soft(
                #[inline(always)]
                |[x, y]| mix(main, second, clouds(x, y, seed)),
            ),
            Self::Room => Canvas::soft(
                #[inline(always)]
                |[_, y]| if y < level { main } else { second },
            ),
            Self::Sky => {
                let blue = jitter([120, 178, 234], 18.0, stream);
                Canvas::soft(
                    #[inline(always)]
                    |[x, y]| {
                        mix(blue, [250, 252, 255], (clouds(x, y * 1.8, seed) * 2.2 - 1.0).clamp(0.0, 1.0))
                    },
                )
            }
            Self::Meadow => {
                let blue = jitter([150, 198, 238], 16.0, stream);
                let green = jitter([104, 158, 72], 18.0, stream);
                Canvas::soft(
                    #[inline(always)]
                    |[x, y]| if y < level { blue } else { blades(green, x, y, seed) },
                )
            }
            Self::Grass => {
                let green = jitter([96, 150, 66], 20.0, stream);
                Canvas::soft(
                    #[inline(always)]
                    |[x, y]| blades(green, x, y, seed),
                )
            }
            Self::Planks => {
                let wood = jitter([176, 128, 82], 20.0, stream);
                Canvas::new(
                    #[inline(always)]
                    |[x, y]| plank(wood, x, y, seed),
                )
            }
            Self::Street => {
                let sky = jitter([190, 206, 222], 16.0, stream);
                let road = jitter([104, 104, 110], 10.0, stream);
                Canvas::new(
                    #[inline(always)]
                    |[_, y]| street(sky, road, y - level),
                )
            }
        }
    }
}

/// Scatters small figures of muted colours over the canvas, away from nothing: what comes later
/// covers them.
pub fn clutter(canvas: &mut Canvas, count: u64, strength: f64, stream: &mut Stream) {
    let side = SIDE as f64;
    for _ in 0..count {
        let at = [stream.uniform_in(0.0, side), stream.uniform_in(0.0, side)];
        let size = stream.uniform_in(1.5, 5.0);
        let colour = Colour::ALL[stream.below(11) as usize].rgb();
        let paint = Paint::plain(mix([150, 148, 140], colour, strength));
        let [c, s] = direction(stream.uniform());
        let geom = match stream.below(3) {
            0 => Geom::Oval { centre: at, radii: [size, size * 0.7], axis: [c, s] },
            1 => Geom::Poly(vec![
                [at[0] + size * c, at[1] + size * s],
                [at[0] - size * s, at[1] + size * c],
                [at[0] - size * c, at[1] - size * s],
            ]),
            _ => Geom::Line {
                from: at,
                to: [at[0] + 2.0 * size * c, at[1] + 2.0 * size * s],
                half_width: size * 0.22,
            },
        };
        canvas.paint(&geom, &Affine::IDENTITY, &paint);
    }
}

fn patterned(texture: Texture, [base, mark]: [Rgb; 2], period: f64, stream: &mut Stream) -> Canvas {
    let [c, s] = direction(stream.uniform());
    let paint = Paint { texture, base, mark, grain: [c / period, s / period], seed: 0 };
    Canvas::new(
        #[inline(always)]
        |point: Point| paint.at(point),
    )
}

#[inline(always)]
fn clouds(x: f64, y: f64, seed: u32) -> f64 {
    0.65 * noise(x * 0.09, y * 0.09, seed) + 0.35 * noise(x * 0.23, y * 0.23, seed ^ 0x55)
}

#[inline(always)]
fn blades(green: Rgb, x: f64, y: f64, seed: u32) -> Rgb {
    mix(green, [30, 70, 20], 0.5 * noise(x * 0.9, y * 0.35, seed))
}

#[inline(always)]
fn plank(wood: Rgb, x: f64, y: f64, seed: u32) -> Rgb {
    let board = (y / 9.0).floor();
    if y - board * 9.0 < 0.7 {
        return mix(wood, [40, 24, 10], 0.7);
    }
    mix(wood, [90, 56, 28], 0.55 * noise(x * 0.12, y * 1.1 + board * 7.0, seed))
}

#[inline(always)]
fn street(sky: Rgb, road: Rgb, below: f64) -> Rgb {
    if below < 0.0 {
        sky
    } else if below < 2.5 {
        [196, 192, 184]
    } else {
        road
    }
}
