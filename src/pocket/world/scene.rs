//! From a subject and a style to a picture.
//!
//! Owns the composition: [`Scene::compose`] makes the choices a caption may mention, [`Scene::render`]
//! draws. Both consume the same stream in turn, so a scene must be rendered right after it is composed.

use super::backdrop::{Backdrop, clutter};
use super::geometry::{Affine, direction};
use super::palette::{Colour, Rgb, byte, distance, jitter, luma, mix, opposite};
use super::raster::{Canvas, SIDE};
use super::shapes::people::act;
use super::sketch::{Ink, Sketch};
use super::style::{Finish, Range, Style, mosaic};
use super::subject::Subject;
use super::texture::{Paint, Texture};
use super::{landscape, tile};
use crate::preprocess::Rgb8;
use crate::util::rng::Stream;

/// A picture's plan.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// What it shows, with nothing left open.
    pub subject: Subject,
    /// How it looks.
    pub style: Style,
    /// What lies behind an object or a person.
    pub backdrop: Backdrop,
    /// The colour word of the body: the object's, or a person's shirt.
    pub shirt: Colour,
    /// The ground's colour word.
    pub ground: Colour,
    /// Half the object's size in pixels.
    pub half: f64,
    /// How it is put on paper.
    pub finish: Finish,
    /// Whether it is out of focus.
    pub blurred: bool,
    ground_rgb: Rgb,
    body: Rgb,
}

impl Scene {
    /// Makes the choices for one picture.
    pub fn compose(subject: Subject, style: &Style, stream: &mut Stream) -> Self {
        let subject = subject.settle(stream);
        let finish = *pick(style.finishes, stream);
        let shirt = match subject {
            Subject::Thing { colour, .. } => colour.unwrap_or(Colour::Grey),
            Subject::Pattern { colour, .. } => colour,
            _ => *pick(&Colour::ALL, stream),
        };
        let body = jitter(shirt.rgb(), style.colour_jitter, stream);
        let (backdrop, ground, ground_rgb) = ground(style, body, stream);
        let half = draw(style.half, stream);
        let blurred = stream.chance(style.blur);
        Self { subject, style: *style, shirt, backdrop, ground, half, finish, blurred, ground_rgb, body }
    }

    /// Draws the picture, `SIDE × SIDE`.
    pub fn render(&self, stream: &mut Stream) -> Rgb8 {
        let jitter = self.style.colour_jitter;
        let mut canvas = match self.subject {
            Subject::Thing { object, texture, .. } => {
                let mut sketch = Sketch::default();
                (object.draw)(&mut sketch, stream);
                let accent = if stream.chance(0.5) { opposite(self.body) } else { self.accent(stream) };
                self.objects(&sketch, texture.unwrap_or(Texture::Plain), accent, stream)
            }
            Subject::Action { verb, prop } => {
                let mut sketch = Sketch::default();
                act(&mut sketch, verb, prop, stream);
                let accent = self.accent(stream);
                self.objects(&sketch, Texture::Plain, accent, stream)
            }
            Subject::Pattern { texture, .. } => self.pattern(texture, stream),
            Subject::Place { place, weather } => landscape::paint(place, weather, jitter, stream),
            Subject::Tile(land) => tile::paint(land, jitter, stream),
        };
        self.put_on_paper(&mut canvas);
        let mut bytes = canvas.finish();
        if self.finish == Finish::Mosaic {
            mosaic(&mut bytes);
        }
        self.style.develop(&mut bytes, self.blurred, stream);
        Rgb8::new(SIDE, SIDE, bytes).expect("a canvas has SIDE × SIDE pixels")
    }

    /// A colour word that shows on the ground and beside the body.
    fn accent(&self, stream: &mut Stream) -> Rgb {
        let mut best = opposite(self.ground_rgb);
        for _ in 0..6 {
            let rgb = pick(&Colour::ALL, stream).rgb();
            if distance(rgb, self.ground_rgb) > 190 && distance(rgb, self.body) > 150 {
                best = rgb;
                break;
            }
        }
        best
    }

    fn objects(&self, sketch: &Sketch, texture: Texture, accent: Rgb, stream: &mut Stream) -> Canvas {
        let style = &self.style;
        let mut canvas = self.backdrop.canvas(self.ground_rgb, stream);
        let count = style.clutter.0 + stream.below(style.clutter.1 - style.clutter.0 + 1);
        clutter(&mut canvas, count, style.clutter_strength, stream);
        let mut around = |reach: f64| stream.uniform_in(-reach, reach);
        let centre = [24.0 + around(style.offset), 24.0 + around(style.offset)];
        let (turns, shear) = (around(style.tilt), around(style.shear));
        let place = Affine::place(centre, self.half, turns, shear, stream.chance(0.5));
        let body = self.paint(texture, draw(style.grain, stream) / self.half, stream);
        for (geom, ink) in &sketch.parts {
            let paint = match ink {
                Ink::Body => body,
                Ink::Shade(by) => Paint::plain(shade(self.body, *by)),
                Ink::Accent => Paint::plain(accent),
                Ink::Fixed(rgb) => Paint::plain(*rgb),
            };
            canvas.paint(geom, &place, &paint);
        }
        canvas
    }

    fn pattern(&self, texture: Texture, stream: &mut Stream) -> Canvas {
        let period = draw(self.style.grain, stream) * 1.25;
        let paint = self.paint(texture, period, stream);
        Canvas::new(
            #[inline(always)]
            |point| paint.at(point),
        )
    }

    fn paint(&self, texture: Texture, period: f64, stream: &mut Stream) -> Paint {
        let [cos, sin] = direction(stream.uniform());
        let mark = jitter(opposite(self.body), self.style.colour_jitter, stream);
        let grain = [cos / period, sin / period];
        Paint { texture, base: self.body, mark, grain, seed: stream.bits() as u32 }
    }

    fn put_on_paper(&self, canvas: &mut Canvas) {
        match self.finish {
            Finish::Photo | Finish::Mosaic => {}
            Finish::Drawing => canvas.outline([30, 28, 34], 2),
            Finish::Sketch => {
                canvas.recolour(|rgb| [byte(255.0 - (255.0 - luma(rgb)) * 0.45); 3]);
                canvas.outline([36, 36, 36], 3);
            }
            Finish::Pencil => {
                canvas.recolour(|rgb| mix(rgb, [255, 255, 255], 0.55));
                canvas.outline([36, 36, 36], 3);
            }
            Finish::Cartoon => {
                canvas.recolour(|rgb| rgb.map(|c| [16, 88, 168, 250][usize::from(c / 64)]));
                canvas.outline([12, 12, 16], 3);
            }
        }
    }
}

/// A ground of the style that the body shows on; the last one tried where none of eight does.
fn ground(style: &Style, body: Rgb, stream: &mut Stream) -> (Backdrop, Colour, Rgb) {
    let mut tries = 0;
    loop {
        tries += 1;
        let backdrop = *pick(style.grounds, stream);
        let own = backdrop.own_colour();
        let (colour, rgb) = own.unwrap_or_else(|| toned(style, stream));
        let least = if own.is_some() { style.ground_distance.min(120) } else { style.ground_distance };
        if distance(rgb, body) >= least || tries == 8 {
            return (backdrop, colour, rgb);
        }
    }
}

fn toned(style: &Style, stream: &mut Stream) -> (Colour, Rgb) {
    let colour = *pick(style.ground_colours, stream);
    // Black and white pulled far towards the other would be grey.
    let reach = if matches!(colour, Colour::Black | Colour::White) { 0.2 } else { 1.0 };
    let tone = reach * draw(style.ground_tone, stream);
    let end = if tone > 0.0 { [255, 255, 255] } else { [0, 0, 0] };
    (colour, jitter(mix(colour.rgb(), end, tone.abs()), style.colour_jitter * 0.5, stream))
}

/// The colour darkened by a share; nearly black colours are lightened instead, to stay visible.
fn shade(rgb: Rgb, by: f64) -> Rgb {
    if luma(rgb) < 70.0 { mix(rgb, [255, 255, 255], by * 0.7) } else { mix(rgb, [0, 0, 0], by) }
}

fn draw(range: Range, stream: &mut Stream) -> f64 {
    stream.uniform_in(range.0, range.1)
}

fn pick<'a, T>(items: &'a [T], stream: &mut Stream) -> &'a T {
    &items[stream.below(items.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pocket::world::shapes::basic;

    #[test]
    fn the_same_stream_draws_the_same_picture() {
        let subject = Subject::Thing { object: &basic::STAR, colour: Some(Colour::Red), texture: None };
        let picture = |word: &str| {
            let mut stream = Stream::new(&["scene", word]);
            Scene::compose(subject, &Style::BASE, &mut stream).render(&mut stream)
        };
        assert_eq!(picture("a"), picture("a"));
        assert_ne!(picture("a"), picture("b"));
    }

    #[test]
    fn a_red_star_is_mostly_red_in_the_middle() {
        let style = Style { offset: 0.0, tint: [1.0; 3], ..Style::BASE };
        let subject = Subject::Thing { object: &basic::STAR, colour: Some(Colour::Red), texture: None };
        let mut stream = Stream::new(&["scene", "red"]);
        let image = Scene::compose(subject, &style, &mut stream).render(&mut stream);
        let middle = (24 * SIDE + 24) * 3;
        let rgb = &image.data()[middle..middle + 3];
        assert!(rgb[0] > 150 && rgb[1] < 100 && rgb[2] < 100, "{rgb:?}");
    }
}
