//! Tip-Adapter's memory: logits = exp(τ)·cos(f, t) + α·exp(−β(1 − f·Fᵀ))·V, and the search for α and β.

use candle_core::{DType, Tensor};

use super::classifier::Classifier;
use super::contract::Head;
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::Named;
use super::sets::{ClassifierSet, one_by_one};
use super::zero_shot::CosineHead;
use crate::backbone::nn::{l2_normalise, matmul};

/// The fixed labels of the keys, and alpha and beta where they are chosen.
pub(super) const LABELS: &str = "labels";
pub(super) const WEIGHTS: &str = "alpha_beta";

/// The published grid on ImageNet: values of alpha and of beta, each from 0.1.
const ALPHAS: (usize, f64) = (20, 3.0);
const BETAS: (usize, f64) = (200, 7.0);

fn grid((steps, end): (usize, f64)) -> impl Iterator<Item = f64> + Clone {
    (0..steps).map(move |step| 0.1 + step as f64 * (end - 0.1) / steps as f64)
}

/// Tip-Adapter bound to a class set.
pub(super) struct MemoryHead {
    pub cosine: CosineHead,
    /// Name of the keys among the parameters.
    pub keys: &'static str,
    /// Alpha and beta; absent where the parameters hold them.
    pub weights: Option<[f64; 2]>,
}

impl MemoryHead {
    /// The memory that parameters make.
    pub fn memory(&self, each: &Named) -> Result<Memory, MethodError> {
        let keys = each.get(self.keys, &[0, self.cosine.text.dim(1)?])?;
        let labels = each.get(LABELS, &[keys.dim(0)?])?.to_dtype(DType::U32)?;
        let weights = match self.weights {
            Some(weights) => weights,
            None => {
                let chosen = each.get(WEIGHTS, &[2])?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
                [chosen[0], chosen[1]]
            }
        };
        Ok(Memory { cosine: self.cosine.clone(), keys: keys.t()?, labels, weights })
    }
}

impl Head for MemoryHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        one_by_one(parameters, |each| Ok(Box::new(self.memory(each)?)))
    }
}

/// The training images as a memory beside the texts.
pub(super) struct Memory {
    cosine: CosineHead,
    /// `[joint, keys]`.
    keys: Tensor,
    labels: Tensor,
    /// Alpha and beta.
    weights: [f64; 2],
}

impl Memory {
    /// What the memory says at this sharpness, `[batch, classes]`, of affinities `[batch, keys]`.
    fn answers(&self, affinity: &Tensor, beta: f64, like: &Tensor) -> Result<Tensor, MethodError> {
        let answers = ((affinity - 1.0)? * beta)?.exp()?;
        // One-hot labels as a sum of columns: the memory needs no matrix of keys and classes.
        Ok(like.zeros_like()?.detach().index_add(&self.labels, &answers, 1)?)
    }

    fn affinity(&self, features: &Tensor) -> Result<Tensor, MethodError> {
        Ok(matmul(&l2_normalise(features)?, &self.keys)?)
    }

    /// Alpha and beta of the grid with the most correct images; of equal ones the first, beta counted slowest.
    pub fn searched(&self, images: &(Tensor, Vec<u32>)) -> Result<[f64; 2], MethodError> {
        let seen = Seen::new(self, images)?;
        let mut best: Option<(u32, [f64; 2])> = None;
        for beta in grid(BETAS) {
            let answers = self.answers(&seen.affinity, beta, &seen.logits)?;
            for alpha in grid(ALPHAS) {
                let correct = seen.correct(&answers, alpha)?;
                if best.is_none_or(|(most, _)| correct > most) {
                    best = Some((correct, [alpha, beta]));
                }
            }
        }
        best.map(|(_, weights)| weights).ok_or_else(|| MethodError::Shots("an empty grid".to_owned()))
    }

    /// The pair with more correct images; of equal ones the first.
    pub fn better(&self, pairs: [[f64; 2]; 2], images: &(Tensor, Vec<u32>)) -> Result<[f64; 2], MethodError> {
        let seen = Seen::new(self, images)?;
        let correct =
            |[alpha, beta]: [f64; 2]| seen.correct(&self.answers(&seen.affinity, beta, &seen.logits)?, alpha);
        Ok(if correct(pairs[1])? > correct(pairs[0])? { pairs[1] } else { pairs[0] })
    }
}

/// Images with labels, as the texts and the keys see them.
struct Seen {
    logits: Tensor,
    affinity: Tensor,
    labels: Tensor,
}

impl Seen {
    fn new(memory: &Memory, (features, labels): &(Tensor, Vec<u32>)) -> Result<Self, MethodError> {
        let features = features.to_dtype(memory.keys.dtype())?;
        Ok(Self {
            logits: memory.cosine.of_features(&features)?,
            affinity: memory.affinity(&features)?,
            labels: Tensor::new(labels.as_slice(), features.device())?,
        })
    }

    fn correct(&self, answers: &Tensor, alpha: f64) -> Result<u32, MethodError> {
        let predicted = (&self.logits + (answers * alpha)?)?.argmax(1)?;
        Ok(predicted.eq(&self.labels)?.to_dtype(DType::U32)?.sum_all()?.to_scalar()?)
    }
}

impl Classifier for Memory {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        let (logits, [alpha, beta]) = (self.cosine.logits(images)?, self.weights);
        let memory = self.answers(&self.affinity(images.pooled()?)?, beta, &logits)?;
        Ok((logits + (memory * alpha)?)?)
    }
}
