//! Does a method that moves the tokens more lose more accuracy among new classes?
//!
//! The question is about methods, so its unit is the method: one point each, averaged over datasets. A handful of
//! methods proves nothing, and the points of one method are no independent ones; so correlations have no p.

use std::collections::BTreeMap;

use super::moved_tokens::{Measured, small, values};
use crate::data::Classes;
use crate::method::BASELINE;
use crate::report::arm::Arm;
use crate::report::context::Context;
use crate::report::error::ReportError;
use crate::report::guide::{Anchor, explained};
use crate::report::looks::looks;
use crate::report::markdown::Table;
use crate::report::number::{count, signed};
use crate::report::plot::points::{PointFigure, draw};
use crate::report::plot::{Picture, paint};
use crate::stats::describe::mean;
use crate::stats::settled::settled;
use crate::stats::spearman::spearman;

/// Per dataset and arm: shift of the text tower, shift of the vision tower, change of new-class accuracy.
type Point = [f64; 3];
/// One number of a point, or the larger of two.
type Coordinate = fn(&Point) -> f64;

/// The table, the correlations and the picture.
pub fn render(
    context: &Context<'_>,
    measured: &Measured<'_>,
) -> Result<(String, Option<Picture>), ReportError> {
    let arms: Vec<Arm> = measured.arms.iter().filter(|arm| arm.method != BASELINE).cloned().collect();
    let points: Vec<BTreeMap<String, Point>> =
        arms.iter().map(|arm| points(context, measured, arm)).collect();
    let shared = |id: &&String| points.iter().all(|of| of.contains_key(*id));
    let datasets: Vec<String> =
        points.first().map(|of| of.keys().filter(shared).cloned().collect()).unwrap_or_default();
    if datasets.is_empty() {
        return Ok((
            "No dataset has zero-shot and every trained method: nothing to relate.\n".to_owned(),
            None,
        ));
    }
    let mut table =
        Table::new(["method", "text shift", "vision shift", "new-class accuracy minus zero-shot, points"]);
    for (arm, of) in arms.iter().zip(&points) {
        let average = |j: usize| mean(&datasets.iter().map(|id| of[id][j]).collect::<Vec<_>>());
        let [text, vision, change] = [0, 1, 2].map(|j| average(j).unwrap_or(0.0));
        table.row([arm.label(), small(text), small(vision), signed(change)]);
    }
    let correlations = correlations(&points, &datasets);
    let title = context.titled("Shift of the tokens and change of new-class accuracy");
    let figure = PointFigure {
        title: title.clone(),
        x_title: "1 − cosine in the last layer, larger of the two towers".to_owned(),
        y_title: "new-class accuracy minus zero-shot (points)".to_owned(),
        looks: looks(&arms),
        points: points
            .iter()
            .map(|of| datasets.iter().map(|id| (of[id][0].max(of[id][1]), of[id][2])).collect())
            .collect(),
    };
    let body = format!(
        "**{title}**\n\n{}\n{correlations}\n\n![{title}](shift_and_loss.png)\n\n_Shift: 1 − cosine of the tokens \
         among new classes in the last layer, against no prompts; mean over seeds, then over datasets. A negative \
         correlation means: what moves the tokens more loses more. Picture: one point per dataset and method; a point \
         on the left edge is an exact zero. {}_\n",
        table.markdown(),
        explained(Anchor::Shift),
    );
    Ok((body, Some(paint("shift_and_loss", &draw(&figure))?)))
}

/// Spearman's correlation of shift and change: over the methods' averages, and over all points.
fn correlations(points: &[BTreeMap<String, Point>], datasets: &[String]) -> String {
    let towers: [(&str, Coordinate); 3] =
        [("text", |p| p[0]), ("vision", |p| p[1]), ("larger of the two", |p| p[0].max(p[1]))];
    let words = |pairs: &dyn Fn(Coordinate) -> Vec<(f64, f64)>| {
        let tower = |(name, shift): &(&str, Coordinate)| {
            let (x, y): (Vec<f64>, Vec<f64>) = pairs(*shift).into_iter().unzip();
            spearman(&x, &y).ok().map(|rho| format!("{name} {}", signed(rho)))
        };
        towers.iter().filter_map(tower).collect::<Vec<_>>().join(", ")
    };
    let of = |shift: Coordinate, all: &BTreeMap<String, Point>| -> Vec<(f64, f64)> {
        datasets.iter().map(|id| (settled(shift(&all[id])), settled(all[id][2]))).collect()
    };
    let averaged = |shift: Coordinate| -> Vec<(f64, f64)> {
        let average = |all: &BTreeMap<String, Point>| {
            let (x, y): (Vec<f64>, Vec<f64>) = of(shift, all).into_iter().unzip();
            Some((settled(mean(&x)?), settled(mean(&y)?)))
        };
        points.iter().filter_map(average).collect()
    };
    let methods = words(&averaged);
    if methods.is_empty() {
        return "A rank correlation needs three methods.".to_owned();
    }
    let every = words(&|shift| points.iter().flat_map(|all| of(shift, all)).collect());
    format!(
        "Rank correlation of shift and change (Spearman) over the averages of {}: {methods}. Over all {} points, which \
         share methods and datasets: {every}. No p: the question is about methods, and so few of them cannot show \
         much; the three towers are one question asked three times.",
        count(points.len(), "method"),
        points.len() * datasets.len(),
    )
}

/// An arm's points by dataset.
fn points(context: &Context<'_>, measured: &Measured<'_>, arm: &Arm) -> BTreeMap<String, Point> {
    let new = |method: &str, variant: &str, dataset: &str| {
        let row = context.summary.iter().find(|row| {
            (row.place.method.as_str(), row.place.variant.as_str(), row.place.dataset.as_str())
                == (method, variant, dataset)
        });
        row.and_then(|row| row.accuracy(Classes::New).mean())
    };
    let mut shifts: BTreeMap<String, [Vec<f64>; 2]> = BTreeMap::new();
    for record in measured.of(arm) {
        let slot = shifts.entry(record.cell.dataset.clone()).or_default();
        for (tower, values_of) in ["text", "vision"].into_iter().zip(slot) {
            let place = [("tower", tower), ("reference", "no_prompts"), ("classes", "new")];
            let last = values(record, "one_minus_cosine_mean", &place).max_by_key(|(layer, _)| *layer);
            values_of.extend(last.map(|(_, value)| value));
        }
    }
    let point = |(dataset, [text, vision]): (String, [Vec<f64>; 2])| {
        let change = new(&arm.method, &arm.variant, &dataset)? - new(BASELINE, "", &dataset)?;
        Some((dataset, [mean(&text)?, mean(&vision)?, change]))
    };
    shifts.into_iter().filter_map(point).collect()
}
