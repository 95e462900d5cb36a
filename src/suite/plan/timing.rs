//! Seconds and multiply-adds of the pieces a run is made of, measured here and now on a dataset's own images and classes.
//!
//! Each figure is the fastest of as many repetitions as its budget allows, at least one: on a machine shared
//! with others the fastest is the one least disturbed.

use std::time::{Duration, Instant};

use candle_core::Tensor;

use crate::backbone::nn::operations;
use crate::data::{Classes, Item};
use crate::method::{FixedShots, ImageBatch};
use crate::suite::error::SuiteError;
use crate::suite::spec::overrides::Resolved;
use crate::suite::world::{BenchDataset, World};
use crate::train::{BrokenImages, readable};
use crate::train::{Optimiser, frozen_pass, loss_and_gradients, test_pixels};
use crate::util::rng::Stream;

/// Seconds of a method's pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::suite) struct Timed {
    /// Reading, cutting and normalising one image.
    pub pixels_secs: f64,
    /// The frozen pass of one image.
    pub image_secs: f64,
    /// What is computed once per class set.
    pub bind_secs: f64,
    /// One training step without its images' frozen passes; `None` for a method that trains nothing.
    pub step_secs: Option<f64>,
    /// The text side of one evaluation.
    pub classifier_secs: f64,
    /// One evaluated image besides its frozen pass.
    pub evaluate_secs: f64,
    /// What was multiplied for it.
    pub made: Made,
}

/// Multiply-adds of a method's pieces, counted where they are made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::suite) struct Made {
    /// The frozen pass of one image.
    pub image: u64,
    /// Once per class set.
    pub bind: u64,
    /// One training step without its images' frozen passes; `None` for a method that trains nothing.
    pub step: Option<u64>,
    /// The text side of one evaluation.
    pub classifier: u64,
    /// One evaluated image besides its frozen pass.
    pub evaluate: u64,
}

/// Runs `work` until the budget is spent and returns its last result, the seconds of the fastest run and the
/// multiply-adds of the last.
fn fastest<T>(
    budget: Duration,
    mut work: impl FnMut() -> Result<T, SuiteError>,
) -> Result<(T, f64, u64), SuiteError> {
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    loop {
        let (started, before) = (Instant::now(), operations().multiply_adds);
        let value = work()?;
        best = best.min(started.elapsed().as_secs_f64());
        if begin.elapsed() >= budget {
            return Ok((value, best, operations().multiply_adds - before));
        }
    }
}

/// `count` test images of a half, one a class as far as there are classes, then from the beginning again.
fn some_items(
    dataset: &BenchDataset,
    classes: Classes,
    policy: BrokenImages,
    count: usize,
) -> Result<Vec<(&Item, u32)>, SuiteError> {
    let first = dataset.of_half(&dataset.split.test, classes, Some(1)).into_iter().take(count).collect();
    let (items, _) = readable(policy, dataset.source.as_ref(), first, &|| false)?;
    Ok(items.into_iter().cycle().take(count).collect())
}

/// Times one method on one dataset's classes, every piece within `budget` or once.
pub(in crate::suite) fn time(
    world: &World,
    dataset: &BenchDataset,
    resolved: &Resolved,
    classes: Classes,
    policy: BrokenImages,
    budget: Duration,
) -> Result<Timed, SuiteError> {
    let clip = &world.clip;
    let texts = world.class_texts(dataset, &resolved.style, classes)?;
    let (head, bind_secs, bind) = fastest(budget, || Ok(resolved.method.bind(clip, &texts)?))?;
    let mut stream = Stream::new(&["timing", resolved.id]);
    let shots = FixedShots::random(texts.classes(), clip.config.projection_dim, clip.device())?;
    let parameters = resolved.method.init(clip, &texts, Some(&shots), &mut stream)?;

    let batch = resolved.recipe.as_ref().map_or(1, |recipe| recipe.batch_size);
    let items = some_items(dataset, classes, policy, batch)?;
    let needs = resolved.method.needs();
    // A large batch need not be timed whole: its images are passes of their own.
    let few = &items[..items.len().min(clip.grid())];
    if few.is_empty() {
        let reason = format!("no test image among its {classes} classes");
        return Err(SuiteError::Dataset { id: dataset.id.clone(), reason });
    }
    let side = clip.config.image_size;
    let (pixels, pixels_secs, _) =
        fastest(budget, || Ok(test_pixels(dataset.source.as_ref(), few, side, clip.device())?))?;
    let (images, image_secs, image) = fastest(budget, || Ok(frozen_pass(clip, pixels.clone(), needs)?))?;

    let classifier = || Ok(head.classifier(&parameters.values()?)?);
    let (classifier, classifier_secs, of_classifier) = fastest(budget, classifier)?;
    let (_, evaluate_secs, evaluate) = fastest(budget, || Ok(classifier.logits(&images)?))?;
    let step = match &resolved.recipe {
        None => None,
        Some(recipe) => {
            let singles = (0..items.len()).map(|i| images.single(i % few.len()));
            let singles = singles.collect::<Result<Vec<_>, _>>()?;
            let all = ImageBatch::cat(&singles.iter().collect::<Vec<_>>())?;
            let labels = items.iter().map(|(_, label)| *label).collect::<Vec<u32>>();
            let labels = Tensor::new(labels, clip.device())?;
            let mut optimiser = Optimiser::new(recipe.rule());
            let step = || {
                let gradients = loss_and_gradients(head.as_ref(), &parameters, &all, &labels, (0, 0))?;
                Ok(optimiser.step(&parameters, &gradients, f64::MIN_POSITIVE)?)
            };
            Some(fastest(budget, step)?)
        }
    };
    let (each, count) = (1.0 / few.len() as f64, few.len() as u64);
    let step = step.map(|((), secs, made)| (secs, made));
    let made = Made {
        image: image / count,
        bind,
        step: step.map(|(_, made)| made),
        classifier: of_classifier,
        evaluate: evaluate / count,
    };
    Ok(Timed {
        pixels_secs: pixels_secs * each,
        image_secs: image_secs * each,
        bind_secs,
        step_secs: step.map(|(secs, _)| secs),
        classifier_secs,
        evaluate_secs: evaluate_secs * each,
        made,
    })
}
