//! What every method costs: multiply-adds counted in the products that were made, seconds and memory measured, the memory of
//! what is kept derived from the model's shape.

use crate::record::{Outcome, RunRecord};
use crate::report::arm::Arm;
use crate::report::context::Context;
use crate::report::markdown::Table;
use crate::report::names::{dataset_name, dataset_order};
use crate::report::number::NONE;
use crate::report::page::Part;

/// The section, with two tables per dataset: a training step, an evaluation.
pub fn render(context: &Context<'_>) -> Part {
    let complete: Vec<&RunRecord> =
        context.records.iter().copied().filter(|r| r.outcome == Outcome::Complete).collect();
    let mut rows: Vec<(Arm, &RunRecord)> = complete
        .into_iter()
        .filter(|record| !record.measurements.is_empty())
        .map(|record| (context.arm_of_record(record), record))
        .collect();
    rows.sort_by(|a, b| {
        let place = |r: &RunRecord| (dataset_order(&r.cell.dataset), r.cell.seed);
        (place(a.1), &a.0).cmp(&(place(b.1), &b.0))
    });
    let mut body = String::new();
    for same in rows.chunk_by(|a, b| a.1.cell.dataset == b.1.cell.dataset) {
        body.push_str(&tables(context, same));
    }
    if body.is_empty() {
        body.push_str("No cost was measured.\n");
    }
    Part { heading: "Costs".to_owned(), body, ..Part::default() }
}

fn value(record: &RunRecord, quantity: &str) -> Option<f64> {
    record.measurements.iter().find(|m| m.quantity == quantity).map(|m| m.value)
}

/// Large counts with a unit of thousands.
fn scaled(value: Option<f64>, units: &[&str], base: f64) -> String {
    let Some(mut value) = value else { return NONE.to_owned() };
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    if unit == 0 {
        format!("{value:.0} {}", units[0]).trim_end().to_owned()
    } else {
        format!("{value:.3} {}", units[unit])
    }
}

fn operations(value: Option<f64>) -> String {
    scaled(value, &["", "k", "M", "G", "T"], 1e3)
}

fn bytes(value: Option<f64>) -> String {
    scaled(value, &["B", "KiB", "MiB", "GiB"], 1024.0)
}

fn milliseconds(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |seconds| format!("{:.3}", 1e3 * seconds))
}

fn tables(context: &Context<'_>, rows: &[(Arm, &RunRecord)]) -> String {
    let mut training = Table::new([
        "method",
        "trained parameters",
        "images a step",
        "multiply-adds a step",
        "ms a step",
        "values, momentum, gradients",
        "kept keys and values",
        "peak memory of the process",
    ]);
    let mut evaluation = Table::new([
        "method",
        "multiply-adds once a class set",
        "ms once a class set",
        "multiply-adds an image",
        "ms an image",
    ]);
    for (arm, record) in rows {
        let of = |quantity: &str| value(record, quantity);
        training.row([
            arm.label(),
            scaled(of("trained_parameters"), &[""], f64::INFINITY),
            scaled(of("batch_images").filter(|n| *n > 0.0), &[""], f64::INFINITY),
            operations(of("step_multiply_adds")),
            milliseconds(of("step_secs")),
            bytes(of("state_bytes")),
            bytes(of("kept_bytes")),
            bytes(of("peak_memory_bytes")),
        ]);
        evaluation.row([
            arm.label(),
            operations(of("class_set_multiply_adds")),
            milliseconds(of("class_set_secs")),
            operations(of("evaluate_image_multiply_adds")),
            milliseconds(of("evaluate_image_secs")),
        ]);
    }
    let (_, first) = &rows[0];
    let words = |quantity: &str| scaled(value(first, quantity), &[""], f64::INFINITY);
    let name = dataset_name(&first.cell.dataset);
    format!(
        "**{}**\n\n{}\n**{}**\n\n{}\n_{} classes of {name}, {} on {} ({}), {} thread(s), one seed. Derived: parameters, state \
         and kept bytes. Counted: multiply-adds of the matrix products that were made, those of the backward pass and \
         those that are made twice among them. Measured: milliseconds (the fastest of the repetitions that fit into a second) and peak \
         memory, which includes the model and whatever the allocator keeps. A step includes the frozen passes of \
         its images, an image its own. CoCoOp's texts are per image, so their cost is in its images. \
         RPO (computation=full_sequences) is the published way: whole sequences under the mask, texts padded to \
         the model's length._\n\n",
        context.titled(&format!("A training step, {name}")),
        training.markdown(),
        context.titled(&format!("Evaluation, {name}")),
        evaluation.markdown(),
        words("classes"),
        first.provenance.dtype,
        first.provenance.device,
        first.provenance.device_model,
        words("threads"),
    )
}
