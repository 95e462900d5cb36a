//! One case of a fixture: initial values, logits, loss, gradients, five steps, final parameters and logits.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Tensor};

use super::case::Case;
use super::check::{ParityError, ParityReport};
use super::fixture::Fixture;
use crate::backbone::Clip;
use crate::method::{ClassTexts, Entry, FixedShots, Head, ImageBatch, Method, Named, Parameters};
use crate::train::{Gradients, Optimiser, Recipe, frozen_pass, loss_and_gradients};
use crate::util::rng::Stream;

/// Initial values that the fixtures change on purpose, so that a mixed-up index or a wrong scale shows: ends of names.
const CHANGED: [&str; 3] = ["init.text_feature_residuals", "clap.init.prototypes", ".lora_b"];

/// Logits among trained classes and others.
const UNSEEN: &str = "selective_logits";

/// What a method is checked with.
pub(super) struct MethodCase<'a> {
    pub entry: &'a Entry,
    pub case: &'a Case,
    pub clip: &'a Arc<Clip>,
    pub fixture: &'a Fixture,
}

/// A case on its way.
struct Run<'a> {
    of: &'a MethodCase<'a>,
    method: Box<dyn Method>,
    head: Box<dyn Head>,
    pixels: &'a Tensor,
    labels: Tensor,
}

impl<'a> Run<'a> {
    fn new(of: &'a MethodCase<'a>, texts: &ClassTexts) -> Result<Self, ParityError> {
        let method = (of.entry.build)(of.case.table(of.entry)?)?;
        let head = method.bind(of.clip, texts)?;
        let labels = of.fixture.input("labels")?.to_dtype(DType::U32)?;
        Ok(Self { of, method, head, pixels: of.fixture.input("images")?, labels })
    }

    fn images(&self, rows: Option<&Tensor>) -> Result<ImageBatch, ParityError> {
        let pixels =
            rows.map_or_else(|| Ok(self.pixels.clone()), |rows| self.pixels.index_select(rows, 0))?;
        Ok(frozen_pass(self.of.clip, pixels, self.method.needs())?)
    }

    fn logits(&self, parameters: &Named, images: &ImageBatch) -> Result<Tensor, ParityError> {
        Ok(self.head.classifier(parameters)?.logits(images)?)
    }

    fn gradients(
        &self,
        parameters: &Parameters,
        rows: Option<&Tensor>,
        step: usize,
    ) -> Result<Gradients, ParityError> {
        let labels =
            rows.map_or_else(|| Ok(self.labels.clone()), |rows| self.labels.index_select(rows, 0))?;
        Ok(loss_and_gradients(self.head.as_ref(), parameters, &self.images(rows)?, &labels, (0, step))?)
    }
}

pub(super) fn check_method(of: &MethodCase<'_>, report: &mut ParityReport) -> Result<(), ParityError> {
    let (fixture, name) = (of.fixture, &of.case.name);
    let texts = ClassTexts { prompts: fixture.prompts.clone(), others: fixture.wordings.clone() };
    let run = Run::new(of, &texts)?;
    let mut check = Checker { report, expected: &fixture.expected, case: name };
    let parameters = initial(&run, &texts, &mut check)?;
    for (fixed, value) in parameters.fixed().iter() {
        check.if_known(fixed, value)?;
    }
    let all = run.images(None)?;
    if solver(&run, &texts, &all, &mut check)? {
        return Ok(());
    }
    let first = run.logits(&parameters.values()?, &all)?;
    check.tensor("logits", &first)?;
    if let (Some(recipe), false) = (&of.case.recipe, parameters.is_empty()) {
        check_start(&run, &parameters, &all, &mut check)?;
        let trained = check_steps(&run, recipe, parameters, &mut check)?;
        check.tensor("final_logits", &run.logits(&trained, &all)?)?;
        check_unseen(&run, &texts, &trained, &all, &mut check)?;
    }
    Ok(())
}

/// The numbers of a method with a solver of its own; false where the training loop trains.
fn solver(
    run: &Run<'_>,
    texts: &ClassTexts,
    all: &ImageBatch,
    check: &mut Checker<'_>,
) -> Result<bool, ParityError> {
    let shots = shots(run)?;
    let shots = shots.as_ref().map(|shots| shots as _);
    let golden = run.method.golden(run.of.clip, texts, shots, &|name| check.known(name))?;
    for (name, value) in &golden.numbers {
        check.tensor(name, value)?;
    }
    for (name, parameters) in &golden.logits {
        check.tensor(name, &run.logits(parameters, all)?)?;
    }
    Ok(!golden.numbers.is_empty())
}

/// Loss, its terms and the gradients at the initial parameters.
fn check_start(
    run: &Run<'_>,
    parameters: &Parameters,
    all: &ImageBatch,
    check: &mut Checker<'_>,
) -> Result<(), ParityError> {
    let objective = run.head.classifier(&parameters.values()?)?.objective(all, &run.labels)?;
    check.tensor("loss", &objective.loss)?;
    for (term, value) in &objective.terms {
        check.tensor(&format!("loss.{term}"), value)?;
    }
    if let Some(guide) = &objective.guide {
        check.tensor("kl_loss", &guide.loss)?;
    }
    let gradients = run.gradients(parameters, None, 0)?;
    for ((parameter, _), gradient) in parameters.iter().zip(&gradients.tensors) {
        check.tensor(&format!("grad.{parameter}"), gradient)?;
    }
    if let Some(guided) = &gradients.guided {
        for (((parameter, _), own), guide) in parameters.iter().zip(&guided.own).zip(&guided.guide) {
            check.tensor(&format!("grad_ce.{parameter}"), own)?;
            check.tensor(&format!("grad_kl.{parameter}"), guide)?;
        }
        check.tensor("conflict", &flags(&[opposed(&gradients)], run)?.squeeze(0)?)?;
    }
    Ok(())
}

/// Whether any parameter's gradient was projected.
fn opposed(gradients: &Gradients) -> bool {
    gradients.guided.as_ref().is_some_and(|guided| guided.opposed.contains(&true))
}

fn flags(flags: &[bool], run: &Run<'_>) -> candle_core::Result<Tensor> {
    let numbers: Vec<f32> = flags.iter().map(|flag| f32::from(u8::from(*flag))).collect();
    Tensor::new(numbers, run.pixels.device())
}

/// The start of a second stage: what its parameters begin as, and their loss and gradients.
fn check_second(
    run: &Run<'_>,
    parameters: &Parameters,
    step: usize,
    check: &mut Checker<'_>,
) -> Result<(), ParityError> {
    let all = run.images(None)?;
    check.tensor("second.logits", &run.logits(&parameters.values()?, &all)?)?;
    let gradients = run.gradients(parameters, None, step)?;
    check.tensor("second.loss", &Tensor::new(gradients.loss as f32, run.pixels.device())?)?;
    for ((parameter, var), gradient) in parameters.iter().zip(&gradients.tensors) {
        check.tensor(&format!("second.init.{parameter}"), var.as_tensor())?;
        check.tensor(&format!("second.grad.{parameter}"), gradient)?;
    }
    Ok(())
}

/// Logits among the trained classes and as many that were not: those of the first further wording.
fn check_unseen(
    run: &Run<'_>,
    texts: &ClassTexts,
    trained: &Named,
    all: &ImageBatch,
    check: &mut Checker<'_>,
) -> Result<(), ParityError> {
    let (Some(others), true) = (texts.others.first(), check.known(UNSEEN).is_some()) else { return Ok(()) };
    let prompts = texts.prompts.iter().chain(others).cloned().collect::<Vec<_>>();
    let head = run.method.bind(run.of.clip, &ClassTexts::of(&prompts))?;
    check.tensor(UNSEEN, &head.classifier(trained)?.logits(all)?)
}

/// The steps of a training, through its second stage if it has one; gives what was trained.
fn check_steps(
    run: &Run<'_>,
    recipe: &Recipe,
    mut parameters: Parameters,
    check: &mut Checker<'_>,
) -> Result<Named, ParityError> {
    let second = run.head.second_stage();
    let second = second.map(|second| (second, (second.first_share() * recipe.epochs as f64) as usize));
    let batches = run.of.fixture.input("batches")?.to_dtype(DType::U32)?;
    let (mut optimiser, mut losses, mut conflicts) = (Optimiser::new(recipe.rule()), Vec::new(), Vec::new());
    let mut average: Vec<Tensor> = Vec::new();
    for step in 0..recipe.epochs {
        if let Some((second, _)) = second.filter(|(_, begins)| *begins == step) {
            for (parameter, var) in parameters.iter() {
                check.tensor(&format!("final.{parameter}"), var.as_tensor())?;
            }
            parameters = second.start(&parameters.values()?)?;
            optimiser = Optimiser::new(recipe.rule());
            check_second(run, &parameters, step, check)?;
        }
        let rows = batches.get(step)?;
        let gradients = run.gradients(&parameters, Some(&rows), step)?;
        losses.push(gradients.loss as f32);
        conflicts.extend(gradients.guided.is_some().then(|| opposed(&gradients)));
        optimiser.step(&parameters, &gradients, recipe.learning_rate)?;
        if let Some(weight) = recipe.average_weight(1, step) {
            for (index, (_, var)) in parameters.iter().enumerate() {
                let share = (var.as_tensor().detach() * weight)?;
                match average.get_mut(index) {
                    Some(sum) => *sum = (&*sum + share)?,
                    None => average.push(share),
                }
            }
        }
    }
    check.tensor("step_losses", &Tensor::new(losses, run.pixels.device())?)?;
    if !conflicts.is_empty() {
        check.tensor("step_conflicts", &flags(&conflicts, run)?)?;
    }
    for (parameter, var) in parameters.iter() {
        check.tensor(&format!("final.{parameter}"), var.as_tensor())?;
    }
    if !average.is_empty() {
        let names = parameters.iter().map(|(name, _)| name.to_owned());
        let averaged = Named::new(names.zip(average));
        for (parameter, value) in averaged.iter() {
            check.tensor(&format!("gpa.{parameter}"), value)?;
        }
        check.tensor("gpa_logits", &run.logits(&averaged, &run.images(None)?)?)?;
    }
    Ok(parameters.values()?)
}

/// The fixture's initial values in place of drawn ones, which were PyTorch's. Values that two different streams give alike
/// are not random: ours are compared with the fixture's.
fn initial(run: &Run<'_>, texts: &ClassTexts, check: &mut Checker<'_>) -> Result<Parameters, ParityError> {
    let (of, shots) = (run.of, shots(run)?);
    let draw = |stream: &str| {
        let mut stream = Stream::new(&["parity", &of.case.name, stream]);
        run.method.init(of.clip, texts, shots.as_ref().map(|shots| shots as _), &mut stream)
    };
    let [drawn, again] = [draw("first")?, draw("second")?];
    let mut tensors = Vec::new();
    for ((name, var), (_, other)) in drawn.iter().zip(again.iter()) {
        let golden = format!("init.{name}");
        let known = check.known(&golden);
        let value = known.clone().unwrap_or_else(|| var.as_tensor().clone());
        if value.dims() != var.dims() {
            let reason = format!("{golden} has shape {:?}, the method needs {:?}", value.dims(), var.dims());
            return Err(ParityError::read(Path::new("expected.safetensors"), reason));
        }
        let full = format!("{}.{golden}", of.case.name);
        let changed = CHANGED.iter().any(|end| full.ends_with(end));
        if same(var.as_tensor(), other.as_tensor())? && !changed {
            check.if_known(&golden, var.as_tensor())?;
        } else {
            check.report.seen.insert(full);
        }
        tensors.push((name, value));
    }
    let fixed = drawn.fixed().iter().map(|(name, value)| (name, value.clone())).collect();
    Ok(Parameters::new(tensors)?.with_fixed(fixed))
}

fn same(a: &Tensor, b: &Tensor) -> candle_core::Result<bool> {
    let numbers = |t: &Tensor| t.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
    Ok(numbers(a)? == numbers(b)?)
}

/// The training images that the fixture has for methods that read them.
fn shots(run: &Run<'_>) -> Result<Option<FixedShots>, ParityError> {
    let inputs = &run.of.fixture.inputs;
    let (views, labels) = match (inputs.get("support_images"), inputs.get("support_labels")) {
        (Some(views), Some(labels)) => (views, labels.to_dtype(DType::U32)?),
        _ => match inputs.get("cache_images") {
            Some(views) => (views, run.labels.clone()),
            None => return Ok(None),
        },
    };
    let features = |view| -> candle_core::Result<Tensor> {
        Ok(run.of.clip.vision.encode(&views.get(view)?, false)?.features)
    };
    let views = (0..views.dim(0)?).map(features).collect::<candle_core::Result<_>>()?;
    Ok(Some(FixedShots { labels: labels.to_vec1()?, views }))
}

/// Compares tensors of one case.
struct Checker<'a> {
    report: &'a mut ParityReport,
    expected: &'a BTreeMap<String, Tensor>,
    case: &'a str,
}

impl Checker<'_> {
    fn known(&self, name: &str) -> Option<Tensor> {
        self.expected.get(&format!("{}.{name}", self.case)).cloned()
    }

    fn tensor(&mut self, name: &str, ours: &Tensor) -> Result<(), ParityError> {
        let name = format!("{}.{name}", self.case);
        Ok(self.report.tensor(&name, ours, self.expected.get(&name))?)
    }

    /// Compares where there is a golden value, and dumps nothing otherwise.
    fn if_known(&mut self, name: &str, ours: &Tensor) -> Result<(), ParityError> {
        if self.known(name).is_some() { self.tensor(name, ours) } else { Ok(()) }
    }
}
