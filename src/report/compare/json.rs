//! Comparisons as one JSON document. Accuracies in percent, differences in points, full precision; a number
//! that does not exist is `null`.

use serde_json::{Value, json};

use super::paper::{PaperComparison, PaperLine};
use super::published::FigureKey;
use super::runs::{RunComparison, RunLine};
use super::{ALPHA, MARGIN_POINTS};
use crate::frame::Accuracy;
use crate::stats::Interval;
use crate::stats::t_tests::MeanDifference;

/// A run beside the paper.
pub fn paper(comparison: &PaperComparison) -> Value {
    json!({
        "kind": "paper",
        "margin_points": MARGIN_POINTS,
        "alpha": ALPHA,
        "lines": comparison.lines.iter().map(paper_line).collect::<Vec<_>>(),
        "unpublished": comparison.unpublished.iter().map(place).collect::<Vec<_>>(),
        "variants_left_out": comparison.variants_left_out,
    })
}

/// Two runs side by side.
pub fn runs(comparison: &RunComparison) -> Value {
    json!({
        "kind": "runs",
        "margin_points": MARGIN_POINTS,
        "alpha": ALPHA,
        "changes": comparison.changes,
        "lines": comparison.lines.iter().map(run_line).collect::<Vec<_>>(),
    })
}

fn paper_line(line: &PaperLine) -> Value {
    let seeds = |values: &[(u64, f64)]| -> Vec<Value> {
        values.iter().map(|(seed, pct)| json!({ "seed": seed, "accuracy_pct": pct })).collect()
    };
    json!({
        "place": place(&line.place),
        "ours": accuracy(&line.ours),
        "published": {
            "mean_pct": line.published_mean(),
            "printed_pct": line.published.printed_pct,
            "by_seed": seeds(&line.published.by_seed),
            "source": line.published.source,
        },
        "difference_points": line.difference(),
        "interval_95_points": interval(line.interval()),
        "verdict": line.verdict().as_str(),
        "obstacle": line.obstacle,
        "error_of": line.estimate().map(error_of),
    })
}

fn run_line(line: &RunLine) -> Value {
    let row = &line.place;
    json!({
        "place": {
            "method": row.method, "variant": row.variant, "dataset": row.dataset,
            "train_dataset": row.train_dataset, "train_classes": row.train_classes.as_str(),
            "classes": row.classes.as_str(), "shots": row.shots, "limit": row.limit,
        },
        "first": line.first.as_ref().map(accuracy),
        "second": line.second.as_ref().map(accuracy),
        "paired": line.paired,
        "seeds_left_out": line.left_out,
        "error_of": line.estimate().map(error_of),
        "difference_points": line.difference(),
        "interval_95_points": interval(line.interval()),
        "sign_flip_p": line.sign_flip_p(),
        "verdict": line.verdict().as_str(),
    })
}

fn place(place: &FigureKey) -> Value {
    json!({
        "method": place.method, "dataset": place.dataset, "train_dataset": place.train_dataset,
        "train_classes": place.train_classes.as_str(), "classes": place.classes.as_str(), "shots": place.shots,
    })
}

fn accuracy(accuracy: &Accuracy) -> Value {
    let by_seed: Vec<Value> =
        accuracy.by_seed.iter().map(|(seed, pct)| json!({ "seed": seed, "accuracy_pct": pct })).collect();
    json!({
        "n": accuracy.n(), "mean_pct": accuracy.mean(), "sample_std_points": accuracy.std(),
        "correct": accuracy.correct, "total": accuracy.total, "by_seed": by_seed,
    })
}

/// What the verdict's error is the error of.
pub(super) fn error_of(estimate: MeanDifference) -> &'static str {
    if estimate.df.is_finite() { "seeds" } else { "images" }
}

fn interval(interval: Option<Interval>) -> Value {
    interval.map_or(Value::Null, |i| json!([i.low, i.high]))
}
