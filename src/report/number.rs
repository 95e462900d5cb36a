//! Numbers as text. A missing number is a dash, never a zero.

use crate::stats::Interval;

/// What stands where there is no number.
pub const NONE: &str = "—";

/// Two decimals.
pub fn two(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |v| format!("{v:.2}"))
}

/// Mean ± spread, two decimals; the spread is left out where it is undefined.
pub fn with_spread(mean: Option<f64>, std: Option<f64>) -> String {
    match (mean, std) {
        (Some(mean), Some(std)) => format!("{mean:.2} ± {std:.2}"),
        (mean, _) => two(mean),
    }
}

/// A signed difference, two decimals.
pub fn signed(value: f64) -> String {
    // Rounded first: −0.001 would print as −0.00.
    let rounded = (value * 100.0).round() / 100.0 + 0.0;
    format!("{rounded:+.2}").replace('-', "−")
}

/// An interval as `[low, high]`, two decimals.
pub fn interval(interval: Option<Interval>) -> String {
    // −0.001 would print as −0.00.
    let end = |value: f64| if value.abs() < 0.005 { 0.0 } else { value };
    let text = |i: Interval| format!("[{:.2}, {:.2}]", end(i.low), end(i.high)).replace('-', "−");
    interval.map_or_else(|| NONE.to_owned(), text)
}

/// An interval of a percentage: cut, and said to be, where it leaves 0 to 100.
pub fn interval_of_share(of: Option<Interval>) -> String {
    let inside = of.map(|i| Interval { low: i.low.max(0.0), high: i.high.min(100.0) });
    let cut = if inside == of { "" } else { " cut" };
    format!("{}{cut}", interval(inside))
}

/// A p value: three decimals, or `<0.001`.
pub fn p(value: f64) -> String {
    if value < 0.001 { "<0.001".to_owned() } else { format!("{value:.3}") }
}

/// A count in words: `1 seed`, `3 seeds`.
pub fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// `, 16 shots` for a title; empty without a number.
pub fn comma_shots(shots: Option<u32>) -> String {
    shots.map_or_else(String::new, |k| format!(", {}", count(k as usize, "shot")))
}

/// `_shots_16` for a file name where a report has several numbers of shots, else empty.
pub fn shots_suffix(shots: Option<u32>, several: bool) -> String {
    shots.filter(|_| several).map_or_else(String::new, |k| format!("_shots_{k}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        assert_eq!(with_spread(Some(81.126), Some(0.5)), "81.13 ± 0.50");
        assert_eq!(with_spread(Some(81.0), None), "81.00");
        assert_eq!(with_spread(None, Some(1.0)), NONE);
        assert_eq!((signed(-0.001), signed(-1.5)), ("+0.00".to_owned(), "−1.50".to_owned()));
        assert_eq!(interval(Some(Interval { low: -0.004, high: 0.63 })), "[0.00, 0.63]");
        assert_eq!(interval(Some(Interval { low: -0.006, high: -0.0 })), "[−0.01, 0.00]");
        let share = |low, high| interval_of_share(Some(Interval { low, high }));
        assert_eq!(share(84.61, 111.29), "[84.61, 100.00] cut");
        assert_eq!(
            (share(84.61, 99.0), interval_of_share(None)),
            ("[84.61, 99.00]".to_owned(), NONE.to_owned())
        );
        assert_eq!((p(0.0004), p(0.04)), ("<0.001".to_owned(), "0.040".to_owned()));
    }
}
