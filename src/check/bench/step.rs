//! One training step of a method, timed as the loop runs it: frozen image pass, loss, gradients, update.
//!
//! What a run computes once (text keys and values, text features of the probe) is bound before the clock
//! starts, and the first step pays for fresh memory; the median leaves it out. A method with a solver of its own has its
//! steps timed: on the features of a whole draw, whose passes are made once and so belong to no step.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Serialize;

use super::error::BenchError;
use super::meter::{BenchDevice, Rate, Used, measured, middle, peak_rss_mib, product_rate};
use super::pieces::Pieces;
use super::shape::{ModelShape, class_prompts_for, normals, random_clip};
use crate::backbone::Clip;
use crate::backbone::nn::operations;
use crate::method::work::Shape as WorkShape;
use crate::method::{
    self, ClassTexts, FixedShots, Head, Method, Parameters, PromptStyle, SettingsTable, Shares,
};
use crate::train::{Optimiser, Recipe, StepPart, frozen_pass, joint_step};
use crate::util::rng::Stream;

/// What to time.
#[derive(Clone, Debug)]
pub struct StepBench {
    /// Method id.
    pub method: String,
    /// Model shape.
    pub shape: ModelShape,
    /// Prompts per tower of methods with that setting.
    pub k: usize,
    /// Images a step; the method's own batch size where absent.
    pub batch: Option<usize>,
    /// Trainings in the same products, each with a batch of its own.
    pub seeds: usize,
    /// Classes.
    pub classes: usize,
    /// Steps to time.
    pub steps: usize,
    /// Prompt or context rows computed at a time.
    pub max_rows: usize,
    /// Where to compute.
    pub place: BenchDevice,
}

/// What a step used. Field names are the JSON keys.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// Method id.
    pub method: String,
    /// Model shape.
    pub model: &'static str,
    /// Prompts per tower; absent for methods without that setting.
    pub k: Option<usize>,
    /// Images a step of one training.
    pub batch: usize,
    /// Prompt or context rows computed at a time.
    pub max_rows: usize,
    /// Trainings in the same products; every figure of a step is for all of them.
    pub seeds: usize,
    /// Classes.
    pub classes: usize,
    /// `cpu` or `cuda`.
    pub device: &'static str,
    /// Format of products with frozen weights.
    pub dtype: &'static str,
    /// Threads.
    pub threads: usize,
    /// Median over the steps.
    pub cpu_seconds_per_step: f64,
    /// Median over the steps.
    pub wall_seconds_per_step: f64,
    /// Largest resident memory of the process.
    pub peak_rss_mib: f64,
    /// Median over measurements between the steps, f32 on the CPU.
    pub gemm_gflops_per_cpu_second: f64,
    /// The same product on `device` in `dtype`, per second on the clock.
    pub gemm_gflops_per_wall_second: f64,
    /// Matrix products that a step needs as the method counts them, two operations a multiply-add; of a solver's step those
    /// that it made.
    pub gflop_per_step: f64,
    /// Matrix products that a step made, counted where they are made: what is computed twice is in it twice.
    pub gflop_made_per_step: f64,
    /// `gflop_per_step` over rate times seconds (CPU-seconds on the CPU, wall seconds on a GPU): 1 is a step made
    /// of perfect matrix products alone.
    pub share_of_limit: f64,
    /// Number of steps.
    pub steps: usize,
    /// What every step used.
    pub used: Vec<Used>,
    /// Of the last step, where there is one thread.
    pub pieces: Option<Pieces>,
    /// Cross-entropy before each update (nats), finite.
    pub losses: Vec<f64>,
}

/// A method with its default hyper-parameters; its own recipe.
pub(super) struct Chosen {
    pub method: Box<dyn Method>,
    pub recipe: Option<Recipe>,
    /// Whether it has K prompts a tower, and K was set.
    pub takes_k: bool,
    /// The sentence around its class names.
    pub sentence: String,
}

/// The method `id` with `k` prompts where it has that setting.
pub(super) fn choose(id: &str, k: usize) -> Result<Chosen, BenchError> {
    let entry = method::find(id)?;
    let mut parts = SettingsTable::split(entry.default_table()?);
    let takes_k = match parts.own.get_mut("k") {
        Some(value) => {
            *value = toml::Value::Integer(k as i64);
            true
        }
        None => false,
    };
    let refused = |error: toml::de::Error| BenchError::Setting {
        what: "method",
        reason: format!("settings of {id}: {}", error.message()),
    };
    let recipe = match parts.recipe.is_empty() {
        true => None,
        false => {
            let recipe: Recipe = toml::Value::Table(parts.recipe).try_into().map_err(refused)?;
            Some(recipe.check(id)?)
        }
    };
    let style: PromptStyle = toml::Value::Table(parts.prompt).try_into().map_err(refused)?;
    // No dataset has this name: its sentence is that of all others.
    let sentence = style.own_sentence("", "").to_owned();
    Ok(Chosen { method: (entry.build)(parts.own)?, recipe, takes_k, sentence })
}

/// `gflop_per_step`: what the method counts of a step, and the frozen passes of its images.
fn limit(method: &dyn Method, clip: &Clip, texts: &ClassTexts, batch: usize) -> f64 {
    let work = method.work(&WorkShape::new(&clip.config, &texts.prompts, batch as u64));
    2e-9 * (work.step + batch as u64 * work.image) as f64
}

/// The mean loss of the trainings after one step of all of them: what is frozen, a method's head on it, its parameters, the
/// labels of each one's images, and all images.
pub(super) fn one_step(
    (clip, method, head): (&Clip, &dyn Method, &dyn Head),
    parameters: &[Parameters],
    labels: &Tensor,
    pixels: Tensor,
    optimisers: &mut [Optimiser],
) -> Result<f64, BenchError> {
    let images = frozen_pass(clip, pixels, method.needs())?;
    let slot = |parameters| StepPart { parameters, labels: Some(labels), noise: Some("bench") };
    let slots: Vec<_> = parameters.iter().map(slot).collect();
    let outcomes = joint_step(head, &slots, &images, Shares::Even, (0, 0))?;
    let mut total = 0.0;
    for ((parameters, optimiser), outcome) in
        parameters.iter().zip(optimisers).zip(outcomes.into_iter().flatten())
    {
        let gradients = outcome?;
        optimiser.step(parameters, &gradients, 1e-5)?;
        total += gradients.loss;
    }
    Ok(total / parameters.len() as f64)
}

/// Times training steps on random weights.
///
/// # Errors
/// [`BenchError`]: a method that trains nothing, a count of 0, a loss or gradient that is not finite, a
/// system without `/proc`.
pub fn bench_step(bench: &StepBench) -> Result<StepReport, BenchError> {
    let Chosen { method, recipe, takes_k, sentence } = choose(&bench.method, bench.k)?;
    let batch = bench.batch.unwrap_or(recipe.as_ref().map_or(bench.classes, |recipe| recipe.batch_size));
    for (what, value) in [
        ("batch", batch),
        ("seeds", bench.seeds),
        ("max_rows", bench.max_rows),
        ("classes", bench.classes),
        ("steps", bench.steps),
    ] {
        if value == 0 {
            return Err(BenchError::Setting { what, reason: "0; expected at least 1".to_owned() });
        }
    }
    let place = &bench.place;
    let clip = random_clip(&bench.shape.config(), &place.device)?.rounded(place.precision)?;
    let clip = Arc::new(clip.with_max_rows(bench.max_rows));
    let texts = ClassTexts::of(&class_prompts_for(&sentence, bench.classes));
    let sizes = (bench.classes, clip.config.projection_dim);
    let Some(recipe) = recipe else {
        let shots = FixedShots::random_images(batch, sizes, &place.device)?;
        let Some(mut step) = method.own_step(&clip, &texts, &shots)? else {
            let reason = format!("{} trains nothing", bench.method);
            return Err(BenchError::Setting { what: "method", reason });
        };
        let taken = Taken::measure(bench, |_| Ok::<_, BenchError>(()), |()| Ok::<_, BenchError>(step()?))?;
        return taken.report(bench, (batch, takes_k), &clip, None);
    };
    let shots = FixedShots::random(sizes.0, sizes.1, &place.device)?;
    let initial = |_| method.init(&clip, &texts, Some(&shots), &mut Stream::new(&["bench", "init"]));
    let parameters = (0..bench.seeds).map(initial).collect::<Result<Vec<_>, _>>()?;
    let head = method.bind(&clip, &texts)?;
    let labels: Vec<u32> = (0..batch).map(|i| (i * 7 % bench.classes) as u32).collect();
    let labels = Tensor::new(labels, &place.device)?;
    let parts = (&*clip, method.as_ref(), head.as_ref());
    let side = clip.config.image_size;
    let mut optimisers: Vec<_> = (0..bench.seeds).map(|_| Optimiser::new(recipe.rule())).collect();
    let pixels = |step: usize| {
        let shape = [bench.seeds * batch, 3, side, side];
        Ok(normals(&shape, 0.0, 1.0, &format!("pixels {step}"), &place.device)?)
    };
    let step = |pixels| one_step(parts, &parameters, &labels, pixels, &mut optimisers);
    let taken = Taken::measure(bench, pixels, step)?;
    let needed = bench.seeds as f64 * limit(method.as_ref(), &clip, &texts, batch);
    taken.report(bench, (batch, takes_k), &clip, Some(needed))
}

/// What the steps used and made.
#[derive(Default)]
struct Taken {
    used: Vec<Used>,
    losses: Vec<f64>,
    rates: Vec<Rate>,
    /// Multiply-adds of the last step.
    multiply_adds: u64,
    /// Of the last step.
    pieces: Option<Pieces>,
}

impl Taken {
    /// Takes `bench.steps` steps, each from what `prepare` makes of its number outside the clock.
    fn measure<T>(
        bench: &StepBench,
        prepare: impl Fn(usize) -> Result<T, BenchError>,
        mut step: impl FnMut(T) -> Result<f64, BenchError>,
    ) -> Result<Self, BenchError> {
        let mut taken = Self::default();
        for number in 0..bench.steps {
            taken.rates.push(product_rate(&bench.place)?);
            let prepared = prepare(number)?;
            let before = operations().multiply_adds;
            let wall =
                |result: &Result<(f64, Used), BenchError>| result.as_ref().map_or(0.0, |(_, used)| used.wall);
            let (result, pieces) = Pieces::of(|| measured(&bench.place.device, || step(prepared)), wall);
            let (loss, used) = result?;
            taken.pieces = pieces;
            taken.multiply_adds = operations().multiply_adds - before;
            taken.used.push(used);
            taken.losses.push(loss);
        }
        taken.rates.push(product_rate(&bench.place)?);
        Ok(taken)
    }

    /// The report; `needed` GFLOP a step, all that were made where nobody says.
    fn report(
        self,
        bench: &StepBench,
        (batch, takes_k): (usize, bool),
        clip: &Clip,
        needed: Option<f64>,
    ) -> Result<StepReport, BenchError> {
        let place = &bench.place;
        let median_of = |seconds: &dyn Fn(&Used) -> f64| middle(self.used.iter().map(seconds));
        let (cpu, wall) = (median_of(&|used| used.cpu), median_of(&|used| used.wall));
        let rates = &self.rates;
        let [cpu_rate, wall_rate] =
            [middle(rates.iter().map(|r| r.cpu)), middle(rates.iter().map(|r| r.wall))];
        let rate = if place.device.is_cpu() { cpu_rate } else { wall_rate };
        let seconds = place.seconds(Used { cpu, wall });
        let made = 2e-9 * self.multiply_adds as f64;
        let gflop = needed.unwrap_or(made);
        let report = StepReport {
            method: bench.method.clone(),
            model: bench.shape.name,
            k: takes_k.then_some(bench.k),
            batch,
            max_rows: bench.max_rows,
            seeds: bench.seeds,
            classes: bench.classes,
            device: clip.device_kind(),
            dtype: place.precision.as_str(),
            threads: rayon::current_num_threads(),
            cpu_seconds_per_step: cpu,
            wall_seconds_per_step: wall,
            peak_rss_mib: peak_rss_mib()?,
            gemm_gflops_per_cpu_second: cpu_rate,
            gemm_gflops_per_wall_second: wall_rate,
            gflop_per_step: gflop,
            gflop_made_per_step: made,
            share_of_limit: if seconds > 0.0 { gflop / (rate * seconds) } else { 0.0 },
            steps: bench.steps,
            used: self.used,
            pieces: self.pieces,
            losses: self.losses,
        };
        Ok(report)
    }
}
