//! The pretraining loop: render, tokenise, contrast, step; log, checkpoint, write the folder.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor, Var};
use rayon::prelude::*;

use super::adamw::AdamW;
use super::checkpoint;
use super::error::PretrainError;
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

/// One step, for the progress line and the log.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Contrastive loss of the step (nats).
    pub loss: f64,
    /// Share of the batch's images whose own caption scores highest.
    pub accuracy: f64,
}

struct Batch {
    pixels: Tensor,
    layout: TextLayout,
}

/// Pretrains into `out`: checkpoint.safetensors and log.csv while it runs, a HuggingFace folder with
/// f16-rounded weights at the end. Continues from a checkpoint found there.
///
/// # Errors
/// [`PretrainError`]; after an interruption the last checkpoint stays.
pub fn pretrain(
    out: &Path,
    settings: &PretrainSettings,
    progress: &mut dyn FnMut(Progress),
    stop: &dyn Fn() -> bool,
) -> Result<PathBuf, PretrainError> {
    if settings.batch < 2 || settings.pairs < settings.batch as u64 {
        return Err(PretrainError::Setting("needs a batch of at least 2 pairs, and that many pairs".to_owned()));
    }
    std::fs::create_dir_all(out).map_err(PretrainError::io("create", out))?;
    let source = PretrainSource::new(settings.seed);
    let captions: Vec<String> = (0..VOCABULARY_CAPTIONS).map(|i| source.scene(i).1).collect();
    let vocabulary = train_bpe(captions.iter().map(String::as_str), VOCABULARY)?;
    let config = pocket_config(vocabulary.ids().len());
    let tokenizer = ClipTokenizer::new(vocabulary.clone(), config.context_length, out)?;
    let vars = initial(&config, settings.seed)?;
    let checkpoint = out.join("checkpoint.safetensors");
    let mut adam = checkpoint::resume(&checkpoint, &vars)?.unwrap_or_default();
    let steps = settings.pairs / settings.batch as u64;
    let mut log = Log::open(out, adam.steps)?;
    while adam.steps < steps {
        if stop() {
            checkpoint::save(&checkpoint, &vars, &adam)?;
            return Err(PretrainError::Interrupted);
        }
        let batch = draw(&source, &tokenizer, &config, adam.steps, settings.batch)?;
        let lr = learning_rate(settings.learning_rate, adam.steps, steps);
        let (loss, accuracy) = step(&config, &vars, &mut adam, &batch, lr)?;
        log.line(adam.steps, lr, loss, accuracy)?;
        progress(Progress { step: adam.steps, steps, loss, accuracy });
        if adam.steps.is_multiple_of(settings.checkpoint_every) {
            checkpoint::save(&checkpoint, &vars, &adam)?;
        }
    }
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
) -> Result<Batch, PretrainError> {
    let first = step * count as u64;
    let pairs: Vec<(Rgb8, String)> =
        (first..first + count as u64).into_par_iter().map(|index| source.pair(index)).collect();
    let pixels: Vec<f32> = pairs.iter().flat_map(|(image, _)| normalize(image)).collect();
    let side = config.image_size;
    let prompts = pairs.iter().map(|(_, text)| tokenizer.encode(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(Batch {
        pixels: Tensor::from_vec(pixels, (count, 3, side, side), &Device::Cpu)?,
        layout: TextLayout::new(&prompts, 1, config.context_length)?,
    })
}

/// Symmetric cross-entropy over the batch's cosines (CLIP, arXiv 2103.00020, figure 3).
fn step(
    config: &ClipConfig,
    vars: &BTreeMap<String, Var>,
    adam: &mut AdamW,
    batch: &Batch,
    lr: f64,
) -> Result<(f64, f64), PretrainError> {
    let tensors = vars.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect();
    let clip = Clip::new(config.clone(), &Weights::new("pretraining", tensors))?;
    let image = l2_normalise(&clip.vision.encode(&batch.pixels, false)?.features)?;
    let text = l2_normalise(&clip.text.encode(&batch.layout)?.features)?;
    let logits = image.matmul(&text.t()?)?.broadcast_mul(clip.logit_scale())?;
    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    let loss = ((cross_entropy(&logits, &labels)? + cross_entropy(&logits.t()?.contiguous()?, &labels)?)? / 2.0)?;
    let value = loss.to_dtype(DType::F64)?.to_scalar::<f64>()?;
    if !value.is_finite() {
        return Err(PretrainError::NotFinite { tensor: "loss".to_owned(), step: adam.steps });
    }
    let hits = logits.argmax(1)?.eq(&labels)?.to_dtype(DType::F64)?.mean_all()?.to_scalar::<f64>()?;
    adam.step(vars, &loss.backward()?, lr)?;
    if let Some(scale) = vars.get("logit_scale") {
        scale.set(&scale.as_tensor().detach().clamp(0.0, MAX_LOGIT_SCALE)?)?;
    }
    Ok((value, hits))
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
    let halves: HashMap<String, Tensor> = halves.iter().map(|(name, t)| (name.to_owned(), t.clone())).collect();
    candle_core::safetensors::save(&halves, out.join("model.safetensors"))?;
    Ok(())
}

/// log.csv, rewritten whole at every line's end so that a resumed run has no line twice.
struct Log {
    path: PathBuf,
    text: String,
}

impl Log {
    fn open(out: &Path, steps: u64) -> Result<Self, PretrainError> {
        let path = out.join("log.csv");
        let old = if steps > 0 { std::fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        let mut text = "step,learning_rate,loss,accuracy\n".to_owned();
        for line in old.lines().skip(1).take(steps as usize) {
            text.push_str(line);
            text.push('\n');
        }
        Ok(Self { path, text })
    }

    fn line(&mut self, step: u64, lr: f64, loss: f64, accuracy: f64) -> Result<(), PretrainError> {
        let _ = writeln!(self.text, "{step},{lr:.3e},{loss:.4},{accuracy:.4}");
        std::fs::write(&self.path, &self.text).map_err(PretrainError::io("write", &self.path))
    }
}
