//! What one method costs: counted and measured here, its memory derived from the model's shape too.
//!
//! Memory is measured as the process's largest resident size while the pieces run, so the model and what the
//! allocator keeps are in it; the derived figures say what the method itself keeps.

use std::time::Duration;

use super::lane::Lane;
use crate::method::ParameterShape;
use crate::method::work::Shape;
use crate::record::Measurement;
use crate::suite::error::SuiteError;
use crate::suite::plan::cell::CellPlan;
use crate::suite::plan::timing;
use crate::suite::world::BenchDataset;
use crate::util::machine;

/// Time spent on each piece that is measured.
const BUDGET: Duration = Duration::from_secs(1);
/// Value, momentum and gradient of every trained number, in bytes of f32.
const STATE_BYTES: u64 = 3 * 4;

/// Derives and measures the costs of one cell's method on its training classes.
pub(in crate::suite) fn measure(
    lane: &Lane<'_>,
    dataset: &BenchDataset,
    cell: &CellPlan,
) -> Result<Vec<Measurement>, SuiteError> {
    let (world, resolved) = (lane.world, lane.method(cell));
    let classes = lane.plan.suite.train_classes;
    let texts = world.class_texts(dataset, &resolved.style, classes)?;
    let prompts = &texts.prompts;
    let batch = resolved.recipe.as_ref().map_or(0, |recipe| recipe.batch_size as u64);
    let work = resolved.method.work(&Shape::new(&world.clip.config, prompts, batch));
    let trained = ParameterShape::count(&resolved.method.shapes(&world.clip, &texts)?);
    let derived = |quantity: &str, value: u64| {
        Measurement::new(quantity, &[("kind", "derived".to_owned())], value as f64)
    };
    let mut taken = vec![
        derived("classes", prompts.len() as u64),
        derived("batch_images", batch),
        derived("trained_parameters", trained),
        derived("state_bytes", trained * STATE_BYTES),
        derived("kept_bytes", work.kept_text_bytes + batch.max(1) * work.kept_image_bytes),
    ];
    machine::forget_peak_memory();
    let timed =
        timing::time(world, dataset, resolved, classes, lane.plan.settings.globals.broken_images, BUDGET)?;
    let made = timed.made;
    let counted = |quantity: &str, value: u64| {
        Measurement::new(quantity, &[("kind", "counted".to_owned())], value as f64)
    };
    taken.extend([
        counted("class_set_multiply_adds", made.bind + made.classifier),
        counted("evaluate_image_multiply_adds", made.image + made.evaluate),
    ]);
    taken.extend(made.step.map(|step| counted("step_multiply_adds", step + batch * made.image)));
    let measured =
        |quantity: &str, value: f64| Measurement::new(quantity, &[("kind", "measured".to_owned())], value);
    // A method that runs the tower itself pays for it in its own pieces.
    let image_secs = if made.image > 0 { timed.image_secs } else { 0.0 };
    taken.extend([
        measured("threads", rayon::current_num_threads() as f64),
        measured("class_set_secs", timed.bind_secs + timed.classifier_secs),
        measured("evaluate_image_secs", image_secs + timed.evaluate_secs),
    ]);
    taken.extend(timed.step_secs.map(|step| measured("step_secs", step + batch as f64 * image_secs)));
    taken.extend(machine::peak_memory_bytes().map(|bytes| measured("peak_memory_bytes", bytes as f64)));
    Ok(taken)
}
