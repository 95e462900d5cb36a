//! Accuracies over seeds: datasets side by side, within each the methods. Points alone below five
//! values, a box with its points from five on.
//!
//! A tick marks the mean of points; inside a box the line is the median (type 7), whiskers are Tukey's.

use super::axis::{Axis, draw_y_axis};
use super::drawing::{Align, Drawing};
use super::legend::{draw_legend, legend_height};
use super::style::{INK, LABEL, Look, STRIPE, TICK, TITLE, tint};
use crate::stats::describe::{FiveNumbers, five_numbers, mean};

/// Fewest values for which a box is drawn.
pub const BOX_FROM: usize = 5;
/// Most groups in one row of the figure.
const GROUPS_A_ROW: usize = 6;
const ROW_HEIGHT: f64 = 250.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 985.0;

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxFigure {
    /// Title above the figure.
    pub title: String,
    /// Label of the y axis.
    pub y_title: String,
    /// One look per method.
    pub looks: Vec<Look>,
    /// Groups in order: name, then per method its values (percent).
    pub groups: Vec<(String, Vec<Vec<f64>>)>,
}

/// Lays the figure out.
pub fn draw(figure: &BoxFigure) -> Drawing {
    let top = 40.0 + legend_height(&figure.looks, LEFT, RIGHT) + 8.0;
    let rows: Vec<_> = balanced_rows(&figure.groups);
    let mut drawing = Drawing::new(1000.0, top + rows.len().max(1) as f64 * (ROW_HEIGHT + 34.0));
    drawing.text((LEFT, 22.0), &figure.title, TITLE, INK, Align::Left);
    draw_legend(&mut drawing, &figure.looks, LEFT, 40.0, RIGHT);
    for (i, row) in rows.iter().enumerate() {
        draw_row(&mut drawing, figure, row, top + i as f64 * (ROW_HEIGHT + 34.0));
    }
    drawing
}

type Group = (String, Vec<Vec<f64>>);

/// Rows of nearly equal length, none longer than [`GROUPS_A_ROW`].
fn balanced_rows(groups: &[Group]) -> Vec<&[Group]> {
    let rows = groups.len().div_ceil(GROUPS_A_ROW).max(1);
    groups.chunks(groups.len().div_ceil(rows).max(1)).collect()
}

/// One row. All rows share the widest row's group width, so positions compare across rows.
fn draw_row(drawing: &mut Drawing, figure: &BoxFigure, row: &[Group], top: f64) {
    let values = row.iter().flat_map(|(_, methods)| methods.iter().flatten().copied());
    let y = Axis::covering(values, (0.0, 100.0), 5).between(top + ROW_HEIGHT - 10.0, top + 6.0);
    let columns = balanced_rows(&figure.groups).iter().map(|r| r.len()).max().unwrap_or(1);
    let width = (RIGHT - LEFT) / columns as f64;
    let right = LEFT + width * row.len() as f64;
    for i in (1..row.len()).step_by(2) {
        let x = LEFT + i as f64 * width;
        drawing.rectangle((x, y.to), (x + width, y.from), STRIPE);
    }
    draw_y_axis(drawing, &y, LEFT, right, &figure.y_title);
    for (i, (name, methods)) in row.iter().enumerate() {
        let x = LEFT + i as f64 * width;
        drawing.text((x + 0.5 * width, y.from + 15.0), name, TICK, INK, Align::Center);
        let slot = (width - 16.0) / methods.len().max(1) as f64;
        for (j, values) in methods.iter().enumerate() {
            let center = x + 8.0 + (j as f64 + 0.5) * slot;
            draw_column(drawing, &y, center, slot.min(40.0), values, &figure.looks[j]);
        }
    }
}

fn draw_column(drawing: &mut Drawing, y: &Axis, x: f64, slot: f64, values: &[f64], look: &Look) {
    let half = 0.36 * slot;
    if values.is_empty() {
        drawing.text((x, y.from - 10.0), "×", LABEL, look.color, Align::Center);
    }
    if values.len() >= BOX_FROM {
        if let Some(numbers) = five_numbers(values) {
            draw_box(drawing, y, x, half, &numbers, look);
        }
    } else if let (Some(center), true) = (mean(values), values.len() > 1) {
        drawing.line(&[(x - half, y.at(center)), (x + half, y.at(center))], tint(look.color, 0.55), 2.0);
    }
    let radius = if values.len() >= BOX_FROM { 2.2 } else { 3.4 };
    for (i, value) in values.iter().enumerate() {
        // Neighbouring seeds step aside by a fixed pattern, so equal accuracies stay visible.
        let aside = (i % 3) as f64 - 1.0;
        let shift = if values.len() > 1 { aside * 0.28 * half } else { 0.0 };
        look.marker.draw(drawing, (x + shift, y.at(*value)), radius, look.color);
    }
}

fn draw_box(drawing: &mut Drawing, y: &Axis, x: f64, half: f64, numbers: &FiveNumbers, look: &Look) {
    let (q1, q3) = (y.at(numbers.q1), y.at(numbers.q3));
    for (from, to) in [(q1, y.at(numbers.whisker_low)), (q3, y.at(numbers.whisker_high))] {
        drawing.line(&[(x, from), (x, to)], look.color, 1.2);
        drawing.line(&[(x - 0.5 * half, to), (x + 0.5 * half, to)], look.color, 1.2);
    }
    drawing.rectangle((x - half, q3), (x + half, q1), tint(look.color, 0.25));
    let corners = [(x - half, q3), (x + half, q3), (x + half, q1), (x - half, q1), (x - half, q3)];
    drawing.line(&corners, look.color, 1.2);
    let median = y.at(numbers.median);
    drawing.line(&[(x - half, median), (x + half, median)], look.color, 2.4);
}
