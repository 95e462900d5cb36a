//! One method of a fixture: logits, loss, gradients, five steps, final parameters and logits.

use std::sync::Arc;

use candle_core::{DType, Tensor};

use super::check::{ParityError, ParityReport};
use super::model::Fixture;
use crate::backbone::Clip;
use crate::backbone::nn::cross_entropy;
use crate::method::{Entry, Head, ImageBatch, ImageNeed, Named, Parameters, SettingsTable};
use crate::train::{Sgd, loss_and_gradients};
use crate::util::rng::Stream;

/// What a method is checked with.
pub(super) struct MethodCase<'a> {
    pub entry: &'a Entry,
    pub clip: &'a Arc<Clip>,
    pub fixture: &'a Fixture,
}

impl MethodCase<'_> {
    /// The method's own defaults, with the fixture's sizes.
    fn table(&self) -> Result<toml::Table, ParityError> {
        let mut table = SettingsTable::split(self.entry.default_table()?).own;
        let settings = &self.fixture.settings;
        for (key, value) in [("k", settings.k), ("context_tokens", settings.n_ctx)] {
            if let Some(slot) = table.get_mut(key) {
                *slot = toml::Value::Integer(value as i64);
            }
        }
        Ok(table)
    }

    fn images(&self, need: ImageNeed, pixels: &Tensor) -> Result<ImageBatch, ParityError> {
        Ok(ImageBatch {
            frozen: self.clip.vision.encode(pixels, need >= ImageNeed::Tokens)?,
            pixels: (need == ImageNeed::Pixels).then(|| pixels.clone()),
        })
    }

    /// Replaces every initial value by the fixture's: its random draws are PyTorch's.
    fn initial(&self, drawn: &Parameters) -> Result<Parameters, ParityError> {
        let mut tensors = Vec::new();
        for (name, var) in drawn.iter() {
            let golden = format!("{}.init.{name}", self.entry.id);
            let value = self.fixture.expected.get(&golden).unwrap_or(var.as_tensor());
            if value.dims() != var.dims() {
                let reason =
                    format!("{golden} has shape {:?}, the method needs {:?}", value.dims(), var.dims());
                return Err(ParityError::read(std::path::Path::new("expected.safetensors"), reason));
            }
            tensors.push((name, value.clone()));
        }
        Ok(Parameters::new(tensors)?)
    }
}

fn logits(head: &dyn Head, parameters: &Named, images: &ImageBatch) -> Result<Tensor, ParityError> {
    Ok(head.classifier(parameters)?.logits(images)?)
}

pub(super) fn check_method(case: &MethodCase<'_>, report: &mut ParityReport) -> Result<(), ParityError> {
    let (fixture, id) = (case.fixture, case.entry.id);
    let mut check = |name: String, ours: &Tensor| report.tensor(&name, ours, fixture.expected.get(&name));
    let method = (case.entry.build)(case.table()?)?;
    let drawn = method.init(case.clip, &fixture.prompts, &mut Stream::new(&["parity", id]))?;
    let parameters = case.initial(&drawn)?;
    let head = method.bind(case.clip, &fixture.prompts)?;
    let pixels = fixture.input("images")?;
    let all = case.images(method.needs(), pixels)?;
    let labels = fixture.input("labels")?.to_dtype(DType::U32)?;

    let first = logits(head.as_ref(), &parameters.values()?, &all)?;
    check(format!("{id}.logits"), &first)?;
    if parameters.is_empty() {
        return Ok(());
    }
    check(format!("{id}.loss"), &cross_entropy(&first, &labels)?)?;
    // What two streams draw alike is derived, not drawn, and must be the golden value. Random values are taken from the
    // fixture, so there is nothing to hold them against.
    let other = method.init(case.clip, &fixture.prompts, &mut Stream::new(&["parity", id, "again"]))?;
    for ((name, ours), (_, again)) in drawn.iter().zip(other.iter()) {
        let flat = |tensor: &Tensor| tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
        if flat(ours.as_tensor())? == flat(again.as_tensor())? {
            check(format!("{id}.init.{name}"), ours.as_tensor())?;
        }
    }
    let gradients = loss_and_gradients(head.as_ref(), &parameters, &all, &labels, (0, 0))?;
    for ((name, _), gradient) in parameters.iter().zip(&gradients.tensors) {
        check(format!("{id}.grad.{name}"), gradient)?;
    }

    let batches = fixture.input("batches")?.to_dtype(DType::U32)?;
    let (mut sgd, mut losses) = (Sgd::default(), Vec::new());
    for step in 0..fixture.settings.steps {
        let rows = batches.get(step)?;
        let images = case.images(method.needs(), &pixels.index_select(&rows, 0)?)?;
        let batch_labels = labels.index_select(&rows, 0)?;
        let gradients = loss_and_gradients(head.as_ref(), &parameters, &images, &batch_labels, (0, step))?;
        losses.push(gradients.loss as f32);
        sgd.step(&parameters, &gradients, fixture.settings.learning_rate)?;
    }
    check(format!("{id}.step_losses"), &Tensor::new(losses, pixels.device())?)?;
    for (name, var) in parameters.iter() {
        check(format!("{id}.final.{name}"), var.as_tensor())?;
    }
    check(format!("{id}.final_logits"), &logits(head.as_ref(), &parameters.values()?, &all)?)?;
    Ok(())
}
