//! LP++ (CVPR 2024, arXiv 2404.02285): a linear layer and the text features, blended class by class.
//!
//! logits = W·f̂ + b + α_c·(f̂·t̂_c), without a temperature: α plays its part. Full-batch descent with step sizes from the
//! data, on one augmented view. The surprising fact: the published code never resets the gradient of α, so each of its
//! moves uses the sum of all gradients so far. The last step counts; the published code picks one on validation images.

use std::sync::Arc;

use candle_core::{D, DType, Tensor};
use serde::Deserialize;

use super::contract::{Classifier, Head, Method};
use super::error::MethodError;
use super::images::ImageBatch;
use super::parameters::{Named, Parameters};
use super::parts::draws::{linear_bound, uniform};
use super::parts::texts::mean_of_directions;
use super::published::Published;
use super::registry::{Entry, Family, Switch};
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Golden, ParameterShape, Shots, required};
use super::work::{Shape, Work};
use crate::backbone::Clip;
use crate::backbone::nn::{cross_entropy, l2_normalise, softmax};
use crate::util::rng::Stream;

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "lp_plus_plus",
    aliases: &["lp++"],
    name: "LP++",
    summary: "a linear layer and the text features, blended class by class",
    family: Family::FeatureAdapter,
    color: (204, 51, 17),
    switches: &[Switch {
        key: "accumulate",
        published: "true",
        why: "Whether the gradient of α is summed over all steps, as the published code does by never resetting it.",
        test: "the_gradient_of_alpha_is_summed_or_fresh",
    }],
    published: Published::NONE,
    defaults: include_str!("../../suites/methods/lp_plus_plus.toml"),
    build,
};

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LpPlusPlus {
    /// Full-batch steps.
    steps: usize,
    /// α moves after every so many of them.
    alpha_period: usize,
    /// Whether α moves by the sum of its gradients since the start.
    accumulate: bool,
}

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: LpPlusPlus = parse(ENTRY.id, table)?;
    if method.alpha_period == 0 {
        return Err(setting(ENTRY.id, "alpha_period is 0: expected at least 1".to_owned()));
    }
    Ok(Box::new(method))
}

/// Momentum of W and b.
const MOMENTUM: f64 = 0.9;
/// α starts at this times the mean cosine.
const START: f64 = 250.0;
/// Iterations for the largest eigenvalue; it is read to a relative 1e-12 or so.
const ITERATIONS: usize = 300;

/// What is learnt.
#[derive(Clone)]
struct Blend {
    /// `[classes, joint]`.
    weight: Tensor,
    /// `[classes]`.
    bias: Tensor,
    /// `[classes]`.
    alpha: Tensor,
}

impl Blend {
    fn logits(&self, features: &Tensor, cosines: &Tensor) -> candle_core::Result<Tensor> {
        let linear = features.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)?;
        linear + cosines.broadcast_mul(&self.alpha)?
    }

    fn named(&self) -> [(&'static str, Tensor); 3] {
        [("weight", self.weight.clone()), ("bias", self.bias.clone()), ("alpha", self.alpha.clone())]
    }
}

/// A training: what does not change in it.
struct Solver {
    /// l2-normalised `[images, joint]`.
    features: Tensor,
    labels: Tensor,
    /// Cosines with the class texts, `[images, classes]`.
    cosines: Tensor,
    /// Labels, one-hot, `[images, classes]`.
    targets: Tensor,
    /// Step sizes of W and b, and of α.
    rates: [f64; 2],
}

impl Solver {
    fn new(features: &Tensor, labels: Vec<u32>, text: &Tensor) -> Result<Self, MethodError> {
        let (features, classes) = (l2_normalise(features)?, text.dim(0)?);
        let images = labels.len();
        let cosines = features.matmul(&text.t()?)?;
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
    fn start(&self, bias: Tensor) -> Result<Blend, MethodError> {
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
            weight: self.targets.t()?.matmul(&self.features)?,
            alpha: (bias.ones_like()? * alpha)?,
            bias,
        })
    }

    fn loss(&self, blend: &Blend) -> Result<Tensor, MethodError> {
        Ok(cross_entropy(&blend.logits(&self.features, &self.cosines)?, &self.labels)?)
    }

    /// Gradients of the mean cross-entropy.
    fn gradients(&self, blend: &Blend) -> Result<Blend, MethodError> {
        let probabilities = softmax(&blend.logits(&self.features, &self.cosines)?)?;
        let residual = ((probabilities - &self.targets)? / self.labels.dim(0)? as f64)?;
        Ok(Blend {
            weight: residual.t()?.matmul(&self.features)?,
            bias: residual.sum(0)?,
            alpha: (&residual * &self.cosines)?.sum(0)?,
        })
    }

    /// All steps from `start`: the blend behind the last, and the loss before each.
    fn run(&self, method: &LpPlusPlus, start: Blend) -> Result<(Blend, Vec<Tensor>), MethodError> {
        let (mut blend, mut losses) = (start, Vec::new());
        let mut momentum: Option<[Tensor; 2]> = None;
        let mut summed = blend.alpha.zeros_like()?;
        for step in 1..=method.steps {
            losses.push(self.loss(&blend)?);
            let gradients = self.gradients(&blend)?;
            let next = match &momentum {
                Some([w, b]) => [((w * MOMENTUM)? + gradients.weight)?, ((b * MOMENTUM)? + gradients.bias)?],
                None => [gradients.weight, gradients.bias],
            };
            blend.weight = (blend.weight - (&next[0] * self.rates[0])?)?;
            blend.bias = (blend.bias - (&next[1] * self.rates[0])?)?;
            momentum = Some(next);
            summed = if method.accumulate { (summed + gradients.alpha)? } else { gradients.alpha };
            if step.is_multiple_of(method.alpha_period) {
                blend.alpha = (blend.alpha - (&summed * self.rates[1])?)?;
            }
        }
        Ok((blend, losses))
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

impl LpPlusPlus {
    fn solver(&self, clip: &Clip, texts: &ClassTexts, shots: &dyn Shots) -> Result<Solver, MethodError> {
        let features = shots.pooled(0)?.to_dtype(clip.dtype())?;
        Solver::new(&features, shots.labels(), &mean_of_directions(clip, texts)?)
    }
}

impl Method for LpPlusPlus {
    fn id(&self) -> &'static str {
        ENTRY.id
    }

    fn transfers(&self) -> bool {
        false
    }

    fn reads_shots(&self) -> bool {
        true
    }

    /// The solved values: this is the whole training.
    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        shots: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        let solver = self.solver(clip, texts, required(shots)?)?;
        let bound = linear_bound(clip.config.projection_dim);
        let bias = uniform(&[texts.classes()], bound, stream, clip.device())?.to_dtype(clip.dtype())?;
        let (solved, _) = self.run_from(&solver, bias)?;
        Ok(Parameters::default().with_solved(solved.named().into()))
    }

    fn shapes(&self, clip: &Clip, texts: &ClassTexts) -> Result<Vec<ParameterShape>, MethodError> {
        let (classes, joint) = (texts.classes(), clip.config.projection_dim);
        let shapes = [("weight", vec![classes, joint]), ("bias", vec![classes]), ("alpha", vec![classes])];
        Ok(shapes.iter().map(|(name, shape)| ParameterShape::trained(name, shape)).collect())
    }

    fn golden(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        shots: Option<&dyn Shots>,
        given: &dyn Fn(&str) -> Option<Tensor>,
    ) -> Result<Golden, MethodError> {
        let (Some(shots), Some(bias)) = (shots, given("init.bias")) else { return Ok(Golden::default()) };
        let solver = self.solver(clip, texts, shots)?;
        let start = solver.start(bias)?;
        let [lr_weight, lr_alpha] = solver.rates.map(|rate| Tensor::new(rate as f32, clip.device()));
        let mut numbers = vec![
            ("lr_weight".to_owned(), lr_weight?),
            ("lr_alpha".to_owned(), lr_alpha?),
            ("support_logits".to_owned(), start.logits(&solver.features, &solver.cosines)?),
            ("loss".to_owned(), solver.loss(&start)?),
        ];
        numbers.extend(start.named().map(|(name, value)| (format!("init.{name}"), value)));
        let gradients = solver.gradients(&start)?.named();
        numbers.extend(gradients.map(|(name, value)| (format!("grad.{name}"), value)));
        let (last, losses) = solver.run(self, start.clone())?;
        numbers.push(("step_losses".to_owned(), Tensor::stack(&losses, 0)?));
        numbers.extend(last.named().map(|(name, value)| (format!("final.{name}"), value)));
        let named = |blend: &Blend| Named::new(blend.named().map(|(name, value)| (name.to_owned(), value)));
        let logits = vec![("logits".to_owned(), named(&start)), ("final_logits".to_owned(), named(&last))];
        Ok(Golden { numbers, logits })
    }

    fn work(&self, shape: &Shape<'_>) -> Work {
        let evaluate = 2 * shape.classes() * shape.joint();
        Work { bind: shape.text_tokens(), image: shape.image_tokens(), evaluate, ..Work::default() }
    }

    fn bind(&self, clip: &Arc<Clip>, texts: &ClassTexts) -> Result<Box<dyn Head>, MethodError> {
        Ok(Box::new(BlendHead { text: mean_of_directions(clip, texts)? }))
    }
}

impl LpPlusPlus {
    fn run_from(&self, solver: &Solver, bias: Tensor) -> Result<(Blend, Vec<Tensor>), MethodError> {
        let (blend, losses) = solver.run(self, solver.start(bias)?)?;
        let finite = |t: &Tensor| t.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>();
        for (name, value) in blend.named() {
            if !finite(&value)?.is_finite() {
                return Err(MethodError::Shots(format!("{name} is not finite after {} steps", self.steps)));
            }
        }
        Ok((blend, losses))
    }
}

struct BlendHead {
    /// l2-normalised `[classes, joint]`.
    text: Tensor,
}

impl Head for BlendHead {
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let (classes, joint) = (self.text.dim(0)?, self.text.dim(D::Minus1)?);
        one_by_one(parameters, |each| {
            let blend = Blend {
                weight: each.get("weight", &[classes, joint])?.clone(),
                bias: each.get("bias", &[classes])?.clone(),
                alpha: each.get("alpha", &[classes])?.clone(),
            };
            Ok(Box::new(Blended { text: self.text.clone(), blend }))
        })
    }
}

struct Blended {
    text: Tensor,
    blend: Blend,
}

impl Classifier for Blended {
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError> {
        let features = l2_normalise(images.pooled()?)?;
        let cosines = features.matmul(&self.text.t()?)?;
        Ok(self.blend.logits(&features, &cosines)?)
    }
}
