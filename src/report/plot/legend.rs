//! The row of names above a figure, broken into lines where it gets too wide.

use super::drawing::{Align, Drawing};
use super::paint::text_width;
use super::style::{INK, LABEL, Look};

/// Height of one legend line, in points.
pub const LINE: f64 = 22.0;

/// Draws the legend from (`left`, `top`) and returns the height it took.
pub fn draw_legend(drawing: &mut Drawing, looks: &[Look], left: f64, top: f64, right: f64) -> f64 {
    let (mut x, mut y) = (left, top + 0.5 * LINE);
    for look in looks {
        let width = 22.0 + text_width(&look.label, LABEL);
        if x + width > right && x > left {
            x = left;
            y += LINE;
        }
        look.marker.draw(drawing, (x + 6.0, y), 5.0, look.color);
        drawing.text((x + 16.0, y), &look.label, LABEL, INK, Align::Left);
        x += width + 20.0;
    }
    y + 0.5 * LINE - top
}

/// Height that [`draw_legend`] will take.
pub fn legend_height(looks: &[Look], left: f64, right: f64) -> f64 {
    draw_legend(&mut Drawing::new(right, 0.0), looks, left, 0.0, right)
}
