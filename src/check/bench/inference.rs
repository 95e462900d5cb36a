//! Evaluation of several methods and seeds by one image pass, beside one pass for each of them.
//!
//! The comparison takes this engine's own pooled-feature pass as the price of a separate pass, so the ratio
//! owes nothing to a slow baseline. CoCoOp's text side is per image in any engine and is reported apart.

use std::sync::Arc;

use candle_core::Tensor;
use serde::Serialize;

use super::error::BenchError;
use super::meter::{BenchDevice, Used, measured, middle, peak_rss_mib, product_rate};
use super::pieces::Pieces;
use super::shape::{ModelShape, class_prompts_for, normals, random_clip};
use super::step::{Chosen, choose};
use crate::backbone::Clip;
use crate::method::work::Shape as WorkShape;
use crate::method::{ClassTexts, ClassifierSet, FixedShots, Needs, Shares};
use crate::train::frozen_pass;
use crate::util::rng::Stream;

/// What to time.
#[derive(Clone, Debug)]
pub struct EvaluateBench {
    /// Method ids.
    pub methods: Vec<String>,
    /// Model shape.
    pub shape: ModelShape,
    /// Prompts per tower of methods with that setting.
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
    pub place: BenchDevice,
}

/// What an evaluation used. Field names are the JSON keys.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluateReport {
    /// Method ids.
    pub methods: Vec<String>,
    /// Model shape.
    pub model: &'static str,
    /// Prompts per tower of methods with that setting.
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
    /// Matrix products per image as the methods count them, texts that see the image included.
    pub gflop_per_image: f64,
    /// The same without those texts.
    pub gflop_per_image_without_cocoop: f64,
    /// Of the last chunk without those texts, where there is one thread.
    pub pieces: Option<Pieces>,
}

/// Classifiers by whether their texts see the image, and what their methods need together.
struct Bound {
    fixed: Vec<Box<dyn ClassifierSet>>,
    per_image: Vec<Box<dyn ClassifierSet>>,
    needs: Needs,
    /// Classifiers in all sets.
    count: usize,
    /// Multiply-adds per image of the fixed ones, and of the others.
    work: [u64; 2],
    /// Multiply-adds of the frozen pass of an image.
    image: u64,
}

fn bind(bench: &EvaluateBench, clip: &Arc<Clip>) -> Result<Bound, BenchError> {
    let shots = FixedShots::random(bench.classes, clip.config.projection_dim, clip.device())?;
    let mut bound = Bound {
        fixed: Vec::new(),
        per_image: Vec::new(),
        needs: Needs::default(),
        count: 0,
        work: [0; 2],
        image: 0,
    };
    for id in &bench.methods {
        let Chosen { method, sentence, .. } = choose(id, bench.k)?;
        let texts = ClassTexts::of(&class_prompts_for(&sentence, bench.classes));
        let head = method.bind(clip, &texts)?;
        bound.needs = bound.needs.or(method.needs());
        let seeds = if method.draws() { bench.n_seeds } else { 1 };
        let initial = |seed: usize| {
            let mut stream = Stream::new(&["bench", "init", id, &seed.to_string()]);
            method.init(clip, &texts, Some(&shots), &mut stream)?.values()
        };
        let parameters = (0..seeds).map(initial).collect::<Result<Vec<_>, _>>()?;
        let apart = method.texts_see_images();
        let list = if apart { &mut bound.per_image } else { &mut bound.fixed };
        for part in parameters.chunks(if bench.together { seeds } else { 1 }) {
            list.push(head.classifiers(part)?);
        }
        bound.count += seeds;
        let work = method.work(&WorkShape::new(&clip.config, &texts.prompts, 1));
        bound.work[usize::from(apart)] += seeds as u64 * work.evaluate;
        bound.image = bound.image.max(work.image);
    }
    Ok(bound)
}

/// Used by the shared pass with all fixed text sides, by CoCoOp's, and by one separate pass.
#[derive(Default)]
struct Totals {
    shared: Used,
    per_image: Used,
    separate: Used,
    pieces: Option<Pieces>,
}

fn chunk(clip: &Clip, bound: &Bound, pixels: Tensor, totals: &mut Totals) -> Result<(), BenchError> {
    let shared = || -> Result<_, BenchError> {
        let images = frozen_pass(clip, pixels.clone(), bound.needs)?;
        for classifier in &bound.fixed {
            std::hint::black_box(classifier.logits(&images, Shares::All)?);
        }
        Ok(images)
    };
    let wall = |result: &Result<(_, Used), BenchError>| result.as_ref().map_or(0.0, |(_, used)| used.wall);
    let (result, pieces) = Pieces::of(|| measured(clip.device(), shared), wall);
    let (images, used) = result?;
    totals.shared += used;
    totals.pieces = pieces;
    let ((), used) = measured(clip.device(), || -> Result<_, BenchError> {
        for classifier in &bound.per_image {
            std::hint::black_box(classifier.logits(&images, Shares::All)?);
        }
        Ok(())
    })?;
    totals.per_image += used;
    drop(images);
    let (_, used) = measured(clip.device(), || frozen_pass(clip, pixels, Needs::POOLED))?;
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
        if first == 0 && !device.is_cpu() {
            // A card loads its kernels when they are first asked for, which a real pass of thousands of images does not see.
            chunk(&clip, &bound, pixels.clone(), &mut Totals::default())?;
        }
        chunk(&clip, &bound, pixels, &mut totals)?;
    }
    rates.push(product_rate(place)?);
    let images = bench.images as f64;
    let separate_passes = bound.count;
    let (shared, per_image) = (place.seconds(totals.shared), place.seconds(totals.per_image));
    let separate = separate_passes as f64 * place.seconds(totals.separate);
    let [gflop, cocoop_gflop] = [bound.image + bound.work[0], bound.work[1]].map(|work| 2e-9 * work as f64);
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
        pieces: totals.pieces,
    })
}
