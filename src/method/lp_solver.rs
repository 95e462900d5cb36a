//! LP++'s own training: full-batch descent with step sizes from the data.

use candle_core::{DType, Tensor};

use super::error::MethodError;
use crate::backbone::nn::{cross_entropy, l2_normalise, matmul, softmax};

/// Momentum of W and b.
const MOMENTUM: f64 = 0.9;
/// α starts at this times the mean cosine.
const START: f64 = 250.0;
/// Iterations for the largest eigenvalue; it is read to a relative 1e-12 or so.
const ITERATIONS: usize = 300;

/// How long it goes on, and how α moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub steps: usize,
    /// α moves after every so many of them.
    pub alpha_period: usize,
    /// By the sum of its gradients since the start.
    pub accumulate: bool,
}

/// What is learnt.
#[derive(Clone)]
pub(super) struct Blend {
    /// `[classes, joint]`.
    pub weight: Tensor,
    /// `[classes]`.
    pub bias: Tensor,
    /// `[classes]`.
    pub alpha: Tensor,
}

impl Blend {
    pub fn logits(&self, features: &Tensor, cosines: &Tensor) -> candle_core::Result<Tensor> {
        let linear = matmul(features, &self.weight.t()?)?.broadcast_add(&self.bias)?;
        linear + cosines.broadcast_mul(&self.alpha)?
    }

    pub fn named(&self) -> [(&'static str, Tensor); 3] {
        [("weight", self.weight.clone()), ("bias", self.bias.clone()), ("alpha", self.alpha.clone())]
    }
}

/// A training: what does not change in it.
pub(super) struct Solver {
    /// l2-normalised `[images, joint]`.
    pub features: Tensor,
    labels: Tensor,
    /// Cosines with the class texts, `[images, classes]`.
    pub cosines: Tensor,
    /// Labels, one-hot, `[images, classes]`.
    targets: Tensor,
    /// Step sizes of W and b, and of α.
    pub rates: [f64; 2],
}

impl Solver {
    pub fn new(features: &Tensor, labels: Vec<u32>, text: &Tensor) -> Result<Self, MethodError> {
        let (features, classes) = (l2_normalise(features)?, text.dim(0)?);
        let images = labels.len();
        let cosines = matmul(&features, &text.t()?)?;
        let mut targets = vec![0f32; images * classes];
        labels.iter().enumerate().for_each(|(image, label)| targets[image * classes + *label as usize] = 1.0);
        let targets = Tensor::from_vec(targets, (images, classes), text.device())?.to_dtype(text.dtype())?;
        let largest = largest_eigenvalue(&features.to_dtype(DType::F64)?.to_vec2()?);
        let squares = cosines.sqr()?.sum(0)?.max(0)?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        let n = images as f64;
        let labels = Tensor::new(labels, text.device())?;
        Ok(Self { features, labels, cosines, targets, rates: [4.0 * n / largest, n / (4.0 * squares)] })
    }

    /// W the sum of a class's features, one α for all: 250 times the mean over classes of their mean cosine.
    pub fn start(&self, bias: Tensor) -> Result<Blend, MethodError> {
        let own = (&self.cosines * &self.targets)?.sum(0)?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let counts = self.targets.sum(0)?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let means: Vec<f64> = own
            .iter()
            .zip(&counts)
            .filter(|(_, count)| **count > 0.0)
            .map(|(sum, count)| sum / count)
            .collect();
        let alpha = START * means.iter().sum::<f64>() / means.len().max(1) as f64;
        Ok(Blend {
            weight: matmul(&self.targets.t()?, &self.features)?,
            alpha: (bias.ones_like()? * alpha)?,
            bias,
        })
    }

    pub fn loss(&self, blend: &Blend) -> Result<Tensor, MethodError> {
        Ok(cross_entropy(&blend.logits(&self.features, &self.cosines)?, &self.labels)?)
    }

    /// Gradients of the mean cross-entropy.
    pub fn gradients(&self, blend: &Blend) -> Result<Blend, MethodError> {
        let probabilities = softmax(&blend.logits(&self.features, &self.cosines)?)?;
        let residual = ((probabilities - &self.targets)? / self.labels.dim(0)? as f64)?;
        Ok(Blend {
            weight: matmul(&residual.t()?, &self.features)?,
            bias: residual.sum(0)?,
            alpha: (&residual * &self.cosines)?.sum(0)?,
        })
    }

    /// One step: its loss before the update.
    pub fn step(&self, course: &Course, standing: &mut Standing) -> Result<Tensor, MethodError> {
        let Standing { blend, momentum, summed, taken } = standing;
        let (loss, gradients) = (self.loss(blend)?, self.gradients(blend)?);
        let next = match momentum {
            Some([w, b]) => [((&*w * MOMENTUM)? + gradients.weight)?, ((&*b * MOMENTUM)? + gradients.bias)?],
            None => [gradients.weight, gradients.bias],
        };
        blend.weight = (&blend.weight - (&next[0] * self.rates[0])?)?;
        blend.bias = (&blend.bias - (&next[1] * self.rates[0])?)?;
        *momentum = Some(next);
        *summed = if course.accumulate { (&*summed + gradients.alpha)? } else { gradients.alpha };
        *taken += 1;
        if taken.is_multiple_of(course.alpha_period) {
            blend.alpha = (&blend.alpha - (&*summed * self.rates[1])?)?;
        }
        Ok(loss)
    }

    /// All steps from `start`: the blend behind the one that counts, and the loss before each.
    pub fn run(
        &self,
        course: &Course,
        start: Blend,
        judge: Option<&Judge>,
    ) -> Result<(Blend, Vec<Tensor>), MethodError> {
        let (mut standing, mut losses) = (Standing::new(start)?, Vec::new());
        let mut best: Option<(u32, Blend)> = None;
        for _ in 0..course.steps {
            losses.push(self.step(course, &mut standing)?);
            if let Some(judge) = judge {
                let correct = judge.correct(&standing.blend)?;
                if best.as_ref().is_none_or(|(most, _)| correct >= *most) {
                    best = Some((correct, standing.blend.clone()));
                }
            }
        }
        Ok((best.map_or(standing.blend, |(_, blend)| blend), losses))
    }
}

/// Where the descent stands.
pub(super) struct Standing {
    pub blend: Blend,
    momentum: Option<[Tensor; 2]>,
    /// What α moves by.
    summed: Tensor,
    /// Steps so far.
    taken: usize,
}

impl Standing {
    pub fn new(blend: Blend) -> Result<Self, MethodError> {
        Ok(Self { summed: blend.alpha.zeros_like()?, blend, momentum: None, taken: 0 })
    }
}

/// Validation images that decide which step counts.
pub(super) struct Judge {
    /// l2-normalised `[images, joint]`.
    features: Tensor,
    /// Cosines with the class texts.
    cosines: Tensor,
    labels: Tensor,
}

impl Judge {
    pub fn new((features, labels): (Tensor, Vec<u32>), text: &Tensor) -> Result<Self, MethodError> {
        let features = l2_normalise(&features.to_dtype(text.dtype())?)?;
        let cosines = matmul(&features, &text.t()?)?;
        Ok(Self { features, cosines, labels: Tensor::new(labels, text.device())? })
    }

    fn correct(&self, blend: &Blend) -> Result<u32, MethodError> {
        let predicted = blend.logits(&self.features, &self.cosines)?.argmax(1)?;
        Ok(predicted.eq(&self.labels)?.to_dtype(DType::U32)?.sum_all()?.to_scalar()?)
    }
}

/// Largest eigenvalue of XᵀX by power iteration.
fn largest_eigenvalue(rows: &[Vec<f64>]) -> f64 {
    let width = rows.first().map_or(0, Vec::len);
    let mut vector = vec![1.0 / (width.max(1) as f64).sqrt(); width];
    let mut value = 0.0;
    for _ in 0..ITERATIONS {
        let mut next = vec![0f64; width];
        for row in rows {
            let product: f64 = row.iter().zip(&vector).map(|(x, v)| x * v).sum();
            next.iter_mut().zip(row).for_each(|(n, x)| *n += product * x);
        }
        value = next.iter().map(|x| x * x).sum::<f64>().sqrt();
        if value == 0.0 {
            break;
        }
        vector = next.into_iter().map(|x| x / value).collect();
    }
    value
}
