//! Evaluation of several methods and seeds by one image pass, beside one pass for each of them.
//!
//! The comparison takes this engine's own pooled-feature pass as the price of a separate pass, so the ratio
//! owes nothing to a slow baseline. CoCoOp's text side is per image in any engine and is reported apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::Tensor;
use serde::Serialize;

use super::error::BenchError;
use super::limit::Limit;
use super::meter::{Place, Used, measured, middle, peak_rss_mib, product_rate};
use super::shape::{Shape, class_prompts, normals, random_clip};
use super::step::method;
use crate::backbone::{Clip, TextLayout};
use crate::method::{ClassifierSet, ImageNeed, MethodError, Shares};
use crate::train::frozen_pass;
use crate::util::rng::Stream;

/// The method whose text side depends on the image.
const PER_IMAGE_TEXT: &str = "cocoop";

/// What to time.
#[derive(Clone, Debug)]
pub struct EvaluateBench {
    /// Method ids.
    pub methods: Vec<String>,
    /// Model shape.
    pub shape: Shape,
    /// RPO's prompts per tower.
    pub k: usize,
    /// Test images.
    pub images: usize,
    /// Images per frozen pass.
    pub chunk: usize,
    /// Classes.
    pub classes: usize,
    /// Trainings of each method that trains.
    pub n_seeds: usize,
    /// Whether the seeds of a method are computed in the same products.
    pub together: bool,
    /// Where to compute.
    pub place: Place,
}

/// What an evaluation used. Field names are the JSON keys.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluateReport {
    /// Method ids.
    pub methods: Vec<String>,
    /// Model shape.
    pub model: &'static str,
    /// RPO's prompts per tower.
    pub k: usize,
    /// Test images.
    pub images: usize,
    /// Images per frozen pass.
    pub chunk: usize,
    /// Classes.
    pub classes: usize,
    /// Trainings of each method that trains.
    pub n_seeds: usize,
    /// Whether the seeds of a method are computed in the same products.
    pub together: bool,
    /// `cpu` or `cuda`.
    pub device: &'static str,
    /// Format of products with frozen weights.
    pub dtype: &'static str,
    /// Threads.
    pub threads: usize,
    /// Everything done for an image.
    pub cpu_seconds_per_image: f64,
    /// The same on the clock.
    pub wall_seconds_per_image: f64,
    /// The same without CoCoOp's text features.
    pub cpu_seconds_per_image_without_cocoop: f64,
    /// Text sides computed once for the whole test set.
    pub cpu_seconds_text_once: f64,
    /// One pooled-feature pass over one image.
    pub cpu_seconds_per_separate_pass: f64,
    /// The same on the clock.
    pub wall_seconds_per_separate_pass: f64,
    /// Passes when every trained cell and zero-shot makes its own.
    pub separate_passes: usize,
    /// Separate passes over everything done for an image, in CPU-seconds on the CPU and wall seconds on a GPU.
    pub ratio: f64,
    /// Separate passes over everything but CoCoOp's text features.
    pub ratio_without_cocoop: f64,
    /// Largest resident memory of the process.
    pub peak_rss_mib: f64,
    /// Median over measurements between the chunks, f32 on the CPU.
    pub gemm_gflops_per_cpu_second: f64,
    /// The same product on `device` in `dtype`, per second on the clock.
    pub gemm_gflops_per_wall_second: f64,
    /// Operations per image that cannot be skipped, CoCoOp's text features included.
    pub gflop_per_image: f64,
    /// The same without CoCoOp's text features.
    pub gflop_per_image_without_cocoop: f64,
}

/// Classifiers by whether their text side is per image, and the widest need among their methods.
struct Bound {
    fixed: Vec<Box<dyn ClassifierSet>>,
    per_image: Vec<Box<dyn ClassifierSet>>,
    need: ImageNeed,
    /// Classifiers in all sets.
    count: usize,
}

fn bind(bench: &EvaluateBench, clip: &Arc<Clip>) -> Result<Bound, BenchError> {
    let prompts = class_prompts(bench.classes);
    let mut bound = Bound { fixed: Vec::new(), per_image: Vec::new(), need: ImageNeed::Features, count: 0 };
    for id in &bench.methods {
        let (method, batch) = method(id, bench.k)?;
        let head = method.bind(clip, &prompts)?;
        bound.need = bound.need.max(method.needs());
        let seeds = batch.map_or(1, |_| bench.n_seeds);
        let initial = |seed: usize| {
            let mut stream = Stream::new(&["bench", "init", id, &seed.to_string()]);
            method.init(clip, &prompts, &mut stream)?.values()
        };
        let parameters = (0..seeds).map(initial).collect::<Result<Vec<_>, _>>()?;
        let list = if id == PER_IMAGE_TEXT { &mut bound.per_image } else { &mut bound.fixed };
        for part in parameters.chunks(if bench.together { seeds } else { 1 }) {
            list.push(head.classifiers(part)?);
        }
        bound.count += seeds;
    }
    Ok(bound)
}

/// GFLOP per image: one frozen pass and the readers, and CoCoOp's text rows.
fn limits(bench: &EvaluateBench, clip: &Clip) -> Result<(f64, f64), BenchError> {
    let limit = Limit::new(&clip.config);
    let prompts = class_prompts(bench.classes);
    let layout = TextLayout::shared(&prompts, clip.config.context_length).map_err(MethodError::from)?;
    let seeds: BTreeMap<&str, f64> =
        bench.methods.iter().map(|id| (id.as_str(), bench.n_seeds as f64)).collect();
    let seeds = |id: &str| seeds.get(id).copied().unwrap_or(0.0);
    let readers = seeds("rpo") * bench.k as f64 * limit.vision_reader();
    let text = seeds(PER_IMAGE_TEXT) * layout.rows() as f64 * limit.text_row();
    Ok((limit.image() + readers, text))
}

/// Used by the shared pass with all fixed text sides, by CoCoOp's, and by one separate pass.
#[derive(Default)]
struct Totals {
    shared: Used,
    per_image: Used,
    separate: Used,
}

fn chunk(clip: &Clip, bound: &Bound, pixels: Tensor, totals: &mut Totals) -> Result<(), BenchError> {
    let (images, used) = measured(clip.device(), || -> Result<_, BenchError> {
        let images = frozen_pass(clip, pixels.clone(), bound.need)?;
        for classifier in &bound.fixed {
            std::hint::black_box(classifier.logits(&images, Shares::All)?);
        }
        Ok(images)
    })?;
    totals.shared += used;
    let ((), used) = measured(clip.device(), || -> Result<_, BenchError> {
        for classifier in &bound.per_image {
            std::hint::black_box(classifier.logits(&images, Shares::All)?);
        }
        Ok(())
    })?;
    totals.per_image += used;
    drop(images);
    let (_, used) = measured(clip.device(), || frozen_pass(clip, pixels, ImageNeed::Features))?;
    totals.separate += used;
    Ok(())
}

/// Times an evaluation on random weights and random pixels.
///
/// # Errors
/// [`BenchError`]: an unknown method, a count of 0, a system without `/proc`.
pub fn bench_evaluate(bench: &EvaluateBench) -> Result<EvaluateReport, BenchError> {
    let counts = [
        ("images", bench.images),
        ("chunk", bench.chunk),
        ("classes", bench.classes),
        ("n_seeds", bench.n_seeds),
    ];
    for (what, value) in counts {
        if value == 0 {
            return Err(BenchError::Setting { what, reason: "0; expected at least 1".to_owned() });
        }
    }
    let (place, device) = (&bench.place, &bench.place.device);
    let clip = Arc::new(random_clip(&bench.shape.config(), device)?.rounded(place.precision)?);
    let (bound, text) = measured(device, || bind(bench, &clip))?;
    let side = clip.config.image_size;
    let (mut totals, mut rates) = (Totals::default(), Vec::new());
    for first in (0..bench.images).step_by(bench.chunk) {
        rates.push(product_rate(place)?);
        let count = bench.chunk.min(bench.images - first);
        let name = format!("pixels {first}");
        let pixels = normals(&[count, 3, side, side], 0.0, 1.0, &name, device)?;
        chunk(&clip, &bound, pixels, &mut totals)?;
    }
    rates.push(product_rate(place)?);
    let images = bench.images as f64;
    let separate_passes = bound.count;
    let (shared, per_image) = (place.seconds(totals.shared), place.seconds(totals.per_image));
    let separate = separate_passes as f64 * place.seconds(totals.separate);
    let (gflop, cocoop_gflop) = limits(bench, &clip)?;
    Ok(EvaluateReport {
        methods: bench.methods.clone(),
        model: bench.shape.name,
        k: bench.k,
        images: bench.images,
        chunk: bench.chunk,
        classes: bench.classes,
        n_seeds: bench.n_seeds,
        together: bench.together,
        device: clip.device_kind(),
        dtype: place.precision.as_str(),
        threads: rayon::current_num_threads(),
        cpu_seconds_per_image: (totals.shared.cpu + totals.per_image.cpu) / images,
        wall_seconds_per_image: (totals.shared.wall + totals.per_image.wall) / images,
        cpu_seconds_per_image_without_cocoop: totals.shared.cpu / images,
        cpu_seconds_text_once: text.cpu,
        cpu_seconds_per_separate_pass: totals.separate.cpu / images,
        wall_seconds_per_separate_pass: totals.separate.wall / images,
        separate_passes,
        ratio: separate / (shared + per_image).max(f64::MIN_POSITIVE),
        ratio_without_cocoop: separate / shared.max(f64::MIN_POSITIVE),
        peak_rss_mib: peak_rss_mib()?,
        gemm_gflops_per_cpu_second: middle(rates.iter().map(|rate| rate.cpu)),
        gemm_gflops_per_wall_second: middle(rates.iter().map(|rate| rate.wall)),
        gflop_per_image: gflop + cocoop_gflop,
        gflop_per_image_without_cocoop: gflop,
    })
}
