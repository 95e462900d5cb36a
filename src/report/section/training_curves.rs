//! Loss over epochs, averaged over seeds, a panel per dataset.
//!
//! Losses of different methods are not comparable: batch sizes and temperatures of the logits differ.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::RunRecord;
use crate::report::arm::Arm;
use crate::report::context::Context;
use crate::report::error::ReportError;
use crate::report::families;
use crate::report::looks::looks;
use crate::report::names::{dataset_name, dataset_order};
use crate::report::number::{comma_shots, count};
use crate::report::part::Part;
use crate::report::plot::curves::{CurveFigure, CurvePoint, draw};
use crate::report::plot::paint;
use crate::stats::describe::{mean, sample_std};

/// The section, with one picture of the records at the highest number of shots, without variants.
pub fn render(context: &Context<'_>) -> Result<Part, ReportError> {
    let mut part = Part { heading: "Training".to_owned(), ..Part::default() };
    let shots = context.records.iter().filter_map(|r| r.cell.shots).max();
    let fits = |r: &&&RunRecord| r.training.is_some() && r.cell.shots == shots && r.cell.variant.is_empty();
    let records: Vec<&RunRecord> = context.records.iter().filter(fits).copied().collect();
    if records.is_empty() {
        part.body.push_str("No record without a variant was trained.\n");
        return Ok(part);
    }
    let figure = figure(context, &records, shots);
    let seeds: BTreeSet<u64> = records.iter().filter_map(|r| r.cell.seed).collect();
    let bands = if seeds.len() > 1 { "; bands: ± sample standard deviation over seeds" } else { "" };
    let seeds = count(seeds.len(), "seed");
    part.body.push_str(&format!(
        "![{}](training.png)\n\n_Mean over steps and {seeds} of each batch's cross-entropy before the update, on a logarithmic \
         scale of its own in each panel{bands}. Epoch 0 is the warm-up at a learning rate of 1e-5. Losses of different \
         methods are not comparable._\n",
        figure.title
    ));
    part.pictures.push(paint("training", &draw(&figure))?);
    Ok(part)
}

fn figure(context: &Context<'_>, records: &[&RunRecord], shots: Option<u32>) -> CurveFigure {
    let arm_of = |record: &RunRecord| context.arm_of_record(record);
    let arms: BTreeSet<Arm> = records.iter().map(|r| arm_of(r)).collect();
    let arms: Vec<Arm> = arms.into_iter().collect();
    let mut datasets: Vec<&str> = distinct(records, |r| &r.cell.dataset);
    datasets.sort_by_key(|id| dataset_order(id));
    let panel = |dataset: &&str| {
        let of = |arm: &Arm| {
            let same = |r: &&&RunRecord| r.cell.dataset == **dataset && arm_of(r) == *arm;
            curve(&records.iter().filter(same).copied().collect::<Vec<_>>())
        };
        (dataset_name(dataset).to_owned(), arms.iter().map(of).collect())
    };
    let words = comma_shots(shots);
    CurveFigure {
        title: context.titled(&format!("Training loss over epochs{words}")),
        x_title: "epoch".to_owned(),
        y_title: "loss (nats)".to_owned(),
        log2_x: false,
        log10_y: true,
        y_bounds: (0.0, f64::MAX),
        looks: looks(&arms),
        direct_labels: arms.len() > families::AT_ONCE,
        panels: datasets.iter().map(panel).collect(),
    }
}

fn distinct<'a>(records: &[&'a RunRecord], key: fn(&RunRecord) -> &String) -> Vec<&'a str> {
    records.iter().map(|r| key(r).as_str()).collect::<BTreeSet<&str>>().into_iter().collect()
}

fn curve(records: &[&RunRecord]) -> Vec<CurvePoint> {
    let mut losses: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for training in records.iter().filter_map(|r| r.training.as_ref()) {
        for (epoch, values) in training.epochs.iter().enumerate() {
            losses.entry(epoch).or_default().push(values.mean_loss);
        }
    }
    let point =
        |(epoch, values): (usize, Vec<f64>)| Some((epoch as f64, mean(&values)?, sample_std(&values)));
    losses.into_iter().filter_map(point).collect()
}
