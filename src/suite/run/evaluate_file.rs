//! Saved or published prompts on any data: one evaluation, no training, no record.

use crate::data::Classes;
use crate::method::{self, Named};
use crate::record::Prediction;
use crate::suite::disk::saved::SavedPrompts;
use crate::suite::error::SuiteError;
use crate::suite::spec::overrides::{Resolved, Settings};
use crate::suite::world::{BenchDataset, World};
use crate::train::{BrokenImages, readable};
use crate::train::{NoPartials, Panel, TestImages, evaluate};

/// Accuracy of a file's prompts on one half of one dataset.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct FileEvaluation {
    /// Dataset evaluated on.
    pub dataset: String,
    /// Classes that competed.
    pub classes: Classes,
    /// How many they were.
    pub class_count: u64,
    /// Correct predictions.
    pub correct: u64,
    /// Test images.
    pub total: u64,
    /// Test images left out because they could not be read (policy `skip` only).
    pub skipped: u64,
    /// Every image's prediction, in item order.
    #[serde(skip)]
    pub predictions: Vec<Prediction>,
}

/// Evaluates the prompts among one half's classes of a dataset, at most `limit` test images a class. `heard` is told how
/// many images are done of how many.
///
/// # Errors
/// [`SuiteError::Prompts`] for a file that does not fit the model, [`SuiteError::Dataset`] without a test image,
/// and whatever stops an evaluation.
pub fn evaluate_file(
    world: &World,
    saved: &SavedPrompts,
    settings: &Settings,
    (dataset, classes): (&str, Classes),
    limit: Option<u32>,
    stop: &dyn Fn() -> bool,
    heard: &dyn Fn(usize, usize),
) -> Result<FileEvaluation, SuiteError> {
    let dataset = world.dataset(dataset)?;
    let resolved = settings.resolve(method::find(&saved.method)?)?;
    let texts = world.class_texts(&dataset, &resolved.style, classes)?;
    let parameters = saved.fitting(&resolved, &world.clip, &texts)?;
    let how = (settings.globals.broken_images, limit);
    evaluate_named(world, &resolved, (&dataset, classes), &parameters, how, stop, heard)
}

/// Evaluates a method's parameters among one half's classes, under the policy for broken images and the limit.
///
/// # Errors
/// As [`evaluate_file`].
pub(in crate::suite) fn evaluate_named(
    world: &World,
    resolved: &Resolved,
    (dataset, classes): (&BenchDataset, Classes),
    parameters: &Named,
    (policy, limit): (BrokenImages, Option<u32>),
    stop: &dyn Fn() -> bool,
    heard: &dyn Fn(usize, usize),
) -> Result<FileEvaluation, SuiteError> {
    let listed = dataset.of_half(&dataset.split.test, classes, limit);
    let (items, errors) = readable(policy, dataset.source.as_ref(), listed, stop)?;
    if items.is_empty() {
        let reason = format!("no test image among its {classes} classes");
        return Err(SuiteError::Dataset { id: dataset.id.clone(), reason });
    }
    let texts = world.class_texts(dataset, &resolved.style, classes)?;
    let set = resolved.method.bind(&world.clip, &texts)?.classifiers(std::slice::from_ref(parameters))?;
    let needs = resolved.method.needs();
    let source = dataset.source.as_ref();
    let images = TestImages { clip: &world.clip, source, items: &items, needs, features: None };
    let passes = evaluate(&images, &[Panel { set, wanted: vec![0] }], &mut NoPartials, stop, &|done| {
        heard(done, items.len());
    })?;
    let rows = passes.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    Ok(FileEvaluation {
        dataset: dataset.id.clone(),
        classes,
        class_count: texts.classes() as u64,
        correct: rows.iter().filter(|row| row.label == row.predicted).count() as u64,
        total: rows.len() as u64,
        skipped: errors.len() as u64,
        predictions: rows,
    })
}
