//! How far prompts move the tokens' features, layer by layer, and whether that goes with lost new-class accuracy.
//!
//! A zero of the table is exact where it says so: the measured number is 0, not a small one rounded.

use std::collections::BTreeMap;

use super::moved_tokens::{Measured, small, values};
use super::shift_and_loss;
use crate::report::arm::Arm;
use crate::report::context::Context;
use crate::report::error::ReportError;
use crate::report::families;
use crate::report::looks::looks;
use crate::report::markdown::Table;
use crate::report::number::count;
use crate::report::part::Part;
use crate::report::plot::curves::{CurveFigure, CurvePoint, draw};
use crate::report::plot::paint;
use crate::stats::describe::{mean, sample_std};

/// What the trained features are compared with: id and words.
const REFERENCES: [(&str, &str); 2] =
    [("initial", "initial prompts, same sequence"), ("no_prompts", "no prompts")];
const TOWERS: [&str; 2] = ["text", "vision"];

/// The section.
///
/// # Errors
/// [`ReportError::Draw`].
pub fn render(context: &Context<'_>) -> Result<Part, ReportError> {
    let mut part = Part { heading: "Do prompts move the tokens?".to_owned(), ..Part::default() };
    let measured = Measured::new(context);
    if measured.arms.is_empty() {
        part.body.push_str("Nothing was measured.\n");
        return Ok(part);
    }
    part.body.push_str(&table(context, &measured));
    let figure = figure(context, &measured);
    part.body.push_str(&format!(
        "![{}](representation_shift.png)\n\n_1 − cosine between token features with trained prompts and with the \
         reference, mean over tokens; points: mean over cells and class halves, bands: their sample standard \
         deviation. Logarithmic, with zero itself at the lower end; each panel has its own scale. Zero-shot and linear probing have no \
         prompts._\n\n",
        figure.title
    ));
    part.pictures.push(paint("representation_shift", &draw(&figure))?);
    let (body, picture) = shift_and_loss::render(context, &measured)?;
    part.body.push_str(&body);
    part.pictures.extend(picture);
    Ok(part)
}

fn table(context: &Context<'_>, measured: &Measured<'_>) -> String {
    let header = [
        "method",
        "tower",
        "reference",
        "cells",
        "1 − cosine, last layer, mean",
        "1 − cosine, largest",
        "relative L2, largest",
        "tokens",
    ];
    let mut table = Table::new(header).left(3);
    for arm in &measured.arms {
        for tower in TOWERS {
            for (reference, words) in REFERENCES {
                let place = [("tower", tower), ("reference", reference)];
                let all = |quantity: &str| -> Vec<(u32, f64)> {
                    measured.of(arm).flat_map(|r| values(r, quantity, &place).collect::<Vec<_>>()).collect()
                };
                let means = all("one_minus_cosine_mean");
                let last = means.iter().map(|(layer, _)| *layer).max().unwrap_or(0);
                let last: Vec<f64> = means.iter().filter(|(layer, _)| *layer == last).map(|v| v.1).collect();
                let largest = |quantity: &str| all(quantity).iter().map(|v| v.1).fold(0.0, f64::max);
                let (cosine, distance) = (largest("one_minus_cosine_max"), largest("relative_l2_max"));
                table.row([
                    arm.label(),
                    tower.to_owned(),
                    words.to_owned(),
                    measured.of(arm).count().to_string(),
                    small(mean(&last).unwrap_or(0.0)),
                    small(cosine),
                    small(distance),
                    verdict(distance).to_owned(),
                ]);
            }
        }
    }
    format!(
        "**{}**\n\n{}\n_Largest over {}, layers, images, classes and tokens. “Same sequence”: the reference has the \
         prompts' initial values in the same places, so both passes have one shape and an untouched token is equal \
         bit for bit. “No prompts”: words and images alone (for CoOp and CoCoOp the words in place of the context); \
         where RPO's sequences are longer for it, last bits differ and up to {:.0e} relative counts as untouched. Text \
         tokens: SOS to EOS without the context's own rows. A run in which a method moves tokens that it must not \
         move is recorded as failed._\n\n",
        context.titled("Token features with trained prompts against a reference"),
        table.markdown(),
        count(measured.records.len(), "cell"),
        OTHER_LENGTH,
    )
}

/// Relative distance that another sequence length may cause.
const OTHER_LENGTH: f64 = 1e-4;

fn verdict(distance: f64) -> &'static str {
    if distance == 0.0 {
        "equal bit for bit"
    } else if distance <= OTHER_LENGTH {
        "untouched, last bits differ"
    } else {
        "moved"
    }
}

fn figure(context: &Context<'_>, measured: &Measured<'_>) -> CurveFigure {
    let curve = |arm: &Arm, tower: &str, reference: &str| -> Vec<CurvePoint> {
        let place = [("tower", tower), ("reference", reference)];
        let mut layers: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for record in measured.of(arm) {
            for (layer, value) in values(record, "one_minus_cosine_mean", &place) {
                layers.entry(layer).or_default().push(value);
            }
        }
        let point =
            |(layer, values): (u32, Vec<f64>)| Some((f64::from(layer), mean(&values)?, sample_std(&values)));
        layers.into_iter().filter_map(point).collect()
    };
    let panels = TOWERS.iter().flat_map(|tower| {
        REFERENCES.iter().map(move |(reference, words)| {
            let curves = measured.arms.iter().map(|arm| curve(arm, tower, reference)).collect();
            (format!("{tower}, against {words}"), curves)
        })
    });
    CurveFigure {
        title: context.titled("Shift of the tokens' features"),
        x_title: "layer".to_owned(),
        y_title: "1 − cosine".to_owned(),
        log2_x: false,
        log10_y: true,
        y_bounds: (0.0, 2.0),
        looks: looks(&measured.arms),
        direct_labels: measured.arms.len() > families::AT_ONCE,
        panels: panels.collect(),
    }
}
