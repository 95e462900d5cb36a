//! Small panels of curves: accuracy over shots, loss over epochs. One panel per dataset.
//!
//! Bands and bars are sample standard deviations; a point without one has a single value.

use super::axis::{Axis, draw_x_axis, draw_y_axis};
use super::drawing::{Align, Drawing};
use super::legend::{draw_legend, legend_height};
use super::paint::text_width;
use super::style::{INK, LABEL, Look, TICK, TITLE};

const LEFT: f64 = 70.0;
const RIGHT: f64 = 985.0;
const PANEL_HEIGHT: f64 = 190.0;
const COLUMNS: usize = 3;
/// Room between a panel and the names beside it, and between two names.
const LABEL_GAP: f64 = 14.0;
const NAME_STEP: f64 = 14.0;

/// One point of a curve: x, y, and the half length of its error bar.
pub type CurvePoint = (f64, f64, Option<f64>);

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct CurveFigure {
    /// Title above the figure.
    pub title: String,
    /// Label below the panels.
    pub x_title: String,
    /// Label beside the panels.
    pub y_title: String,
    /// Whether x is drawn on a logarithmic scale of base 2, with ticks at the given points.
    pub log2_x: bool,
    /// Whether y is drawn on a logarithmic scale of base 10.
    pub log10_y: bool,
    /// Lowest and highest y a linear axis may show.
    pub y_bounds: (f64, f64),
    /// One look per curve.
    pub looks: Vec<Look>,
    /// Whether curves are named at their ends instead of in a row of names above.
    pub direct_labels: bool,
    /// Panels in order: name, then per look its points, ascending in x.
    pub panels: Vec<(String, Vec<Vec<CurvePoint>>)>,
}

/// Lays the figure out.
pub fn draw(figure: &CurveFigure) -> Drawing {
    let legend = if figure.direct_labels { 0.0 } else { legend_height(&figure.looks, LEFT, RIGHT) };
    let top = 40.0 + legend + 8.0;
    // Four panels make a square; anything else fills rows of three, or of two where names stand beside the curves.
    let most = if figure.direct_labels { COLUMNS - 1 } else { COLUMNS };
    let columns = if figure.panels.len() == 4 { 2 } else { figure.panels.len().clamp(1, most) };
    let rows = figure.panels.len().div_ceil(columns);
    let step = PANEL_HEIGHT + 84.0;
    let mut drawing = Drawing::new(1000.0, top + rows as f64 * step);
    drawing.text((LEFT, 22.0), &figure.title, TITLE, INK, Align::Left);
    if !figure.direct_labels {
        draw_legend(&mut drawing, &figure.looks, LEFT, 40.0, RIGHT);
    }
    let names = figure.looks.iter().map(|look| text_width(&look.label, TICK)).fold(0.0, f64::max);
    let beside = if figure.direct_labels { names + LABEL_GAP } else { 0.0 };
    let width = (RIGHT - LEFT + 65.0) / columns as f64;
    for (i, (name, curves)) in figure.panels.iter().enumerate() {
        let left = LEFT + (i % columns) as f64 * width;
        let panel_top = top + (i / columns) as f64 * step + 28.0;
        draw_panel(&mut drawing, figure, name, curves, (left, panel_top, width - 75.0 - beside));
    }
    drawing
}

fn draw_panel(
    drawing: &mut Drawing,
    figure: &CurveFigure,
    name: &str,
    curves: &[Vec<CurvePoint>],
    (left, top, width): (f64, f64, f64),
) {
    let place = |x: f64| if figure.log2_x { x.max(1e-9).log2() } else { x };
    let xs = curves.iter().flatten().map(|p| place(p.0));
    let mut x = Axis::covering(xs, (f64::MIN, f64::MAX), 4).between(left, left + width);
    if figure.log2_x {
        x.ticks = distinct(curves.iter().flatten().map(|p| place(p.0)));
        // Shots double from tick to tick: half a step of air on both sides, not a round value.
        x.low = x.ticks.first().map_or(x.low, |tick| tick - 0.5);
        x.high = x.ticks.last().map_or(x.high, |tick| tick + 0.5);
    } else {
        // Counts start at zero; behind the last one a little air is enough.
        let last = curves.iter().flatten().map(|p| p.0).fold(f64::NEG_INFINITY, f64::max);
        x.low = x.low.max(0.0);
        x.high = x.high.min(last.max(1.0) * 1.03);
        x.ticks.retain(|tick| (x.low..=x.high).contains(tick));
    }
    let y = y_axis(figure, curves).between(top + PANEL_HEIGHT, top);
    drawing.text((left + 0.5 * width, top - 13.0), name, LABEL, INK, Align::Center);
    draw_y_axis(drawing, &y, left, left + width, &figure.y_title);
    let label = |tick: f64| if figure.log2_x { format!("{:.0}", tick.exp2()) } else { x.label(tick) };
    draw_x_axis(drawing, &x, top + PANEL_HEIGHT, &figure.x_title, label);
    let at = |px: f64, py: f64| (x.at(place(px)), y.at(py));
    for (points, look) in curves.iter().zip(&figure.looks) {
        draw_band(drawing, points, look, at);
    }
    for (points, look) in curves.iter().zip(&figure.looks) {
        draw_curve(drawing, points, look, at);
    }
    if figure.direct_labels {
        let ends = curves.iter().zip(&figure.looks).filter_map(|(points, look)| {
            let (px, py, _) = points.last()?;
            Some((at(*px, *py), look))
        });
        draw_names(drawing, ends.collect(), (left + width, top, top + PANEL_HEIGHT));
    }
}

/// Names at the curves' ends, each with a thin line to its own, far enough apart to be read.
fn draw_names(
    drawing: &mut Drawing,
    mut ends: Vec<((f64, f64), &Look)>,
    (right, top, bottom): (f64, f64, f64),
) {
    let step = NAME_STEP.min((bottom - top) / ends.len().max(1) as f64);
    ends.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
    let mut ys: Vec<f64> = ends.iter().map(|end| end.0.1).collect();
    for i in 1..ys.len() {
        ys[i] = ys[i].max(ys[i - 1] + step);
    }
    // What went below the panel goes up again, as far as the others let it.
    let mut floor = bottom;
    for y in ys.iter_mut().rev() {
        *y = y.min(floor).max(top);
        floor = *y - step;
    }
    for ((end, look), y) in ends.into_iter().zip(ys) {
        drawing.line(&[end, (right + 2.0, y)], look.color, 0.8);
        // Light colours cannot be read as text: the line tells whose name it is.
        drawing.text((right + 5.0, y), &look.label, TICK, INK, Align::Left);
    }
}

/// The y axis of a panel. On a logarithmic one, bars may reach to or below zero; they are cut at the axis.
fn y_axis(figure: &CurveFigure, curves: &[Vec<CurvePoint>]) -> Axis {
    let points = || curves.iter().flatten();
    if figure.log10_y {
        return Axis::decades(points().flat_map(|p| [p.1, p.1 + p.2.unwrap_or(0.0)]));
    }
    let ends = points().flat_map(|&(_, y, e)| [y - e.unwrap_or(0.0), y + e.unwrap_or(0.0)]);
    Axis::covering(ends, figure.y_bounds, 4)
}

fn draw_band(drawing: &mut Drawing, points: &[CurvePoint], look: &Look, at: impl Fn(f64, f64) -> (f64, f64)) {
    let ends = |sign: f64| {
        let end = move |p: &CurvePoint| Some((p.0, p.1 + sign * p.2?));
        points.iter().filter_map(end).collect::<Vec<(f64, f64)>>()
    };
    let (upper, lower) = (ends(1.0), ends(-1.0));
    if upper.len() > 1 {
        let outline = upper.into_iter().chain(lower.into_iter().rev()).map(|(px, py)| at(px, py));
        drawing.band(&outline.collect::<Vec<_>>(), look.color);
    }
}

fn draw_curve(
    drawing: &mut Drawing,
    points: &[CurvePoint],
    look: &Look,
    at: impl Fn(f64, f64) -> (f64, f64),
) {
    let path: Vec<(f64, f64)> = points.iter().map(|p| at(p.0, p.1)).collect();
    if path.len() > 1 {
        drawing.line(&path, look.color, 1.8);
    }
    // A band shows the spread of a curve; a point alone needs a bar.
    if let ([(px, py, Some(spread))], true) = (points, path.len() == 1) {
        drawing.line(&[at(*px, py - spread), at(*px, py + spread)], look.color, 1.2);
    }
    if points.len() <= 12 {
        path.iter().for_each(|point| look.marker.draw(drawing, *point, 3.4, look.color));
    }
}

fn distinct(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}
