//! LP++ (CVPR 2024, arXiv 2404.02285): a linear layer and the text features, blended class by class.
//!
//! logits = W·f̂ + b + α_c·(f̂·t̂_c), without a temperature: α plays its part. Full-batch descent with step sizes from the
//! data, on one augmented view. The surprising fact: the published code never resets the gradient of α, so each of its
//! moves uses the sum of all gradients so far. The last step counts, or the latest of the best on validation images.

use std::sync::Arc;

use candle_core::{D, DType, Tensor};
use serde::Deserialize;

use super::classifier::Classifier;
use super::contract::{Head, Method, OwnStep};
use super::entry::{Entry, Family, Switch};
use super::error::MethodError;
use super::images::ImageBatch;
use super::lp_solver::{Blend, Course, Judge, Solver, Standing};
use super::parameters::{Named, Parameters};
use super::parts::draws::{linear_bound, uniform};
use super::parts::texts::mean_of_directions;
use super::published::Publication;
use super::sets::{ClassifierSet, one_by_one};
use super::settings::{parse, setting};
use super::setup::{ClassTexts, Golden, ParameterShape, Pool, Selection, Shots, required};
use super::work::{Shape, Work};
use crate::backbone::Clip;
use crate::backbone::nn::{l2_normalise, matmul};
use crate::util::rng::Stream;

/// How it presents itself.
pub(super) const ENTRY: Entry = Entry {
    id: "lp_plus_plus",
    aliases: &["lp++"],
    name: "LP++",
    summary: "a linear layer and the text features, blended class by class",
    family: Family::FeatureAdapter,
    color: (204, 51, 17),
    switches: &[
        Switch {
            key: "accumulate",
            published: "true",
            why: "Whether the gradient of α is summed over all steps, as the published code does by never resetting it.",
            test: "the_gradient_of_alpha_is_summed_or_fresh",
        },
        Switch {
            key: "selection",
            published: "\"as_many_as_shots\"",
            why: "What the step is chosen by, the latest of the best. Published: as many validation images a class as there are \
                  shots; its numbers carry a mark. Ours: the last step; `few` takes at most min(shots, 4) images a class.",
            test: "the_step_is_chosen_as_told",
        },
        Switch {
            key: "draw",
            published: "\"with_replacement\"",
            why: "Published: a class with fewer images than shots is drawn from with replacement. Ours: CoOp's draw, which all \
                  methods of a seed share.",
            test: "draws_are_coop_s_unless_told",
        },
        Switch {
            key: "crop_scale",
            published: "0.5",
            why: "The least share of an image that a training crop covers. The default is the published one; other methods' is \
                  0.08.",
            test: "crops_are_as_large_as_told",
        },
    ],
    published: Publication::NONE,
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
    /// What the step that counts is chosen by.
    selection: By,
}

/// What decides which step counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    /// It is the last.
    Fixed,
    /// Few validation images.
    Few,
    /// As many a class as there are shots.
    AsManyAsShots,
}

fn build(table: toml::Table) -> Result<Box<dyn Method>, MethodError> {
    let method: LpPlusPlus = parse(ENTRY.id, table)?;
    if method.alpha_period == 0 {
        return Err(setting(ENTRY.id, "alpha_period is 0: expected at least 1".to_owned()));
    }
    Ok(Box::new(method))
}

impl LpPlusPlus {
    fn course(&self) -> Course {
        let Self { steps, alpha_period, accumulate, .. } = *self;
        Course { steps, alpha_period, accumulate }
    }

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

    fn selection(&self) -> Option<Selection> {
        let pools: &[Pool] = match self.selection {
            By::Fixed => return None,
            By::Few => &[Pool::Few],
            By::AsManyAsShots => &[Pool::AsShots],
        };
        Some(Selection { chooses: "step", pools, epoch: None })
    }

    fn own_step(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        shots: &dyn Shots,
    ) -> Result<Option<OwnStep>, MethodError> {
        let (solver, course) = (self.solver(clip, texts, shots)?, self.course());
        let bias = Tensor::zeros(texts.classes(), clip.dtype(), clip.device())?;
        let mut standing = Standing::new(solver.start(bias)?)?;
        let step = move || {
            let loss = solver.step(&course, &mut standing)?;
            Ok(loss.to_dtype(DType::F64)?.to_scalar::<f64>()?)
        };
        Ok(Some(Box::new(step)))
    }

    /// The solved values: this is the whole training.
    fn init(
        &self,
        clip: &Clip,
        texts: &ClassTexts,
        shots: Option<&dyn Shots>,
        stream: &mut Stream,
    ) -> Result<Parameters, MethodError> {
        let shots = required(shots)?;
        let solver = self.solver(clip, texts, shots)?;
        let judge = match Method::selection(self) {
            Some(Selection { pools: [pool, ..], .. }) => {
                Some(Judge::new(shots.validation(*pool)?, &mean_of_directions(clip, texts)?)?)
            }
            _ => None,
        };
        let bound = linear_bound(clip.config.projection_dim);
        let bias = uniform(&[texts.classes()], bound, stream, clip.device())?.to_dtype(clip.dtype())?;
        let (solved, _) = self.run_from(&solver, bias, judge.as_ref())?;
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
        let (last, losses) = solver.run(&self.course(), start.clone(), None)?;
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
    fn run_from(
        &self,
        solver: &Solver,
        bias: Tensor,
        judge: Option<&Judge>,
    ) -> Result<(Blend, Vec<Tensor>), MethodError> {
        let (blend, losses) = solver.run(&self.course(), solver.start(bias)?, judge)?;
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
        let cosines = matmul(&features, &self.text.t()?)?;
        Ok(self.blend.logits(&features, &cosines)?)
    }
}
