//! Linear axes with round ticks, and the frame around a panel.

use super::drawing::{Align, Drawing};
use super::style::{GRID, INK, LABEL, SOFT, TICK};

/// A linear map from values to points, with round tick values.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Value at `from`.
    pub low: f64,
    /// Value at `to`.
    pub high: f64,
    /// Position of `low`, in points.
    pub from: f64,
    /// Position of `high`, in points.
    pub to: f64,
    /// Whether positions go with the logarithm of values.
    pub logarithmic: bool,
    /// Whether the low end of a logarithmic axis stands for zero, which has no logarithm.
    pub zero_at_low: bool,
    /// Tick values, ascending.
    pub ticks: Vec<f64>,
}

impl Axis {
    /// An axis that covers `values` with a margin, ends on round values inside `bounds`, and has about
    /// `wanted` ticks. Without values it covers the bounds.
    pub fn covering(values: impl Iterator<Item = f64>, bounds: (f64, f64), wanted: usize) -> Self {
        let finite = values.filter(|v| v.is_finite());
        let range = finite.fold(None, |range: Option<(f64, f64)>, v| {
            Some(range.map_or((v, v), |(low, high)| (low.min(v), high.max(v))))
        });
        let (low, high) = range.unwrap_or(bounds);
        let margin = ((high - low) * 0.06).max(if high - low < 1e-9 { 1.0 } else { 0.0 });
        let (low, high) = ((low - margin).max(bounds.0), (high + margin).min(bounds.1));
        let step = round_step((high - low) / wanted.max(1) as f64);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let count = (last - first).round().max(1.0) as usize;
        let ticks: Vec<f64> = (0..=count).map(|i| (first + i as f64) * step).collect();
        Self {
            low: ticks[0],
            high: ticks[count],
            from: 0.0,
            to: 1.0,
            logarithmic: false,
            zero_at_low: false,
            ticks,
        }
    }

    /// A logarithmic axis that covers the positive ones of `values`, with ticks at powers of ten, and at twice
    /// and five times those where less than three powers are covered. Without such values it covers 0.1 to 1.
    /// Where a value is zero or below, one more tick at the low end stands for zero.
    pub fn decades(values: impl Iterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
        let zero_at_low = values.iter().any(|v| *v <= 0.0);
        let range = values.into_iter().filter(|v| *v > 0.0).fold(None, |range: Option<(f64, f64)>, v| {
            Some(range.map_or((v, v), |(low, high)| (low.min(v), high.max(v))))
        });
        let (low, high) = range.unwrap_or((0.1, 1.0));
        let (first, last) = ((low / 1.1).log10().floor() as i32, (high * 1.1).log10().ceil() as i32);
        let fine: &[f64] = if last - first < 3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut ticks: Vec<f64> =
            (first..=last).flat_map(|power| fine.iter().map(move |m| m * 10f64.powi(power))).collect();
        // The ends are the last ticks outside the values.
        let below = ticks.iter().rposition(|t| *t <= low / 1.1).unwrap_or(0);
        let above = ticks.iter().position(|t| *t >= high * 1.1).unwrap_or(ticks.len() - 1);
        ticks = ticks[below..=above.max(below + 1).min(ticks.len() - 1)].to_vec();
        if zero_at_low {
            ticks.insert(0, ticks[0] * ticks[0] / ticks[1]);
        }
        let (low, high) = (ticks[0], ticks[ticks.len() - 1]);
        Self { low, high, from: 0.0, to: 1.0, logarithmic: true, zero_at_low, ticks }
    }

    /// The same axis between two positions.
    pub fn between(mut self, from: f64, to: f64) -> Self {
        (self.from, self.to) = (from, to);
        self
    }

    /// Position of a value, in points; on a logarithmic axis nothing lies below its low end.
    pub fn at(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Tick label with as many decimals as the ticks need.
    pub fn label(&self, tick: f64) -> String {
        if self.zero_at_low && tick <= self.low {
            return "0".to_owned();
        }
        if self.logarithmic {
            return if (1e-3..1e6).contains(&tick) { format!("{tick}") } else { format!("{tick:e}") };
        }
        let step = self.ticks.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min);
        let decimals = (0..4).find(|d| (step * 10f64.powi(*d)).fract().abs() < 1e-9).unwrap_or(4);
        // Adding zero turns −0 into 0.
        format!("{:.*}", decimals as usize, tick + 0.0)
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `raw`.
fn round_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.max(1e-9).log10().floor());
    let found = [1.0, 2.0, 5.0].into_iter().find(|m| m * power >= raw * (1.0 - 1e-9));
    found.unwrap_or(10.0) * power
}

/// Horizontal grid lines with tick labels on their left, from x `left` to `right`.
pub fn draw_y_axis(drawing: &mut Drawing, y: &Axis, left: f64, right: f64, title: &str) {
    for &tick in &y.ticks {
        drawing.line(&[(left, y.at(tick)), (right, y.at(tick))], GRID, 1.0);
        drawing.text((left - 7.0, y.at(tick)), &y.label(tick), TICK, SOFT, Align::Right);
    }
    drawing.line(&[(left, y.from), (left, y.to)], SOFT, 1.0);
    drawing.upright_text((left - 48.0, 0.5 * (y.from + y.to)), title, LABEL, INK);
}

/// The base line with tick labels below it, at height `bottom`; `label` names a tick.
pub fn draw_x_axis(drawing: &mut Drawing, x: &Axis, bottom: f64, title: &str, label: impl Fn(f64) -> String) {
    drawing.line(&[(x.from, bottom), (x.to, bottom)], SOFT, 1.0);
    for &tick in &x.ticks {
        drawing.line(&[(x.at(tick), bottom), (x.at(tick), bottom + 4.0)], SOFT, 1.0);
        drawing.text((x.at(tick), bottom + 14.0), &label(tick), TICK, SOFT, Align::Center);
    }
    drawing.text((0.5 * (x.from + x.to), bottom + 36.0), title, LABEL, INK, Align::Center);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_round_and_hold_the_values() {
        let axis = Axis::covering([61.3, 98.7].into_iter(), (0.0, 100.0), 5);
        assert_eq!((axis.low, axis.high), (50.0, 100.0));
        assert_eq!(axis.label(60.0), "60");
        let fine = Axis::covering([70.1, 70.4].into_iter(), (0.0, 100.0), 5);
        assert!(fine.low <= 70.1 && fine.high >= 70.4 && fine.high - fine.low < 1.0, "{fine:?}");
    }

    #[test]
    fn decades_hold_the_positive_values_and_label_them_plainly() {
        let wide = Axis::decades([0.4, 350.0].into_iter()).between(0.0, 1.0);
        assert_eq!(wide.ticks, vec![0.1, 1.0, 10.0, 100.0, 1000.0]);
        assert!((wide.at(10.0) - 0.5).abs() < 1e-12 && wide.at(-3.0) == 0.0);
        assert_eq!(
            wide.ticks.iter().map(|t| wide.label(*t)).collect::<Vec<_>>().join(" "),
            "0.1 1 10 100 1000"
        );
        let narrow = Axis::decades([0.6, 0.9].into_iter());
        assert_eq!(narrow.ticks, vec![0.5, 1.0]);
        let with_zero = Axis::decades([0.0, 0.02, 0.4].into_iter()).between(0.0, 1.0);
        let labels: Vec<String> = with_zero.ticks.iter().map(|t| with_zero.label(*t)).collect();
        assert_eq!(labels.join(" "), "0 0.01 0.02 0.05 0.1 0.2 0.5");
        assert!(with_zero.at(0.0) == 0.0 && with_zero.at(0.01) > 0.1);
        for values in [vec![], vec![0.0, -1.0], vec![1.0], vec![1e-9, 1e9]] {
            let axis = Axis::decades(values.into_iter());
            assert!(axis.low > 0.0 && axis.low < axis.high && axis.ticks.len() >= 2, "{axis:?}");
        }
    }

    #[test]
    fn one_value_no_value_and_the_bound_are_drawable() {
        for values in [vec![], vec![100.0], vec![0.0], vec![f64::NAN]] {
            let axis = Axis::covering(values.into_iter(), (0.0, 100.0), 5);
            assert!(axis.low >= 0.0 && axis.high <= 100.0 && axis.low < axis.high, "{axis:?}");
            assert!(axis.ticks.len() >= 2);
        }
    }
}
