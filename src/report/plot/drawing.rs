//! A figure as a list of shapes in points, y downwards.
//!
//! Keeping the list apart from the painter makes a layout testable and both file formats equal.

/// An opaque colour.
pub type MarkColor = (u8, u8, u8);

/// Horizontal anchor of a text; the vertical anchor is always its middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// The text starts at the point.
    Left,
    /// The text is centred on the point.
    Center,
    /// The text ends at the point.
    Right,
}

/// One shape. Coordinates and widths are in points.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A stroked line through two or more points.
    Line {
        /// The points.
        points: Vec<(f64, f64)>,
        /// Colour.
        color: MarkColor,
        /// Stroke width.
        width: f64,
    },
    /// A filled polygon (rectangles and markers).
    Polygon {
        /// The corners.
        points: Vec<(f64, f64)>,
        /// Fill.
        color: MarkColor,
    },
    /// A filled polygon that lets what lies behind shine through.
    Band {
        /// The corners.
        points: Vec<(f64, f64)>,
        /// Fill.
        color: MarkColor,
    },
    /// A filled disc.
    Disc {
        /// Centre.
        center: (f64, f64),
        /// Radius.
        radius: f64,
        /// Fill.
        color: MarkColor,
    },
    /// One line of text.
    Text {
        /// Anchor.
        at: (f64, f64),
        /// The text.
        text: String,
        /// Font size.
        size: f64,
        /// Colour.
        color: MarkColor,
        /// Horizontal anchor.
        align: Align,
        /// Turned a quarter to the left, as the label of a y axis.
        upright: bool,
    },
}

/// A figure: a size and shapes, painted in order on white.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Width in points.
    pub width: f64,
    /// Height in points.
    pub height: f64,
    /// The shapes, back to front.
    pub shapes: Vec<Mark>,
}

impl Drawing {
    /// An empty figure.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: Vec::new() }
    }

    /// Adds a line through `points`.
    pub fn line(&mut self, points: &[(f64, f64)], color: MarkColor, width: f64) {
        self.shapes.push(Mark::Line { points: points.to_vec(), color, width });
    }

    /// Adds a filled polygon.
    pub fn polygon(&mut self, points: &[(f64, f64)], color: MarkColor) {
        self.shapes.push(Mark::Polygon { points: points.to_vec(), color });
    }

    /// Adds a translucent polygon.
    pub fn band(&mut self, points: &[(f64, f64)], color: MarkColor) {
        self.shapes.push(Mark::Band { points: points.to_vec(), color });
    }

    /// Adds a filled rectangle from its top left to its bottom right corner.
    pub fn rectangle(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64), color: MarkColor) {
        self.polygon(&[(x0, y0), (x1, y0), (x1, y1), (x0, y1)], color);
    }

    /// Adds a filled disc.
    pub fn disc(&mut self, center: (f64, f64), radius: f64, color: MarkColor) {
        self.shapes.push(Mark::Disc { center, radius, color });
    }

    /// Adds a line of text.
    pub fn text(&mut self, at: (f64, f64), text: &str, size: f64, color: MarkColor, align: Align) {
        let text = text.to_owned();
        self.shapes.push(Mark::Text { at, text, size, color, align, upright: false });
    }

    /// Adds a line of text that reads upwards, centred on `at`.
    pub fn upright_text(&mut self, at: (f64, f64), text: &str, size: f64, color: MarkColor) {
        let text = text.to_owned();
        self.shapes.push(Mark::Text { at, text, size, color, align: Align::Center, upright: true });
    }
}
