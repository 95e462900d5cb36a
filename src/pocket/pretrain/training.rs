//! The pretraining loop: render, tokenise, contrast, step; log, checkpoint, write the folder.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use rayon::prelude::*;

use super::adamw::AdamW;
use super::checkpoint;
use super::error::PretrainError;
use super::log::Log;
use super::model::{initial, pocket_config};
use crate::backbone::nn::{cross_entropy, l2_normalise};
use crate::backbone::{
    BpeVocabulary, Clip, ClipConfig, ClipTokenizer, TextLayout, Weights, export_folder, train_bpe,
};
use crate::pocket::PretrainSource;
use crate::preprocess::{Rgb8, normalize};

/// Most entries of the pocket vocabulary.
const VOCABULARY: usize = 2048;
/// Captions the vocabulary is trained on.
const VOCABULARY_CAPTIONS: u64 = 20_000;
/// Share of the steps over which the learning rate rises.
const WARMUP: f64 = 0.05;
/// Largest logit scale, ln 100, as CLIP clamps it.
const MAX_LOGIT_SCALE: f64 = 4.6052;

/// What is trained for how long.
#[derive(Clone, Debug)]
pub struct PretrainSettings {
    /// Image–caption pairs in all.
    pub pairs: u64,
    /// Pairs per step.
    pub batch: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Seed of weights and pairs.
    pub seed: u64,
    /// Steps between two checkpoints.
    pub checkpoint_every: u64,
}

impl PretrainSettings {
    /// What decides the result, in words. How often a checkpoint is written does not.
    fn identity(&self) -> String {
        let Self { pairs, batch, learning_rate, seed, .. } = self;
        format!("pairs {pairs}, batch {batch}, learning rate {learning_rate}, seed {seed}")
    }
}

/// One step, for the progress line and the log.
#[derive(Clone, Copy, Debug)]
pub struct PretrainProgress {
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Contrastive loss of the step (nats).
    pub loss: f64,
    /// Share of the batch's images whose own caption scores highest.
    pub accuracy: f64,
}

/// Parts a batch is cut into, each with its own thread: many small products run faster side by side
/// than one after another on all cores. A constant, so that results do not depend on the machine.
const SHARDS: usize = 2;

/// One part of a batch.
struct BatchPart {
    pixels: Tensor,
    layout: TextLayout,
}

/// Pretrains into `out`: checkpoint.safetensors and log.csv while it runs, loss.png and a HuggingFace
/// folder with f16-rounded weights at the end. Continues from a checkpoint found there.
///
/// # Errors
/// [`PretrainError`], also for a checkpoint of other settings; after an interruption the last checkpoint stays.
pub fn pretrain(
    out: &Path,
    settings: &PretrainSettings,
    progress: &mut dyn FnMut(PretrainProgress),
    stop: &dyn Fn() -> bool,
) -> Result<PathBuf, PretrainError> {
    if settings.batch < SHARDS
        || !settings.batch.is_multiple_of(SHARDS)
        || settings.pairs < settings.batch as u64
    {
        return Err(PretrainError::Setting(
            "needs an even batch of at least 2 pairs, and that many pairs".to_owned(),
        ));
    }
    std::fs::create_dir_all(out).map_err(PretrainError::io("create", out))?;
    let source = PretrainSource::new(settings.seed);
    let captions: Vec<String> = (0..VOCABULARY_CAPTIONS).map(|i| source.scene(i).1).collect();
    let vocabulary = train_bpe(captions.iter().map(String::as_str), VOCABULARY)?;
    let config = pocket_config(vocabulary.ids().len());
    let tokenizer = ClipTokenizer::new(vocabulary.clone(), config.context_length, out)?;
    let vars = initial(&config, settings.seed)?;
    let checkpoint = out.join("checkpoint.safetensors");
    let made_with = settings.identity();
    let mut adam = checkpoint::resume(&checkpoint, &made_with, &vars)?.unwrap_or_default();
    let steps = settings.pairs / settings.batch as u64;
    let mut log = Log::open(out, adam.steps)?;
    while adam.steps < steps {
        if stop() {
            checkpoint::save(&checkpoint, &made_with, &vars, &adam)?;
            return Err(PretrainError::Interrupted);
        }
        let batch = draw(&source, &tokenizer, &config, adam.steps, settings.batch)?;
        let lr = learning_rate(settings.learning_rate, adam.steps, steps);
        let (loss, accuracy) = step(&config, &vars, &mut adam, &batch, lr)?;
        log.line(adam.steps, lr, loss, accuracy)?;
        progress(PretrainProgress { step: adam.steps, steps, loss, accuracy });
        if adam.steps.is_multiple_of(settings.checkpoint_every) {
            checkpoint::save(&checkpoint, &made_with, &vars, &adam)?;
        }
    }
    log.picture()?;
    write_folder(out, &config, &vars, &vocabulary)?;
    Ok(out.to_owned())
}

/// Linear warm-up, then a cosine to 0.
fn learning_rate(peak: f64, step: u64, steps: u64) -> f64 {
    let progress = step as f64 / steps as f64;
    if progress < WARMUP {
        return peak * (progress / WARMUP).max(0.01);
    }
    let progress = (progress - WARMUP) / (1.0 - WARMUP);
    peak * (1.0 + (std::f64::consts::PI * progress).cos()) / 2.0
}

fn draw(
    source: &PretrainSource,
    tokenizer: &ClipTokenizer,
    config: &ClipConfig,
    step: u64,
    count: usize,
) -> Result<Vec<BatchPart>, PretrainError> {
    let first = step * count as u64;
    let pairs: Vec<(Rgb8, String)> =
        (first..first + count as u64).into_par_iter().map(|index| source.pair(index)).collect();
    let side = config.image_size;
    pairs
        .chunks(count / SHARDS)
        .map(|pairs| {
            let pixels: Vec<f32> = pairs.iter().flat_map(|(image, _)| normalize(image)).collect();
            let prompts =
                pairs.iter().map(|(_, text)| tokenizer.encode(text)).collect::<Result<Vec<_>, _>>()?;
            Ok(BatchPart {
                pixels: Tensor::from_vec(pixels, (pairs.len(), 3, side, side), &Device::Cpu)?,
                layout: TextLayout::new(&prompts, 1, config.context_length)?,
            })
        })
        .collect()
}

/// Runs `f` on every part, each on a thread whose inner loops stay on that thread.
fn in_parallel<T: Sync, R: Send>(
    parts: &[T],
    f: impl Fn(&T) -> Result<R, PretrainError> + Sync,
) -> Result<Vec<R>, PretrainError> {
    let serial = || rayon::ThreadPoolBuilder::new().num_threads(1).build();
    std::thread::scope(|scope| {
        let threads: Vec<_> = parts
            .iter()
            .map(|part| {
                scope.spawn(|| match serial() {
                    Ok(pool) => pool.install(|| f(part)),
                    Err(error) => Err(PretrainError::Setting(format!("no thread could be started: {error}"))),
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

/// Symmetric cross-entropy over the whole batch's cosines (CLIP, arXiv 2103.00020, figure 3). The
/// parts' features meet only in the logits, so each part is run and differentiated on its own.
fn step(
    config: &ClipConfig,
    vars: &BTreeMap<String, Var>,
    adam: &mut AdamW,
    shards: &[BatchPart],
    lr: f64,
) -> Result<(f64, f64), PretrainError> {
    let tensors = vars.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect();
    let clip = Clip::new(config.clone(), &Weights::new("pretraining", tensors))?;
    let features = in_parallel(shards, |shard| {
        let image = l2_normalise(&clip.vision.encode(&shard.pixels, false)?.features)?;
        let text = l2_normalise(&clip.text.encode(&shard.layout)?.features)?;
        Ok([image, text])
    })?;
    let leaf = |side: usize| -> Result<Var, PretrainError> {
        let parts: Vec<_> = features.iter().map(|part| part[side].detach()).collect();
        Ok(Var::from_tensor(&Tensor::cat(&parts, 0)?)?)
    };
    let leaves = [leaf(0)?, leaf(1)?];
    let logits = leaves[0].matmul(&leaves[1].t()?)?.broadcast_mul(clip.logit_scale())?;
    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    let loss =
        ((cross_entropy(&logits, &labels)? + cross_entropy(&logits.t()?.contiguous()?, &labels)?)? / 2.0)?;
    let value = loss.to_dtype(DType::F64)?.to_scalar::<f64>()?;
    if !value.is_finite() {
        return Err(PretrainError::NotFinite { tensor: "loss".to_owned(), step: adam.steps });
    }
    let hits = logits.argmax(1)?.eq(&labels)?.to_dtype(DType::F64)?.mean_all()?.to_scalar::<f64>()?;
    let outer = loss.backward()?;
    let gradients = gather(vars, &features, &leaves, &outer)?;
    adam.step(vars, &gradients, lr)?;
    if let Some(scale) = vars.get("logit_scale") {
        scale.set(&scale.as_tensor().detach().clamp(0.0, MAX_LOGIT_SCALE)?)?;
    }
    Ok((value, hits))
}

/// Gradients of all weights: the logits' own, plus every part's under its features' cotangents, summed
/// in the order of the parts.
fn gather(
    vars: &BTreeMap<String, Var>,
    features: &[[Tensor; 2]],
    leaves: &[Var; 2],
    outer: &GradStore,
) -> Result<BTreeMap<String, Tensor>, PretrainError> {
    let mut cotangents = Vec::new();
    let mut start = 0;
    for part in features {
        let count = part[0].dim(0)?;
        let slice = |leaf: &Var| match outer.get(leaf) {
            Some(gradient) => Ok(gradient.narrow(0, start, count)?),
            None => Err(PretrainError::Setting("no gradient reached the features".to_owned())),
        };
        cotangents.push((part, [slice(&leaves[0])?, slice(&leaves[1])?]));
        start += count;
    }
    let parts = in_parallel(&cotangents, |(part, cotangent)| {
        let inner = ((&part[0] * &cotangent[0])?.sum_all()? + (&part[1] * &cotangent[1])?.sum_all()?)?;
        Ok(inner.backward()?)
    })?;
    let mut gradients = BTreeMap::new();
    for (name, var) in vars {
        for gradient in std::iter::once(outer).chain(&parts).filter_map(|store| store.get(var)) {
            let sum = match gradients.remove(name) {
                Some(sum) => (sum + gradient)?,
                None => gradient.clone(),
            };
            gradients.insert(name.clone(), sum);
        }
    }
    Ok(gradients)
}

/// Rounds to f16 and writes the folder; weights are stored as f16.
fn write_folder(
    out: &Path,
    config: &ClipConfig,
    vars: &BTreeMap<String, Var>,
    vocabulary: &BpeVocabulary,
) -> Result<(), PretrainError> {
    let tensors = vars.iter().map(|(name, var)| (name.clone(), var.as_tensor().detach())).collect();
    let weights = Weights::new("pretraining", tensors);
    export_folder(out, config, &weights, vocabulary)?;
    let halves = weights.to(&Device::Cpu, DType::F16)?;
    let halves: HashMap<String, Tensor> =
        halves.iter().map(|(name, t)| (name.to_owned(), t.clone())).collect();
    candle_core::safetensors::save(&halves, out.join("model.safetensors"))?;
    Ok(())
}
