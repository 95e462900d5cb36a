//! Text into a bitmap, glyph by glyph.
//!
//! The bitmap backend of the plotting library drops the space a font leaves on the left of each glyph, so that
//! words run together and letters stand unevenly; here glyphs stand where the font puts them. They are
//! painted twice, a little apart, because the embedded font is a light one.

use ab_glyph::{Font, FontRef, Glyph, GlyphId, ScaleFont, point};

use super::drawing::Align;
use super::drawing::MarkColor;

/// Distance of the two strokes, in font sizes.
const WEIGHT: f32 = 0.016;
/// Height of capitals and digits, in font sizes: texts are centred on half of it.
const CAP_HEIGHT: f32 = 0.62;

/// One line of text in pixels.
pub struct Letters<'a> {
    /// The text.
    pub text: &'a str,
    /// Anchor; vertically the middle of capitals.
    pub at: (f64, f64),
    /// Font size in pixels.
    pub size: f64,
    /// Colour.
    pub color: MarkColor,
    /// Horizontal anchor.
    pub align: Align,
    /// Turned a quarter to the left.
    pub upright: bool,
}

/// An RGB image under construction.
pub struct Surface<'a> {
    /// Three bytes a pixel, row by row.
    pub pixels: &'a mut [u8],
    /// Width and height in pixels.
    pub size: (usize, usize),
}

impl Surface<'_> {
    /// Paints the text; what lies outside is cut off.
    pub fn letter(&mut self, font: &FontRef<'_>, letters: &Letters<'_>) {
        let (glyphs, width) = layout(font, letters.text, letters.size as f32);
        let start = match letters.align {
            Align::Left => 0.0,
            Align::Center => -0.5 * width,
            Align::Right => -width,
        };
        let weight = WEIGHT * letters.size as f32;
        for shift in [-0.5 * weight, 0.5 * weight] {
            for glyph in &glyphs {
                self.glyph(font, glyph, start + shift, letters);
            }
        }
    }

    fn glyph(&mut self, font: &FontRef<'_>, glyph: &Glyph, start: f32, letters: &Letters<'_>) {
        let mut glyph = glyph.clone();
        // Moved by whole and broken pixels alike: the rasteriser sees the true position.
        let (x, y) = (letters.at.0 as f32, letters.at.1 as f32);
        let drop = 0.5 * CAP_HEIGHT * letters.size as f32;
        glyph.position.x += start + if letters.upright { 0.0 } else { x };
        glyph.position.y += drop + if letters.upright { 0.0 } else { y };
        let Some(outline) = font.outline_glyph(glyph) else { return };
        let bounds = outline.px_bounds();
        outline.draw(|column, row, coverage| {
            let (u, v) = (bounds.min.x + column as f32, bounds.min.y + row as f32);
            // A quarter turn to the left: along the text is up, down from its line is right.
            let (px, py) = if letters.upright { (x + v, y - u) } else { (u, v) };
            self.blend(px.round() as i64, py.round() as i64, letters.color, coverage);
        });
    }

    fn blend(&mut self, x: i64, y: i64, (r, g, b): MarkColor, coverage: f32) {
        let (width, height) = (self.size.0 as i64, self.size.1 as i64);
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            return;
        }
        let from = 3 * (y * width + x) as usize;
        for (channel, color) in self.pixels[from..from + 3].iter_mut().zip([r, g, b]) {
            let old = f32::from(*channel);
            *channel = (old + (f32::from(color) - old) * coverage.clamp(0.0, 1.0)).round() as u8;
        }
    }
}

/// Width of `text` in pixels at font `size`.
pub fn width(font: &FontRef<'_>, text: &str, size: f64) -> f64 {
    f64::from(layout(font, text, size as f32).1)
}

/// Glyphs along a line from 0, with kerning, and where the line ends.
fn layout(font: &FontRef<'_>, text: &str, size: f32) -> (Vec<Glyph>, f32) {
    let scaled = font.as_scaled(size);
    let mut x = 0.0;
    let mut previous: Option<GlyphId> = None;
    let mut glyphs = Vec::new();
    for character in text.chars() {
        let id = scaled.glyph_id(character);
        x += previous.map_or(0.0, |previous| scaled.kern(previous, id));
        glyphs.push(id.with_scale_and_position(size, point(x, 0.0)));
        x += scaled.h_advance(id);
        previous = Some(id);
    }
    (glyphs, x)
}
