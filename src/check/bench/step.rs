//! One training step of a method, timed as the loop runs it: frozen image pass, loss, gradients, update.
//!
//! What a run computes once (text keys and values, text features of the probe) is bound before the clock
//! starts, and the first step pays for fresh memory; the median leaves it out.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Serialize;

use super::error::BenchError;
use super::limit::Limit;
use super::meter::{Place, Used, measured, middle, peak_rss_mib, product_rate};
use super::shape::{Shape, class_prompts, normals, random_clip};
use crate::backbone::{Clip, TextLayout};
use crate::method::{self, Head, Method, Parameters, SettingsTable};
use crate::train::{Sgd, Slot, frozen_pass, joint_step};
use crate::util::rng::Stream;

/// What to time.
#[derive(Clone, Debug)]
pub struct StepBench {
    /// Method id.
    pub method: String,
    /// Model shape.
    pub shape: Shape,
    /// RPO's prompts per tower.
    pub k: usize,
    /// Images a step; the method's own batch size where absent.
    pub batch: Option<usize>,
    /// Trainings in the same products, each with a batch of its own.
    pub seeds: usize,
    /// Classes.
    pub classes: usize,
    /// Steps to time.
    pub steps: usize,
    /// Where to compute.
    pub place: Place,
}

/// What a step used. Field names are the JSON keys.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// Method id.
    pub method: String,
    /// Model shape.
    pub model: &'static str,
    /// RPO's prompts per tower; absent for other methods.
    pub k: Option<usize>,
    /// Images a step of one training.
    pub batch: usize,
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
    /// Operations that cannot be skipped, not those executed.
    pub gflop_per_step: f64,
    /// `gflop_per_step` over rate times seconds (CPU-seconds on the CPU, wall seconds on a GPU): 1 is a step made
    /// of perfect matrix products alone.
    pub share_of_limit: f64,
    /// Number of steps.
    pub steps: usize,
    /// What every step used.
    pub used: Vec<Used>,
    /// Cross-entropy before each update (nats), finite.
    pub losses: Vec<f64>,
}

/// A method with its default hyper-parameters, and K for RPO; its own batch size.
pub(super) fn method(id: &str, k: usize) -> Result<(Box<dyn Method>, Option<usize>), BenchError> {
    let entry = method::find(id)?;
    let mut parts = SettingsTable::split(entry.default_table()?);
    if let Some(value) = parts.own.get_mut("k") {
        *value = toml::Value::Integer(k as i64);
    }
    let batch = parts.recipe.get("batch_size").and_then(toml::Value::as_integer);
    Ok(((entry.build)(parts.own)?, batch.map(|batch| batch as usize)))
}

/// `gflop_per_step`: images, then each method's text and reader rows forward and backward.
fn limit(id: &str, clip: &Clip, prompts: &[Vec<u32>], k: usize, batch: usize) -> Result<f64, BenchError> {
    let limit = Limit::new(&clip.config);
    let context = 5.min(prompts.first().map_or(0, Vec::len).saturating_sub(1));
    let layout = TextLayout::new(prompts, context, clip.config.context_length)
        .map_err(crate::method::MethodError::from)?;
    let (rows, classes, images) = (layout.rows() as f64, prompts.len() as f64, batch as f64);
    let forward = match id {
        "rpo" => k as f64 * (classes * limit.text_reader() + images * limit.vision_reader()),
        "coop" => rows * limit.text_row(),
        "cocoop" => images * rows * limit.text_row(),
        _ => 0.0,
    };
    Ok(images * limit.image() + 2.0 * forward)
}

struct Run<'a> {
    clip: &'a Clip,
    method: &'a dyn Method,
    head: &'a dyn Head,
    /// Of each training.
    parameters: Vec<Parameters>,
    /// `[batch]`, the same for each training.
    labels: Tensor,
}

impl Run<'_> {
    /// The mean loss of the trainings.
    fn step(&self, pixels: Tensor, sgd: &mut [Sgd]) -> Result<f64, BenchError> {
        let images = frozen_pass(self.clip, pixels, self.method.needs())?;
        let slot = |parameters| Slot { parameters, labels: Some(&self.labels) };
        let slots: Vec<_> = self.parameters.iter().map(slot).collect();
        let outcomes = joint_step(self.head, &slots, &images, (0, 0))?;
        let mut total = 0.0;
        for ((parameters, sgd), outcome) in
            self.parameters.iter().zip(sgd).zip(outcomes.into_iter().flatten())
        {
            let gradients = outcome?;
            sgd.step(parameters, &gradients, 1e-5)?;
            total += gradients.loss;
        }
        Ok(total / self.parameters.len() as f64)
    }
}

/// Times training steps on random weights.
///
/// # Errors
/// [`BenchError`]: a method that trains nothing, a count of 0, a loss or gradient that is not finite, a
/// system without `/proc`.
pub fn bench_step(bench: &StepBench) -> Result<StepReport, BenchError> {
    let (method, own_batch) = method(&bench.method, bench.k)?;
    let Some(batch) = bench.batch.or(own_batch) else {
        let reason = format!("{} trains nothing", bench.method);
        return Err(BenchError::Setting { what: "method", reason });
    };
    for (what, value) in
        [("batch", batch), ("seeds", bench.seeds), ("classes", bench.classes), ("steps", bench.steps)]
    {
        if value == 0 {
            return Err(BenchError::Setting { what, reason: "0; expected at least 1".to_owned() });
        }
    }
    let place = &bench.place;
    let clip = Arc::new(random_clip(&bench.shape.config(), &place.device)?.rounded(place.precision)?);
    let prompts = class_prompts(bench.classes);
    let initial = |_| method.init(&clip, &prompts, &mut Stream::new(&["bench", "init"]));
    let parameters = (0..bench.seeds).map(initial).collect::<Result<Vec<_>, _>>()?;
    let head = method.bind(&clip, &prompts)?;
    let labels: Vec<u32> = (0..batch).map(|i| (i * 7 % bench.classes) as u32).collect();
    let labels = Tensor::new(labels, &place.device)?;
    let run = Run { clip: &clip, method: method.as_ref(), head: head.as_ref(), parameters, labels };
    let side = clip.config.image_size;
    let mut sgd = vec![Sgd::default(); bench.seeds];
    let (mut all, mut losses, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..bench.steps {
        rates.push(product_rate(place)?);
        let pixels = normals(
            &[bench.seeds * batch, 3, side, side],
            0.0,
            1.0,
            &format!("pixels {step}"),
            &place.device,
        )?;
        let (loss, used) = measured(&place.device, || run.step(pixels, &mut sgd))?;
        all.push(used);
        losses.push(loss);
    }
    rates.push(product_rate(place)?);
    let gflop = bench.seeds as f64 * limit(&bench.method, &clip, &prompts, bench.k, batch)?;
    let median_of = |seconds: &dyn Fn(&Used) -> f64| middle(all.iter().map(seconds));
    let (cpu, wall) = (median_of(&|used| used.cpu), median_of(&|used| used.wall));
    let [cpu_rate, wall_rate] = [middle(rates.iter().map(|r| r.cpu)), middle(rates.iter().map(|r| r.wall))];
    let rate = if place.device.is_cpu() { cpu_rate } else { wall_rate };
    let seconds = place.seconds(Used { cpu, wall });
    Ok(StepReport {
        method: bench.method.clone(),
        model: bench.shape.name,
        k: (bench.method == "rpo").then_some(bench.k),
        batch,
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
        share_of_limit: if seconds > 0.0 { gflop / (rate * seconds) } else { 0.0 },
        steps: bench.steps,
        used: all,
        losses,
    })
}
