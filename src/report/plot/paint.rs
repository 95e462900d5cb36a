//! Painting a [`Drawing`] to PNG and SVG through plotters, with a font that is part of the program.
//!
//! The PNG is painted at four times its nominal size and averaged down to twice, because the bitmap
//! backend does not smooth polygons and discs; its texts are painted by [`super::lettering`]. In the SVG a
//! viewer uses its own sans-serif font.

use std::sync::OnceLock;

use ab_glyph::FontRef;
use epaint_default_fonts::UBUNTU_LIGHT;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

use super::drawing::MarkColor;
use super::drawing::{Align, Drawing, Mark};
use super::lettering::{self, Letters, Surface};
use crate::report::error::ReportError;

const FONT: &str = "sans-serif";
/// Pixels a point in the PNG before averaging, and how many are averaged each way.
const PNG_SCALE: f64 = 4.0;
const AVERAGED: usize = 2;
/// Opacity of bands: two of them over each other are still told apart.
const BAND_OPACITY: f64 = 0.16;

/// A picture in both formats.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// File name without extension.
    pub name: String,
    /// PNG file.
    pub png: Vec<u8>,
    /// SVG file.
    pub svg: String,
}

/// Paints `drawing` in both formats.
///
/// # Errors
/// [`ReportError::Draw`].
pub fn paint(name: &str, drawing: &Drawing) -> Result<Picture, ReportError> {
    let failed = |reason: String| ReportError::Draw { picture: name.to_owned(), reason };
    font().map_err(failed)?;
    let mut svg = String::new();
    let size = (drawing.width.round() as u32, drawing.height.round() as u32);
    fill(SVGBackend::with_string(&mut svg, size).into_drawing_area(), drawing, 1.0, Texts::Drawn)
        .map_err(failed)?;
    let png = png(drawing).map_err(failed)?;
    Ok(Picture { name: name.to_owned(), png, svg })
}

/// Width in points of `text` at font `size`; a guess of the same order if the font is unusable.
pub fn text_width(text: &str, size: f64) -> f64 {
    font().map_or(0.55 * size * text.chars().count() as f64, |font| lettering::width(font, text, size))
}

/// The embedded font, read once and made known to the plotting library.
fn font() -> Result<&'static FontRef<'static>, String> {
    static FONT_REF: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    let read = || {
        register_font(FONT, FontStyle::Normal, UBUNTU_LIGHT).ok()?;
        FontRef::try_from_slice(UBUNTU_LIGHT).ok()
    };
    FONT_REF.get_or_init(read).as_ref().ok_or_else(|| "the embedded font is unusable".to_owned())
}

fn png(drawing: &Drawing) -> Result<Vec<u8>, String> {
    let even = |points: f64| (points * PNG_SCALE / AVERAGED as f64).round() as usize;
    let (width, height) = (even(drawing.width), even(drawing.height));
    let (wide, tall) = (width * AVERAGED, height * AVERAGED);
    let mut pixels = vec![0; wide * tall * 3];
    let backend = BitMapBackend::with_buffer(&mut pixels, (wide as u32, tall as u32));
    fill(backend.into_drawing_area(), drawing, PNG_SCALE, Texts::LeftOut)?;
    letter(&mut Surface { pixels: &mut pixels, size: (wide, tall) }, drawing)?;
    let mut small = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let at = |i: usize| {
                    let row = y * AVERAGED + i / AVERAGED;
                    u32::from(pixels[(row * wide + x * AVERAGED + i % AVERAGED) * 3 + channel])
                };
                let count = AVERAGED * AVERAGED;
                small.push(((0..count).map(at).sum::<u32>() / count as u32) as u8);
            }
        }
    }
    let mut encoded = Vec::new();
    PngEncoder::new(&mut encoded)
        .write_image(&small, width as u32, height as u32, ExtendedColorType::Rgb8)
        .map_err(|e| e.to_string())?;
    Ok(encoded)
}

/// Paints the texts of a drawing over everything else.
fn letter(canvas: &mut Surface<'_>, drawing: &Drawing) -> Result<(), String> {
    let font = font()?;
    for shape in &drawing.shapes {
        if let Mark::Text { at, text, size, color, align, upright } = shape {
            canvas.letter(
                font,
                &Letters {
                    text,
                    at: (at.0 * PNG_SCALE, at.1 * PNG_SCALE),
                    size: size * PNG_SCALE,
                    color: *color,
                    align: *align,
                    upright: *upright,
                },
            );
        }
    }
    Ok(())
}

/// Whether the plotting library draws texts. In a bitmap it does not: see [`super::lettering`].
#[derive(Clone, Copy, PartialEq)]
enum Texts {
    Drawn,
    LeftOut,
}

/// Paints everything at `scale` pixels a point.
fn fill<B: DrawingBackend>(
    area: DrawingArea<B, Shift>,
    drawing: &Drawing,
    scale: f64,
    texts: Texts,
) -> Result<(), String> {
    area.fill(&WHITE).map_err(|e| e.to_string())?;
    let shown = |shape: &&Mark| texts == Texts::Drawn || !matches!(shape, Mark::Text { .. });
    for shape in drawing.shapes.iter().filter(shown) {
        draw(&area, shape, scale).map_err(|e| e.to_string())?;
    }
    area.present().map_err(|e| e.to_string())
}

type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

fn draw<B: DrawingBackend>(area: &DrawingArea<B, Shift>, shape: &Mark, scale: f64) -> Drawn<B> {
    let pixel = |(x, y): (f64, f64)| ((x * scale).round() as i32, (y * scale).round() as i32);
    let pixels = |points: &[(f64, f64)]| points.iter().map(|p| pixel(*p)).collect::<Vec<_>>();
    match shape {
        Mark::Line { points, color, width } => {
            let stroke = rgb(*color).stroke_width((width * scale).round().max(1.0) as u32);
            area.draw(&PathElement::new(pixels(points), stroke))
        }
        Mark::Polygon { points, color } => area.draw(&Polygon::new(pixels(points), rgb(*color).filled())),
        Mark::Band { points, color } => {
            area.draw(&Polygon::new(pixels(points), rgb(*color).mix(BAND_OPACITY).filled()))
        }
        Mark::Disc { center, radius, color } => {
            let radius = (radius * scale).round().max(1.0) as i32;
            area.draw(&Circle::new(pixel(*center), radius, rgb(*color).filled()))
        }
        Mark::Text { at, text, size, color, align, upright } => {
            let horizontal = match align {
                Align::Left => HPos::Left,
                Align::Center => HPos::Center,
                Align::Right => HPos::Right,
            };
            let font = (FONT, size * scale).into_font();
            let font = if *upright { font.transform(FontTransform::Rotate270) } else { font };
            let style = font.color(&rgb(*color)).pos(Pos::new(horizontal, VPos::Center));
            area.draw(&Text::new(text.clone(), pixel(*at), style))
        }
    }
}

fn rgb((r, g, b): MarkColor) -> RGBColor {
    RGBColor(r, g, b)
}
