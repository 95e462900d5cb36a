//! Where gradients go: to every trained tensor of every method, to no frozen weight, and never as NaN.
//!
//! candle's own matrix product leaves a gradient for whatever it multiplied, frozen or not. The store of
//! a backward pass is therefore searched for the shapes of frozen matrices too: a fused copy of a
//! weight has an identity of its own.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod common;
mod small;

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use rpo_bench::backbone::{Activation, Clip, ClipConfig, TowerConfig, Weights};
use rpo_bench::method::{
    ClassTexts, FixedShots, ImageBatch, Method, Parameters, REGISTRY, SettingsTable, find,
};
use rpo_bench::train::loss_and_gradients;
use rpo_bench::util::rng::Stream;

use common::{assert_close, class_prompts, normals, numbers, random_weights, tiny_config};

/// Every method with its default settings, and RPO without its mask. Two prompts suffice for RPO; CoCoOp's
/// network is as wide as the joint space, since one hidden unit may be dead and get no gradient.
fn methods() -> Vec<Box<dyn Method>> {
    let build = |id: &str, mask: bool| {
        let entry = find(id).unwrap();
        let mut own = SettingsTable::split(entry.default_table().unwrap()).own;
        for (key, value) in [
            ("k", toml::Value::Integer(2)),
            ("reduction", toml::Value::Integer(1)),
            ("mask", toml::Value::Boolean(mask)),
        ] {
            if let Some(slot) = own.get_mut(key) {
                *slot = value;
            }
        }
        (entry.build)(own).unwrap()
    };
    REGISTRY.iter().map(small::small_method).chain([build("rpo", false)]).collect()
}

struct Task {
    clip: Arc<Clip>,
    prompts: Vec<Vec<u32>>,
    images: ImageBatch,
    labels: Tensor,
}

impl Task {
    fn new(config: ClipConfig, weights: &Weights, stream: &mut Stream) -> Self {
        let prompts = class_prompts(&config, 3, stream);
        let side = config.image_size;
        let pixels = normals(&[3, 3, side, side], 1.0, DType::F32, stream);
        let clip = Arc::new(Clip::new(config, weights).unwrap());
        let frozen = clip.vision.encode(&pixels, true).unwrap();
        // Where weights are trained nothing can enter once for all.
        let entering = clip.vision.transformer().unwrap().entering(&pixels).ok();
        let labels = Tensor::new(&[0u32, 2, 1], &Device::Cpu).unwrap();
        Self {
            clip,
            prompts,
            images: ImageBatch { frozen: Some(frozen), entering, pixels: Some(pixels) },
            labels,
        }
    }

    fn loss(&self, method: &dyn Method, parameters: &Parameters) -> Tensor {
        let head = method.bind(&self.clip, &ClassTexts::of(&self.prompts)).unwrap();
        let classifier = head.classifier(&parameters.tracked()).unwrap();
        classifier.objective(&self.images, &self.labels).unwrap().loss
    }

    fn initial(&self, method: &dyn Method) -> Parameters {
        let shots = FixedShots::random(3, self.clip.config.projection_dim, &Device::Cpu).unwrap();
        let texts = ClassTexts::of(&self.prompts);
        let drawn = method.init(&self.clip, &texts, Some(&shots), &mut Stream::new(&["initial"])).unwrap();
        // Additions that start at zero would hide the gradient of what they are multiplied by.
        let mut stream = Stream::new(&["moved"]);
        let moved = drawn.iter().map(|(name, var)| {
            (name, (var.as_tensor() + normals(var.dims(), 0.05, DType::F32, &mut stream)).unwrap())
        });
        let moved = Parameters::new(moved.collect()).unwrap();
        moved.with_fixed(drawn.fixed().iter().map(|(name, value)| (name, value.clone())).collect())
    }
}

/// Sizes that no activation shares with a weight: a shape then tells what a gradient belongs to.
fn distinct_config() -> ClipConfig {
    let tower = |width, mlp_width| TowerConfig {
        width,
        layers: 2,
        heads: 2,
        mlp_width,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
    };
    ClipConfig {
        vision: tower(22, 46),
        text: tower(26, 58),
        image_size: 6,
        patch_size: 3,
        vocab_size: 40,
        context_length: 14,
        projection_dim: 34,
        resnet: None,
    }
}

/// Shapes of all frozen matrices, transposed and with keys and values fused as well.
fn matrix_shapes(weights: &Weights) -> Vec<Vec<usize>> {
    let matrices = weights.iter().filter(|(_, t)| t.rank() == 2).map(|(_, t)| (t.dims()[0], t.dims()[1]));
    matrices
        .flat_map(|(rows, cols)| [(rows, cols), (cols, rows), (2 * rows, cols), (cols, 2 * rows)])
        .map(|(rows, cols)| vec![rows, cols])
        .collect()
}

#[test]
fn trained_tensors_get_a_gradient_and_frozen_weights_none() {
    let mut stream = Stream::new(&["frozen"]);
    let weights = random_weights(&distinct_config(), DType::F32, &mut stream);
    let task = Task::new(distinct_config(), &weights, &mut stream);
    let shapes = matrix_shapes(&weights);
    for method in methods().iter().filter(|method| method.id() != "zero_shot") {
        let parameters = task.initial(method.as_ref());
        let mut store = task.loss(method.as_ref(), &parameters).backward().unwrap();
        for (name, weight) in weights.iter() {
            assert!(store.get(weight).is_none(), "{}: frozen {name} got a gradient", method.id());
        }
        for (name, var) in parameters.iter() {
            let gradient = store.remove(var).unwrap_or_else(|| panic!("{}: {name} got none", method.id()));
            assert_eq!(gradient.dims(), var.dims());
            assert!(numbers(&gradient).iter().any(|g| *g != 0.0), "{}: {name} got zeros", method.id());
        }
        let left: Vec<_> = store.get_ids().filter_map(|id| store.get_id(*id)).collect();
        for gradient in left {
            let dims = gradient.dims();
            assert!(!shapes.iter().any(|s| s == dims), "{}: a frozen matrix got {dims:?}", method.id());
        }
    }
}

/// The control: weights given as variables do get gradients, all of them, and the loss stays the same.
#[test]
fn control_weights_given_as_variables_get_gradients() {
    let mut stream = Stream::new(&["variables"]);
    let config = tiny_config(&mut stream);
    let frozen = random_weights(&config, DType::F32, &mut stream);
    let vars: BTreeMap<String, Var> =
        frozen.iter().map(|(name, t)| (name.to_owned(), Var::from_tensor(t).unwrap())).collect();
    let tensors = vars.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect();
    let zero_shot = (find("zero_shot").unwrap().build)(toml::Table::new()).unwrap();
    let loss = |weights: &Weights| {
        let task = Task::new(config.clone(), weights, &mut Stream::new(&["variables", "task"]));
        task.loss(zero_shot.as_ref(), &Parameters::default())
    };
    let trained = loss(&Weights::new("variables", tensors));
    assert_close("loss", &trained, &loss(&frozen), 1e-5);
    let store = trained.backward().unwrap();
    for (name, var) in &vars {
        assert!(store.get(var).is_some(), "{name} got no gradient");
    }
}

/// A parameter beyond the range of f32's squares: a number that is not finite must stop the step.
#[test]
fn parameters_that_are_not_finite_stop_the_step() {
    let mut stream = Stream::new(&["extreme"]);
    let mut config = tiny_config(&mut stream);
    // Deep prompts need a block to be overwritten before.
    for tower in [&mut config.vision, &mut config.text] {
        tower.layers = tower.layers.max(2);
    }
    let weights = random_weights(&config, DType::F32, &mut stream);
    let task = Task::new(config, &weights, &mut stream);
    for method in methods().iter().filter(|method| method.id() != "zero_shot") {
        let head = method.bind(&task.clip, &ClassTexts::of(&task.prompts)).unwrap();
        let names: Vec<String> = task.initial(method.as_ref()).iter().map(|(n, _)| n.to_owned()).collect();
        for name in &names {
            for value in [1e30, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
                let parameters = task.initial(method.as_ref());
                let (_, var) = parameters.iter().find(|(n, _)| n == name).unwrap();
                var.set(&Tensor::full(value, var.dims(), &Device::Cpu).unwrap()).unwrap();
                let what = format!("{} with {name} = {value}", method.id());
                match loss_and_gradients(head.as_ref(), &parameters, &task.images, &task.labels, (0, 0)) {
                    Err(_) => {}
                    Ok(step) => {
                        assert!(value.is_finite(), "{what}: trained on");
                        assert!(step.loss.is_finite(), "{what}: loss {}", step.loss);
                        let finite = |t: &Tensor| numbers(t).iter().all(|g| g.is_finite());
                        assert!(step.tensors.iter().all(finite), "{what}: a gradient is not finite");
                    }
                }
            }
        }
    }
}
