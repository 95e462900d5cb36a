//! Points over a logarithmic x: how a small quantity goes with another one.

use super::axis::{Axis, draw_x_axis, draw_y_axis};
use super::drawing::{Align, Drawing};
use super::legend::{draw_legend, legend_height};
use super::style::{INK, Look, SOFT, TITLE};

const LEFT: f64 = 80.0;
const RIGHT: f64 = 680.0;
const HEIGHT: f64 = 360.0;

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct PointFigure {
    /// Title above the figure.
    pub title: String,
    /// Label below it; x is logarithmic, with zero itself at its low end.
    pub x_title: String,
    /// Label beside it.
    pub y_title: String,
    /// One look per series.
    pub looks: Vec<Look>,
    /// Points of each series.
    pub points: Vec<Vec<(f64, f64)>>,
}

/// Lays the figure out.
pub fn draw(figure: &PointFigure) -> Drawing {
    let top = 40.0 + legend_height(&figure.looks, LEFT, RIGHT) + 16.0;
    let mut drawing = Drawing::new(RIGHT + 30.0, top + HEIGHT + 54.0);
    drawing.text((LEFT, 22.0), &figure.title, TITLE, INK, Align::Left);
    draw_legend(&mut drawing, &figure.looks, LEFT, 40.0, RIGHT);
    let all = || figure.points.iter().flatten();
    let x = Axis::decades(all().map(|point| point.0)).between(LEFT, RIGHT);
    let y = Axis::covering(all().map(|point| point.1).chain([0.0]), (-100.0, 100.0), 6);
    let y = y.between(top + HEIGHT, top);
    draw_y_axis(&mut drawing, &y, LEFT, RIGHT, &figure.y_title);
    draw_x_axis(&mut drawing, &x, top + HEIGHT, &figure.x_title, |tick| x.label(tick));
    drawing.line(&[(LEFT, y.at(0.0)), (RIGHT, y.at(0.0))], SOFT, 1.0);
    for (points, look) in figure.points.iter().zip(&figure.looks) {
        for (px, py) in points {
            look.marker.draw(&mut drawing, (x.at(*px), y.at(*py)), 4.0, look.color);
        }
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plot::style::{Marker, method_color};

    #[test]
    fn every_point_is_drawn_and_zero_lies_on_the_edge() {
        let look =
            Look { label: "RPO".to_owned(), color: method_color("rpo"), marker: Marker::of_variant(0) };
        let figure = |points: Vec<(f64, f64)>| PointFigure {
            title: "t".to_owned(),
            x_title: "x".to_owned(),
            y_title: "y".to_owned(),
            looks: vec![look.clone()],
            points: vec![points],
        };
        let shapes = |points| draw(&figure(points)).shapes.len();
        // The first zero brings its tick, a second one its mark alone.
        let with_zero = shapes(vec![(1e-3, 1.0), (0.0, 1.0)]);
        assert!(with_zero > shapes(vec![(1e-3, 1.0)]) + 1);
        assert_eq!(shapes(vec![(1e-3, 1.0), (0.0, 1.0), (0.0, 1.0)]), with_zero + 1);
    }
}
