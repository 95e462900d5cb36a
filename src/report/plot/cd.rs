//! Critical-difference diagram: mean ranks on a line, bars over methods no test tells apart.
//!
//! Rank 1 (best) is on the left. A bar joins neighbours in mean rank without a significant pair among
//! them ([`crate::stats::groups`]); it is not a distance in rank.

use super::drawing::{Align, Drawing};
use super::paint::text_width;
use super::style::{INK, LABEL, Look, SOFT, TICK, TITLE};

/// Width of the figure, and least distance of the axis from its sides.
const WIDTH: f64 = 1000.0;
const ASIDE: f64 = 230.0;
/// Least length of the axis: the figure grows before it gets shorter.
const AXIS: f64 = 300.0;

/// Lays the figure out. `methods` are (look, mean rank) by ascending mean rank; `bars` are runs of
/// positions in that order.
pub fn draw(title: &str, methods: &[(Look, f64)], bars: &[(usize, usize)]) -> Drawing {
    let half = methods.len().div_ceil(2);
    let line = 92.0;
    let first_name = line + 26.0 + bars.len() as f64 * 11.0;
    let names: Vec<String> =
        methods.iter().map(|(look, rank)| format!("{} ({rank:.2})", look.label)).collect();
    let longest = names.iter().map(|name| text_width(name, LABEL)).fold(0.0, f64::max);
    let aside = ASIDE.max(longest + 34.0);
    let width = WIDTH.max(2.0 * aside + AXIS);
    let (left, right) = (aside, width - aside);
    let mut drawing = Drawing::new(width, first_name + half as f64 * 26.0 + 8.0);
    drawing.text((70.0, 22.0), title, TITLE, INK, Align::Left);
    let most = methods.len().max(2);
    let at = |rank: f64| left + (rank - 1.0) / (most as f64 - 1.0) * (right - left);
    drawing.line(&[(left, line), (right, line)], INK, 1.5);
    for rank in 1..=most {
        let x = at(rank as f64);
        drawing.line(&[(x, line), (x, line - 7.0)], INK, 1.5);
        drawing.text((x, line - 17.0), &rank.to_string(), TICK, SOFT, Align::Center);
    }
    drawing.text((0.5 * (left + right), line - 36.0), "mean rank (1 = best)", LABEL, INK, Align::Center);
    for (i, (look, rank)) in methods.iter().enumerate() {
        let on_left = i < half;
        let level = if on_left { i } else { methods.len() - 1 - i };
        let y = first_name + level as f64 * 26.0;
        let (end, align) = if on_left { (left - 16.0, Align::Right) } else { (right + 16.0, Align::Left) };
        drawing.line(&[(at(*rank), line), (at(*rank), y), (end, y)], look.color, 1.4);
        look.marker.draw(&mut drawing, (at(*rank), line), 4.0, look.color);
        let aside = if on_left { -6.0 } else { 6.0 };
        drawing.text((end + aside, y), &names[i], LABEL, INK, align);
    }
    for (i, &(first, last)) in bars.iter().enumerate() {
        let y = line + 12.0 + i as f64 * 11.0;
        drawing.line(&[(at(methods[first].1) - 5.0, y), (at(methods[last].1) + 5.0, y)], INK, 4.0);
    }
    drawing
}
