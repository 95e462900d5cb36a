//! The picture of a comparison: differences in points per dataset, a panel per group of classes.

use std::collections::{BTreeMap, BTreeSet};

use super::paper::PaperComparison;
use super::runs::RunComparison;
use super::{MARGIN_POINTS, RunVerdict};
use crate::data::Classes;
use crate::report::error::ReportError;
use crate::report::names::{dataset_name, dataset_order, method_name, method_order};
use crate::report::number::count;
use crate::report::plot::drift::{DriftFigure, DriftPoint, draw};
use crate::report::plot::style::{Look, Marker, method_color};
use crate::report::plot::{Picture, paint};
use crate::stats::Interval;
use crate::stats::equivalence::Verdict;

/// `drift` for a run beside the paper; `None` where there is nothing to draw.
///
/// # Errors
/// [`ReportError::Draw`].
pub fn paper(comparison: &PaperComparison, name: &str) -> Result<Option<Picture>, ReportError> {
    let entries = comparison.lines.iter().filter_map(|line| {
        Some(DriftCell {
            arm: arm(&line.place.method, "", line.place.shots),
            dataset: line.place.dataset.clone(),
            classes: line.place.classes,
            difference: line.difference()?,
            interval: line.interval(),
            told: line.verdict() != Verdict::CannotTell,
        })
    });
    picture(entries.collect(), &format!("{name}: ours − published"))
}

/// `drift` for two runs; cells that only one has, and identical ones, are not drawn.
///
/// # Errors
/// [`ReportError::Draw`].
pub fn runs(comparison: &RunComparison, title: &str) -> Result<Option<Picture>, ReportError> {
    let entries = comparison.lines.iter().filter_map(|line| {
        let verdict = line.verdict();
        let difference = line.difference().filter(|_| line.first.is_some() && line.second.is_some())?;
        Some(DriftCell {
            arm: arm(&line.place.method, &line.place.variant, line.place.shots),
            dataset: line.place.dataset.clone(),
            classes: line.place.classes,
            difference,
            interval: line.interval(),
            told: !matches!(verdict, RunVerdict::Of(Verdict::CannotTell)),
        })
    });
    picture(entries.collect(), title)
}

/// Sorting key, method id and label.
type DriftArm = ((usize, String), String, String);

struct DriftCell {
    arm: DriftArm,
    dataset: String,
    classes: Classes,
    difference: f64,
    interval: Option<Interval>,
    told: bool,
}

fn arm(method: &str, variant: &str, shots: Option<u32>) -> DriftArm {
    let shots = shots.map(|k| count(k as usize, "shot"));
    let words: Vec<String> =
        [(!variant.is_empty()).then(|| variant.to_owned()), shots].into_iter().flatten().collect();
    let name = method_name(method);
    let label = if words.is_empty() { name.to_owned() } else { format!("{name}, {}", words.join(", ")) };
    let (order, id) = method_order(method);
    ((order, format!("{id} {label}")), method.to_owned(), label)
}

fn picture(entries: Vec<DriftCell>, title: &str) -> Result<Option<Picture>, ReportError> {
    if entries.is_empty() {
        return Ok(None);
    }
    let arms: Vec<DriftArm> =
        entries.iter().map(|e| e.arm.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let mut datasets: Vec<&String> =
        entries.iter().map(|e| &e.dataset).collect::<BTreeSet<_>>().into_iter().collect();
    datasets.sort_by_key(|id| dataset_order(id));
    let mut panels: BTreeMap<Classes, Vec<DriftPoint>> = BTreeMap::new();
    for entry in &entries {
        let line = datasets.iter().position(|id| **id == entry.dataset);
        let look = arms.iter().position(|arm| *arm == entry.arm);
        if let Some((line, look)) = line.zip(look) {
            let point = DriftPoint {
                line,
                look,
                difference: entry.difference,
                interval: entry.interval.map(|i| (i.low, i.high)),
                told: entry.told,
            };
            panels.entry(entry.classes).or_default().push(point);
        }
    }
    let look = |(i, (_, method, label)): (usize, &DriftArm)| Look {
        label: label.clone(),
        color: method_color(method),
        marker: Marker::of_variant(arms[..i].iter().filter(|a| a.1 == *method).count()),
    };
    let figure = DriftFigure {
        title: title.to_owned(),
        margin: MARGIN_POINTS,
        looks: arms.iter().enumerate().map(look).collect(),
        lines: datasets.into_iter().map(|id| dataset_name(id).to_owned()).collect(),
        panels: panels.into_iter().map(|(classes, points)| (format!("{classes} classes"), points)).collect(),
    };
    paint("drift", &draw(&figure)).map(Some)
}
