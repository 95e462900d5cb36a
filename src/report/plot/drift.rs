//! Differences in points: datasets as lines, a panel per group of classes, the margin as a band.
//!
//! A filled marker has a verdict; a hollow one is a difference that proves nothing. Bars are 95 % intervals.

use super::axis::{Axis, draw_x_axis};
use super::drawing::{Align, Drawing};
use super::legend::{draw_legend, legend_height};
use super::style::{GRID, INK, LABEL, Look, SOFT, STRIPE, TICK, TITLE, WHITE, tint};

const LEFT: f64 = 130.0;
const RIGHT: f64 = 985.0;

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftPoint {
    /// Position of its dataset among the lines.
    pub line: usize,
    /// Position of its method among the looks.
    pub look: usize,
    /// The difference in points.
    pub difference: f64,
    /// Its interval in points, where there is one.
    pub interval: Option<(f64, f64)>,
    /// Whether the comparison came to a verdict.
    pub told: bool,
}

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftFigure {
    /// Title above the figure.
    pub title: String,
    /// Half width of the band of equivalence, in points.
    pub margin: f64,
    /// One look per method.
    pub looks: Vec<Look>,
    /// Names of the lines, from the top.
    pub lines: Vec<String>,
    /// Panels from the left: name and points.
    pub panels: Vec<(String, Vec<DriftPoint>)>,
}

/// Lays the figure out.
pub fn draw(figure: &DriftFigure) -> Drawing {
    let top = 40.0 + legend_height(&figure.looks, LEFT, RIGHT) + 34.0;
    let height = (14.0 * figure.looks.len() as f64).max(26.0);
    let bottom = top + height * figure.lines.len() as f64;
    let mut drawing = Drawing::new(1000.0, bottom + 52.0);
    drawing.text((LEFT, 22.0), &figure.title, TITLE, INK, Align::Left);
    draw_legend(&mut drawing, &figure.looks, LEFT, 40.0, RIGHT);
    for (i, name) in figure.lines.iter().enumerate() {
        let y = top + height * i as f64;
        if i % 2 == 1 {
            drawing.rectangle((LEFT, y), (RIGHT, y + height), STRIPE);
        }
        drawing.text((LEFT - 10.0, y + 0.5 * height), name, TICK, INK, Align::Right);
    }
    let width = (RIGHT - LEFT) / figure.panels.len().max(1) as f64;
    for (i, (name, points)) in figure.panels.iter().enumerate() {
        let left = LEFT + width * i as f64 + 14.0;
        let right = LEFT + width * (i + 1) as f64 - 14.0;
        drawing.text((0.5 * (left + right), top - 14.0), name, LABEL, INK, Align::Center);
        draw_panel(&mut drawing, figure, points, (left, right), (top, bottom, height));
    }
    drawing
}

fn draw_panel(
    drawing: &mut Drawing,
    figure: &DriftFigure,
    points: &[DriftPoint],
    (left, right): (f64, f64),
    (top, bottom, height): (f64, f64, f64),
) {
    let reach = points.iter().flat_map(|p| {
        let (low, high) = p.interval.unwrap_or((p.difference, p.difference));
        // An interval of few seeds can be wide beyond reason: it is cut at twenty points around its mean.
        [low.max(p.difference - 20.0), high.min(p.difference + 20.0), p.difference]
    });
    let values = reach.chain([-2.0 * figure.margin, 2.0 * figure.margin]);
    let x = Axis::covering(values, (-100.0, 100.0), 5).between(left, right);
    drawing.rectangle((x.at(-figure.margin), top), (x.at(figure.margin), bottom), tint(SOFT, 0.18));
    for &tick in &x.ticks {
        drawing.line(&[(x.at(tick), top), (x.at(tick), bottom)], GRID, 1.0);
    }
    drawing.line(&[(x.at(0.0), top), (x.at(0.0), bottom)], SOFT, 1.2);
    draw_x_axis(drawing, &x, bottom, "difference (points)", |tick| x.label(tick));
    for point in points {
        let look = &figure.looks[point.look];
        let slot = (point.look as f64 + 0.5) / figure.looks.len().max(1) as f64;
        let y = top + height * (point.line as f64 + 0.1 + 0.8 * slot);
        if let Some((low, high)) = point.interval {
            let ends = [(x.at(low.max(x.low)), y), (x.at(high.min(x.high)), y)];
            drawing.line(&ends, look.color, 1.3);
        }
        look.marker.draw(drawing, (x.at(point.difference), y), 4.2, look.color);
        if !point.told {
            look.marker.draw(drawing, (x.at(point.difference), y), 2.6, WHITE);
        }
    }
}
