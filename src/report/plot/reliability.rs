//! Reliability diagrams: a panel a method, accuracy over confidence in 15 bins, and how many predictions each bin holds.
//!
//! A bar below the diagonal is a boast, one above it modesty. The strip below a panel shows the share of predictions:
//! a bin of three images proves nothing.

use super::drawing::{Align, Drawing};
use super::style::{GRID, INK, LABEL, Look, SOFT, TICK, TITLE, tint};
use crate::stats::measures::{BINS, Bin};

const SIDE: f64 = 180.0;
const STRIP: f64 = 34.0;
const GAP: f64 = 56.0;
const LEFT: f64 = 64.0;
/// Panels in a line.
const COLUMNS: usize = 5;

/// One method's panel.
#[derive(Clone, Debug, PartialEq)]
pub struct ReliabilityPanel {
    /// Name and colour.
    pub look: Look,
    /// Bins of equal width over 0 to 1.
    pub bins: [Bin; BINS],
    /// A line of text under the name.
    pub note: String,
}

/// Lays the figure out.
pub fn draw(title: &str, panels: &[ReliabilityPanel]) -> Drawing {
    let columns = panels.len().clamp(1, COLUMNS);
    let lines = panels.len().div_ceil(COLUMNS);
    let width = LEFT + columns as f64 * (SIDE + GAP);
    let height = 44.0 + lines as f64 * (SIDE + STRIP + 112.0);
    let mut drawing = Drawing::new(width.max(560.0), height);
    drawing.text((LEFT - 44.0, 22.0), title, TITLE, INK, Align::Left);
    for (at, panel) in panels.iter().enumerate() {
        let (column, line) = (at % COLUMNS, at / COLUMNS);
        let left = LEFT + column as f64 * (SIDE + GAP);
        let top = 44.0 + line as f64 * (SIDE + STRIP + 112.0) + 44.0;
        draw_panel(&mut drawing, panel, left, top, column == 0);
    }
    drawing
}

fn draw_panel(drawing: &mut Drawing, panel: &ReliabilityPanel, left: f64, top: f64, is_first: bool) {
    let (x, y) = (|share: f64| left + share * SIDE, |share: f64| top + (1.0 - share) * SIDE);
    drawing.text((left, top - 28.0), &panel.look.label, LABEL, INK, Align::Left);
    drawing.text((left, top - 11.0), &panel.note, TICK, SOFT, Align::Left);
    for tick in [0.0, 0.5, 1.0] {
        drawing.line(&[(left, y(tick)), (left + SIDE, y(tick))], GRID, 1.0);
        drawing.text((left - 6.0, y(tick)), &format!("{:.0}", 100.0 * tick), TICK, SOFT, Align::Right);
        let below = top + SIDE + STRIP + 14.0;
        drawing.text((x(tick), below), &format!("{:.0}", 100.0 * tick), TICK, SOFT, Align::Center);
    }
    let total: u64 = panel.bins.iter().map(|bin| bin.count).sum();
    for (place, bin) in panel.bins.iter().enumerate() {
        let (Some(accuracy), Some(confidence)) = (bin.accuracy(), bin.confidence()) else { continue };
        let edge = |side: f64| x((place as f64 + side) / BINS as f64);
        let (from, to) = (edge(0.06), edge(0.94));
        drawing.rectangle((from, y(accuracy)), (to, y(0.0)), tint(panel.look.color, 0.55));
        drawing.line(&[(from, y(confidence)), (to, y(confidence))], INK, 2.0);
        let share = bin.count as f64 / total.max(1) as f64;
        let foot = top + SIDE + STRIP;
        drawing.rectangle((from, foot - share.sqrt() * (STRIP - 6.0)), (to, foot), SOFT);
    }
    drawing.line(&[(x(0.0), y(0.0)), (x(1.0), y(1.0))], SOFT, 1.0);
    drawing.line(&[(left, top), (left, top + SIDE), (left + SIDE, top + SIDE)], INK, 1.0);
    drawing.line(&[(left, top + SIDE + STRIP), (left + SIDE, top + SIDE + STRIP)], INK, 1.0);
    drawing.text((left + 0.5 * SIDE, top + SIDE + STRIP + 32.0), "confidence (%)", TICK, INK, Align::Center);
    if is_first {
        drawing.upright_text((left - 44.0, top + 0.5 * SIDE), "right (%)", LABEL, INK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plot::drawing::Mark;
    use crate::report::plot::style::{Marker, method_color};

    #[test]
    fn a_bar_is_as_high_as_its_bin_is_right() {
        let look =
            Look { label: "RPO".to_owned(), color: method_color("rpo"), marker: Marker::of_variant(0) };
        let mut bins = [Bin::default(); BINS];
        bins[14] = Bin { count: 4, correct: 3, confidence_sum: 3.9 };
        let panel = |bins| ReliabilityPanel { look: look.clone(), bins, note: String::new() };
        let shapes = draw("t", &[panel(bins)]).shapes;
        let heights: Vec<f64> = shapes
            .iter()
            .filter_map(|shape| match shape {
                Mark::Polygon { points, .. } => Some(points[2].1 - points[0].1),
                _ => None,
            })
            .collect();
        assert_eq!(heights.len(), 2, "the bar and its share");
        assert!((heights[0] - 0.75 * SIDE).abs() < 1e-9, "{heights:?}");
        assert!(draw("t", &[panel([Bin::default(); BINS])]).shapes.len() + 3 == shapes.len());
    }
}
