//! Base against new accuracy: all datasets on the left, the averages enlarged on the right, over curves
//! of equal harmonic mean.
//!
//! The bars of the right panel are sample standard deviations over seeds, not intervals.

use super::axis::{Axis, draw_x_axis, draw_y_axis};
use super::drawing::{Align, Drawing};
use super::legend::{draw_legend, legend_height};
use super::style::{INK, Look, SOFT, TITLE, tint};

const SIDE: f64 = 400.0;

/// One method: its datasets' (base, new) accuracies in percent, and their average with its spread.
#[derive(Clone, Debug, PartialEq)]
pub struct ScatterMethod {
    /// Name, colour and marker.
    pub look: Look,
    /// One point per dataset.
    pub datasets: Vec<(f64, f64)>,
    /// Mean over datasets, if there is one.
    pub average: Option<(f64, f64)>,
    /// Sample standard deviation over seeds of that mean, where there are two seeds or more.
    pub spread: Option<(f64, f64)>,
}

/// Lays the figure out.
pub fn draw(title: &str, methods: &[ScatterMethod]) -> Drawing {
    let looks: Vec<Look> = methods.iter().map(|m| m.look.clone()).collect();
    let top = 40.0 + legend_height(&looks, 70.0, 985.0) + 34.0;
    let mut drawing = Drawing::new(1000.0, top + SIDE + 54.0);
    drawing.text((70.0, 22.0), title, TITLE, INK, Align::Left);
    draw_legend(&mut drawing, &looks, 70.0, 40.0, 985.0);
    let every = methods.iter().flat_map(|m| m.datasets.iter().copied()).collect::<Vec<_>>();
    let axes = panel(&mut drawing, "each dataset", 70.0, top, &every, (0.0, 0.0));
    for method in methods {
        for &(base, new) in &method.datasets {
            let at = (axes.0.at(base), axes.1.at(new));
            method.look.marker.draw(&mut drawing, at, 4.0, method.look.color);
        }
    }
    let reach =
        methods.iter().filter_map(|m| m.spread).fold((0.5_f64, 0.5_f64), |a, b| (a.0.max(b.0), a.1.max(b.1)));
    let averages: Vec<(f64, f64)> = methods.iter().filter_map(|m| m.average).collect();
    let axes = panel(&mut drawing, "average over datasets, ± std over seeds", 570.0, top, &averages, reach);
    for method in methods {
        draw_average(&mut drawing, method, &axes);
    }
    drawing
}

fn panel(
    drawing: &mut Drawing,
    name: &str,
    left: f64,
    top: f64,
    points: &[(f64, f64)],
    reach: (f64, f64),
) -> (Axis, Axis) {
    let around = |value: f64, reach: f64| [value - reach, value + reach];
    let bases = points.iter().flat_map(|p| around(p.0, reach.0));
    let news = points.iter().flat_map(|p| around(p.1, reach.1));
    let x = Axis::covering(bases, (0.0, 100.0), 5).between(left, left + SIDE);
    let y = Axis::covering(news, (0.0, 100.0), 5).between(top + SIDE, top);
    drawing.text((left + 0.5 * SIDE, top - 14.0), name, super::style::LABEL, INK, Align::Center);
    draw_y_axis(drawing, &y, left, left + SIDE, "new accuracy (%)");
    draw_x_axis(drawing, &x, top + SIDE, "base accuracy (%)", |tick| x.label(tick));
    draw_h_curves(drawing, &x, &y);
    (x, y)
}

/// Curves of equal H at round values: new = H·base / (2·base − H).
fn draw_h_curves(drawing: &mut Drawing, x: &Axis, y: &Axis) {
    let corner = |base: f64, new: f64| if base + new > 0.0 { 2.0 * base * new / (base + new) } else { 0.0 };
    let levels = Axis::covering([corner(x.low, y.low), corner(x.high, y.high)].into_iter(), (0.0, 100.0), 6);
    for &h in levels.ticks.iter().filter(|h| **h > 0.0) {
        // At base = h·(1 + r)/2 new is h·(1 + 1/r)/2. Sampled evenly in the logarithm of r over the part that
        // the panel shows, steep and flat parts are equally fine.
        let of_base = |base: f64| (2.0 * base / h - 1.0).max(1e-3);
        let of_new = |new: f64| 1.0 / (2.0 * new / h - 1.0).max(1e-3);
        let (first, last) = (of_base(x.low).max(of_new(y.high)), of_base(x.high).min(of_new(y.low)));
        let sample = |i: i32| {
            let ratio = first * (last / first).powf(f64::from(i) / 1000.0);
            (0.5 * h * (1.0 + ratio), 0.5 * h * (1.0 + 1.0 / ratio))
        };
        let inside =
            |&(base, new): &(f64, f64)| (x.low..=x.high).contains(&base) && (y.low..=y.high).contains(&new);
        let curve: Vec<(f64, f64)> =
            (0..=1000).map(sample).filter(inside).map(|(base, new)| (x.at(base), y.at(new))).collect();
        draw_dashed(drawing, &curve);
        let Some(&end) = curve.last() else { continue };
        let label = format!("H {}", levels.label(h));
        if end.0 > x.to - 2.0 {
            drawing.text((end.0 + 4.0, end.1), &label, 11.0, SOFT, Align::Left);
        } else if end.1 > y.from - 4.0 && end.0 > x.from + 10.0 {
            // Beside the curve's foot, on the side where there is room.
            let (aside, align) = if end.0 < x.to - 32.0 { (4.0, Align::Left) } else { (-8.0, Align::Right) };
            drawing.text((end.0 + aside, y.from - 8.0), &label, 11.0, SOFT, align);
        }
    }
}

/// Dashes of six points and gaps of four along a finely sampled curve.
fn draw_dashed(drawing: &mut Drawing, curve: &[(f64, f64)]) {
    let mut walked = 0.0;
    let mut dash: Vec<(f64, f64)> = Vec::new();
    for pair in curve.windows(2) {
        if walked % 10.0 < 6.0 {
            dash.push(pair[0]);
        } else if !dash.is_empty() {
            drawing.line(&dash, tint(SOFT, 0.5), 1.0);
            dash.clear();
        }
        walked += (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1);
    }
    if dash.len() > 1 {
        drawing.line(&dash, tint(SOFT, 0.5), 1.0);
    }
}

fn draw_average(drawing: &mut Drawing, method: &ScatterMethod, (x, y): &(Axis, Axis)) {
    let Some((base, new)) = method.average else { return };
    let color = method.look.color;
    if let Some((base_std, new_std)) = method.spread {
        drawing.line(&[(x.at(base - base_std), y.at(new)), (x.at(base + base_std), y.at(new))], color, 1.5);
        drawing.line(&[(x.at(base), y.at(new - new_std)), (x.at(base), y.at(new + new_std))], color, 1.5);
    }
    method.look.marker.draw(drawing, (x.at(base), y.at(new)), 6.0, color);
}
