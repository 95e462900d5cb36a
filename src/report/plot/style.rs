//! Colours and markers: fixed per method, the same in every picture, safe for colour-blind readers.
//!
//! The palette is Okabe and Ito's. Variants of a method keep its colour and differ by marker.

use super::drawing::{Drawing, MarkColor};

/// The ground of every picture, so that it can be read on a dark page.
pub const WHITE: MarkColor = (255, 255, 255);
/// Text and axes.
pub const INK: MarkColor = (38, 38, 38);
/// Secondary text.
pub const SOFT: MarkColor = (110, 110, 110);
/// Grid lines.
pub const GRID: MarkColor = (226, 226, 226);
/// Alternate background stripes.
pub const STRIPE: MarkColor = (246, 246, 246);
/// Font sizes in points: titles, labels, tick labels.
pub const TITLE: f64 = 17.0;
/// Axis labels and legends.
pub const LABEL: f64 = 14.0;
/// Tick labels.
pub const TICK: f64 = 13.0;

/// The colour of methods that are not in the registry.
const OTHER: MarkColor = (204, 121, 167);

/// The fixed colour of a method, as its file says; methods that are not in the registry share one more.
pub fn method_color(method: &str) -> MarkColor {
    crate::method::look_up(method).map_or(OTHER, |entry| entry.color)
}

/// `color` mixed with white; `share` of 1 is the colour itself.
pub fn tint((r, g, b): MarkColor, share: f64) -> MarkColor {
    let mix = |c: u8| (255.0 - (255.0 - f64::from(c)) * share).round() as u8;
    (mix(r), mix(g), mix(b))
}

/// Marker of the i-th variant of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// A disc.
    Disc,
    /// A square.
    Square,
    /// A diamond.
    Diamond,
    /// A triangle.
    Triangle,
}

impl Marker {
    /// The marker of variant `index`, repeating after four.
    pub fn of_variant(index: usize) -> Self {
        [Self::Disc, Self::Square, Self::Diamond, Self::Triangle][index % 4]
    }

    /// Draws the marker centred on (x, y), with about the area of a disc of `radius`.
    pub fn draw(self, drawing: &mut Drawing, (x, y): (f64, f64), radius: f64, color: MarkColor) {
        let r = radius;
        match self {
            Self::Disc => drawing.disc((x, y), r, color),
            Self::Square => {
                drawing.rectangle((x - 0.89 * r, y - 0.89 * r), (x + 0.89 * r, y + 0.89 * r), color)
            }
            Self::Diamond => {
                let d = 1.25 * r;
                drawing.polygon(&[(x, y - d), (x + d, y), (x, y + d), (x - d, y)], color);
            }
            Self::Triangle => {
                let points = [(x, y - 1.3 * r), (x + 1.2 * r, y + 0.8 * r), (x - 1.2 * r, y + 0.8 * r)];
                drawing.polygon(&points, color);
            }
        }
    }
}

/// Name, colour and marker of one method or variant, as every figure takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Name in legends.
    pub label: String,
    /// Colour.
    pub color: MarkColor,
    /// Marker.
    pub marker: Marker,
}
