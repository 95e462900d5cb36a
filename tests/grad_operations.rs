//! Finite differences against every backward we own, and against every method's whole gradient.
//!
//! All in f64, where a central difference with step 1e-5 is good to about 1e-9: a wrong formula cannot
//! hide in rounding. What is compared is ∂/∂x Σ w·f(x) with random weights w, element by element.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]
#![expect(clippy::single_range_in_vec_init, reason = "a plan's keys are a list of ranges")]

mod common;
mod small;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use rpo_bench::backbone::nn::{
    Attend, AttentionPlan, Group, LayerNorm, Linear, SelfKeys, activate, attend, cross_entropy, l2_normalise,
    softmax,
};
use rpo_bench::backbone::{Activation, Clip};
use rpo_bench::method::{
    ClassTexts, FixedShots, Head, ImageBatch, Method, MethodError, Named, Parameters, REGISTRY,
    SettingsTable, find,
};
use rpo_bench::train::loss_and_gradients;
use rpo_bench::util::rng::Stream;

use common::{assert_close, class_prompts, normals, numbers, random_weights, tiny_config};

/// Step of the central differences.
const STEP: f64 = 1e-5;

fn random(shape: &[usize], stream: &mut Stream) -> Tensor {
    normals(shape, 1.0, DType::F64, stream)
}

/// `tensor` with `change` added to its element `index`.
fn nudged(tensor: &Tensor, index: usize, change: f64) -> Tensor {
    let mut values = numbers(tensor);
    values[index] += change;
    Tensor::from_vec(values, tensor.dims(), &Device::Cpu).unwrap()
}

/// Compares the gradient of every input of `f` with finite differences, element by element.
fn check(what: &str, inputs: &[Tensor], f: impl Fn(&[Tensor]) -> candle_core::Result<Tensor>) {
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(t).unwrap()).collect();
    let tracked: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let out = f(&tracked).unwrap();
    let weights = random(out.dims(), &mut Stream::new(&["cotangent", what]));
    let value = |out: Tensor| (out * &weights).unwrap().sum_all().unwrap();
    let store = value(out).backward().unwrap();
    for (i, input) in inputs.iter().enumerate() {
        let at = |index, change| {
            let mut moved = inputs.to_vec();
            moved[i] = nudged(input, index, change);
            numbers(&value(f(&moved).unwrap()))[0]
        };
        let slopes = (0..input.elem_count()).map(|j| (at(j, STEP) - at(j, -STEP)) / (2.0 * STEP));
        let expected =
            Tensor::from_iter(slopes, &Device::Cpu).unwrap().reshape(input.dims().to_vec()).unwrap();
        let ours = store.get(&vars[i]).unwrap_or_else(|| panic!("{what}: input {i} got no gradient"));
        assert_close(&format!("{what}, gradient of input {i}"), ours, &expected, 1e-8);
    }
}

#[test]
#[should_panic(expected = "gradient of input 0")]
fn a_dropped_part_of_a_gradient_is_found() {
    let x = random(&[3, 4], &mut Stream::new(&["dropped"]));
    check("x·detach(x)", &[x], |t| &t[0] * t[0].detach());
}

#[test]
fn linear() {
    let mut stream = Stream::new(&["linear"]);
    let (x, w, b) = (random(&[5, 4], &mut stream), random(&[3, 4], &mut stream), random(&[3], &mut stream));
    check("frozen linear", std::slice::from_ref(&x), |t| {
        Linear::new(w.clone(), Some(b.clone())).forward(&t[0])
    });
    check("frozen linear without bias", std::slice::from_ref(&x), |t| {
        Linear::new(w.clone(), None).forward(&t[0])
    });
    check("trained linear", &[x, w, b], |t| Linear::new(t[1].clone(), Some(t[2].clone())).forward(&t[0]));
}

#[test]
fn layer_norm() {
    let mut stream = Stream::new(&["layer_norm"]);
    // 19 columns: the fixed-lane sums have a full chunk of 16 and a tail.
    let (x, gamma, beta) =
        (random(&[4, 19], &mut stream), random(&[19], &mut stream), random(&[19], &mut stream));
    check("layer norm", &[x, gamma, beta], |t| {
        LayerNorm::new(t[1].clone(), t[2].clone(), 1e-5).forward(&t[0])
    });
}

#[test]
fn layer_norm_of_a_nearly_constant_row() {
    let mut stream = Stream::new(&["layer_norm_constant"]);
    // ε dominates the variance here, so its place in the formula matters.
    let x = (random(&[3, 7], &mut stream) * 1e-3).unwrap();
    let (gamma, beta) = (random(&[7], &mut stream), random(&[7], &mut stream));
    check("layer norm", &[x], |t| LayerNorm::new(gamma.clone(), beta.clone(), 1e-2).forward(&t[0]));
}

#[test]
fn activations() {
    let x = (random(&[6, 9], &mut Stream::new(&["activate"])) * 3.0).unwrap();
    for kind in [Activation::QuickGelu, Activation::Gelu] {
        check(&format!("{kind:?}"), std::slice::from_ref(&x), |t| activate(&t[0], kind));
    }
}

#[test]
fn masked_softmax() {
    let x = random(&[2, 3, 18], &mut Stream::new(&["softmax"]));
    let mask: Vec<f64> = (0..18).map(|i| if i % 5 == 0 { f64::NEG_INFINITY } else { 0.0 }).collect();
    let mask = Tensor::new(mask, &Device::Cpu).unwrap();
    check("softmax", &[x], |t| softmax(&t[0].broadcast_add(&mask)?));
}

#[test]
fn attention() {
    let mut stream = Stream::new(&["attention"]);
    let group = |queries, cached, own, order| Group { queries, cached, own, order };
    let (q, own, cached) =
        (random(&[9, 6], &mut stream), random(&[9, 12], &mut stream), random(&[5, 12], &mut stream));
    let mixed = AttentionPlan::new(vec![
        group(0..3, vec![], vec![0..3], SelfKeys::Causal),
        group(3..5, vec![1..4], vec![0..3, 3..5], SelfKeys::Causal),
        group(5..9, vec![0..2], vec![5..9], SelfKeys::Full),
    ]);
    let call =
        |plan: &Arc<AttentionPlan>| Attend { plan: plan.clone(), heads: 2, cached: Some(cached.clone()) };
    let plan = Arc::new(mixed.unwrap());
    check("attention to own and cached rows", &[q.clone(), own.clone()], |t| {
        attend(&t[0], Some(&t[1]), call(&plan))
    });
    let read = Arc::new(plan.reading(&[1, 4, 6, 8]).unwrap());
    check("attention of the rows that are read", &[random(&[4, 6], &mut stream), own], |t| {
        attend(&t[0], Some(&t[1]), call(&read))
    });
    let readers =
        Arc::new(AttentionPlan::readers(3, 1, &[vec![0..5], vec![0..1, 3..5], vec![2..4]]).unwrap());
    check("readers", &[q], |t| attend(&t[0], None, call(&readers)));
}

#[test]
fn loss_and_unit_length() {
    let mut stream = Stream::new(&["loss"]);
    let logits = (random(&[4, 5], &mut stream) * 4.0).unwrap();
    let labels = Tensor::new(&[0u32, 4, 2, 2], &Device::Cpu).unwrap();
    check("cross-entropy", &[logits], |t| cross_entropy(&t[0], &labels));
    check("l2", &[random(&[2, 3, 5], &mut stream)], |t| l2_normalise(&t[0]));
}

/// A method bound to a random model in f64, with parameters off their initial values.
struct Case {
    head: Box<dyn Head>,
    parameters: Parameters,
    images: ImageBatch,
    labels: Tensor,
}

impl Case {
    fn new(method: &dyn Method, seed: &str) -> Result<Self, MethodError> {
        let mut stream = Stream::new(&["method", method.id(), seed]);
        let mut config = tiny_config(&mut stream);
        // Deep prompts need a block to be overwritten before.
        for tower in [&mut config.vision, &mut config.text] {
            tower.layers = tower.layers.max(2);
        }
        let weights = random_weights(&config, DType::F64, &mut stream);
        let prompts = class_prompts(&config, 3, &mut stream);
        let side = config.image_size;
        let pixels = random(&[2, 3, side, side], &mut stream);
        let clip = Arc::new(Clip::new(config, &weights).unwrap());
        let shots = FixedShots::random(3, clip.config.projection_dim, &Device::Cpu)?;
        let initial = method.init(&clip, &ClassTexts::of(&prompts), Some(&shots), &mut stream)?;
        let fixed: Vec<(&str, Tensor)> =
            initial.fixed().iter().map(|(name, value)| (name, value.clone())).collect();
        let moved = initial
            .iter()
            .map(|(name, var)| {
                Ok((name, (var.as_tensor() + normals(var.dims(), 0.1, DType::F64, &mut stream))?))
            })
            .collect::<Result<_, MethodError>>()?;
        let frozen = clip.vision.encode(&pixels, true)?;
        let entering = clip.vision.transformer()?.entering(&pixels)?;
        Ok(Self {
            head: method.bind(&clip, &ClassTexts::of(&prompts))?,
            parameters: Parameters::new(moved)?.with_fixed(fixed),
            images: ImageBatch { frozen: Some(frozen), entering: Some(entering), pixels: Some(pixels) },
            labels: Tensor::new(&[1u32, 2], &Device::Cpu)?,
        })
    }

    /// The loss with `step` · `direction` added to one parameter.
    fn loss(&self, name: &str, direction: &Tensor, step: f64) -> Result<f64, MethodError> {
        let values = self.parameters.values()?;
        let moved = values.iter().map(|(n, t)| {
            let t = if n == name { (t + (direction * step)?)? } else { t.clone() };
            Ok((n.to_owned(), t))
        });
        let moved = Named::new(moved.collect::<Result<Vec<_>, MethodError>>()?);
        let objective = self.head.classifier(&moved)?.objective(&self.images, &self.labels)?;
        Ok(objective.loss.to_scalar::<f64>()?)
    }
}

fn unit(tensor: &Tensor) -> Tensor {
    (tensor / numbers(tensor).iter().map(|x| x * x).sum::<f64>().sqrt()).unwrap()
}

/// Slopes along the gradient itself and along random directions, relative 1e-6.
fn check_method(method: &dyn Method, seed: &str) {
    let case = Case::new(method, seed).unwrap();
    let gradients =
        loss_and_gradients(case.head.as_ref(), &case.parameters, &case.images, &case.labels, (0, 0)).unwrap();
    let mut stream = Stream::new(&["directions", method.id(), seed]);
    // What a guide takes away is no slope of the loss.
    let own = gradients.guided.as_ref().map_or(&gradients.tensors, |guided| &guided.own);
    for ((name, _), gradient) in case.parameters.iter().zip(own) {
        let size = numbers(gradient).iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!(size > 1e-6, "{} {name}: the gradient vanishes ({size:e}), nothing is tested", method.id());
        let mut directions = vec![unit(gradient)];
        directions.extend((0..3).map(|_| unit(&random(gradient.dims(), &mut stream))));
        for direction in directions {
            let at = |step| case.loss(name, &direction, step).unwrap();
            let slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
            let ours: f64 = numbers(gradient).iter().zip(numbers(&direction)).map(|(g, d)| g * d).sum();
            // The loss carries rounding of about 1e-15: 1e-10 after division by the step.
            let allowed = 1e-6 * size + 1e-9;
            assert!(
                (ours - slope).abs() <= allowed,
                "{} seed {seed}, {name}: slope {slope:e}, gradient gives {ours:e}, size {size:e}",
                method.id()
            );
        }
    }
}

fn settings(id: &str, changes: &[(&str, toml::Value)]) -> Box<dyn Method> {
    let entry = find(id).unwrap();
    let mut own = SettingsTable::split(entry.default_table().unwrap()).own;
    for (key, value) in changes {
        *own.get_mut(*key).unwrap() = value.clone();
    }
    (entry.build)(own).unwrap()
}

#[test]
fn every_method() {
    let mut trained = 0;
    for entry in REGISTRY {
        // A method without a recipe has nothing that the loop trains.
        if SettingsTable::split(entry.default_table().unwrap()).recipe.is_empty() {
            continue;
        }
        let method = small::small_method(entry);
        for seed in ["a", "b", "c"] {
            check_method(method.as_ref(), seed);
        }
        trained += 1;
    }
    assert!(trained >= 18, "{trained}");
}

#[test]
fn rpo_without_its_mask() {
    let changes = [("k", toml::Value::Integer(2)), ("mask", toml::Value::Boolean(false))];
    check_method(settings("rpo", &changes).as_ref(), "a");
}

#[test]
fn linear_probe_with_unit_features() {
    check_method(settings("linear_probe", &[("normalise", toml::Value::Boolean(true))]).as_ref(), "a");
}
