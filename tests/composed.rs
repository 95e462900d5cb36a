//! What only a GPU runs, run on the CPU: every method's step composed of candle's operations against our kernels.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;
mod small;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use rpo_bench::backbone::nn::{self, LayerNorm, Linear, composed, operations};
use rpo_bench::backbone::{Activation, Clip, ClipConfig, Weights};
use rpo_bench::method::{ClassTexts, FixedShots, Method, Needs, REGISTRY};
use rpo_bench::train::{frozen_pass, loss_and_gradients};
use rpo_bench::util::rng::Stream;

use common::{assert_close, class_prompts, normals, numbers, random_weights, tiny_config};

/// A configuration with this activation and enough blocks for deep prompts.
fn config(activation: Activation) -> ClipConfig {
    let mut config = tiny_config(&mut Stream::new(&["composed"]));
    for tower in [&mut config.vision, &mut config.text] {
        tower.layers = 3;
        tower.activation = activation;
    }
    config
}

/// Gradients and logits of one step, one after another; prompts of unequal lengths, three images.
fn step(method: &dyn Method, clip: &Arc<Clip>, dtype: DType, labels: [u32; 3]) -> Tensor {
    let mut stream = Stream::new(&["composed", "step"]);
    let (side, config) = (clip.config.image_size, &clip.config);
    let prompts = ClassTexts::of(&class_prompts(config, 5, &mut stream));
    let pixels = normals(&[3, 3, side, side], 1.0, dtype, &mut stream);
    let shots = FixedShots::random(5, config.projection_dim, &Device::Cpu).unwrap();
    let parameters = method.init(clip, &prompts, Some(&shots), &mut stream).unwrap();
    // Away from where a method's gradient against a guide is noise about zero.
    for (_, var) in parameters.iter() {
        let noise = normals(var.dims(), 0.05, dtype, &mut stream);
        var.set(&(var.as_tensor() + noise).unwrap()).unwrap();
    }
    let images =
        frozen_pass(clip, pixels, Needs { pooled: true, tokens: true, entering: true, pixels: true })
            .unwrap();
    let labels = Tensor::new(&labels, &Device::Cpu).unwrap();
    let head = method.bind(clip, &prompts).unwrap();
    let step = loss_and_gradients(head.as_ref(), &parameters, &images, &labels, (0, 0)).unwrap();
    let logits = head.classifier(&parameters.values().unwrap()).unwrap().logits(&images).unwrap();
    let all: Vec<f64> = step.tensors.iter().chain([&logits]).flat_map(numbers).collect();
    Tensor::from_vec(all.clone(), all.len(), &Device::Cpu).unwrap()
}

fn clip(config: ClipConfig, dtype: DType, max_rows: usize) -> Arc<Clip> {
    let weights: Weights = random_weights(&config, dtype, &mut Stream::new(&["composed", "weights"]));
    Arc::new(Clip::new(config, &weights).unwrap().with_max_rows(max_rows))
}

/// Every method that trains: values and gradients of both ways agree, whole and in chunks. The control: other labels
/// are another step.
#[test]
fn every_method_computes_the_same_both_ways() {
    for activation in [Activation::QuickGelu, Activation::Gelu] {
        let model = clip(config(activation), DType::F32, usize::MAX);
        for entry in REGISTRY.iter().filter(|entry| entry.id != "zero_shot") {
            let method = small::small_method(entry);
            let Ok(_) = method.init(
                &model,
                &ClassTexts::of(&class_prompts(&model.config, 2, &mut Stream::new(&["probe"]))),
                Some(&FixedShots::random(2, model.config.projection_dim, &Device::Cpu).unwrap()),
                &mut Stream::new(&["probe"]),
            ) else {
                continue;
            };
            let expected = step(method.as_ref(), &model, DType::F32, [4, 1, 0]);
            let before = operations();
            let ours = composed(|| step(method.as_ref(), &model, DType::F32, [4, 1, 0]));
            assert!(operations().launches > before.launches, "{}: nothing was composed", entry.id);
            assert_close(entry.id, &ours, &expected, 2e-4);
            let chunks = model.as_ref().clone().with_max_rows(7);
            let ours = composed(|| step(method.as_ref(), &Arc::new(chunks), DType::F32, [4, 1, 0]));
            assert_close(&format!("{} in chunks", entry.id), &ours, &expected, 2e-4);
        }
    }
    let model = clip(config(Activation::QuickGelu), DType::F32, usize::MAX);
    let method = small::small_method(rpo_bench::method::find("rpo").unwrap());
    let [a, b] =
        [[4, 1, 0], [4, 1, 2]].map(|labels| numbers(&step(method.as_ref(), &model, DType::F32, labels)));
    assert!(a.iter().zip(&b).any(|(a, b)| (a - b).abs() > 1e-2));
}

/// In f64 the two ways agree to rounding, so no term is missing that f32 would hide.
#[test]
fn prompts_agree_in_double_precision() {
    for id in ["rpo", "coop", "cocoop"] {
        let method = small::small_method(rpo_bench::method::find(id).unwrap());
        let model = clip(config(Activation::QuickGelu), DType::F64, usize::MAX);
        let expected = step(method.as_ref(), &model, DType::F64, [4, 1, 0]);
        let ours = composed(|| step(method.as_ref(), &model, DType::F64, [4, 1, 0]));
        assert_close(id, &ours, &expected, 1e-9);
    }
}

/// The operations that changed and trained blocks are made of: values and gradients, f32 and f64.
#[test]
fn single_operations_agree_both_ways() {
    for (dtype, tolerance) in [(DType::F32, 2e-5), (DType::F64, 1e-6)] {
        let mut stream = Stream::new(&["composed", "operations"]);
        let x = normals(&[6, 10], 1.0, dtype, &mut stream);
        let cotangent = normals(&[6, 10], 1.0, dtype, &mut stream);
        let [gamma, beta] = [0, 1].map(|_| normals(&[10], 1.0, dtype, &mut stream));
        let norm = LayerNorm::new(gamma, beta.clone(), 1e-5);
        let linear = Linear::new(normals(&[10, 10], 0.3, dtype, &mut stream), Some(beta));
        type Operation<'a> = (&'a str, Box<dyn Fn(&Tensor) -> candle_core::Result<Tensor> + 'a>);
        let all: [Operation<'_>; 5] = [
            ("layer norm", Box::new(|x| norm.forward(x))),
            ("linear", Box::new(|x| linear.forward(x))),
            ("quick-GELU", Box::new(|x| nn::activate(x, Activation::QuickGelu))),
            ("GELU", Box::new(|x| nn::activate(x, Activation::Gelu))),
            ("softmax", Box::new(nn::softmax)),
        ];
        let both = |f: &dyn Fn(&Tensor) -> candle_core::Result<Tensor>| {
            let var = Var::from_tensor(&x).unwrap();
            let y = f(&var).unwrap();
            let loss = (&y * &cotangent).unwrap().sum_all().unwrap();
            let gradient = loss.backward().unwrap().remove(var.as_tensor()).unwrap();
            Tensor::cat(&[&y.detach(), &gradient], 0).unwrap()
        };
        let results: Vec<Tensor> = all.iter().map(|(_, f)| both(f)).collect();
        for ((name, f), expected) in all.iter().zip(&results) {
            assert_close(name, &composed(|| both(f)), expected, tolerance);
        }
        let far = (&results[2] - &results[3]).unwrap().abs().unwrap().max_all().unwrap();
        assert!(numbers(&far)[0] > 1e-3, "the control: two activations differ");
    }
}

/// A step makes a bounded number of gradients: one for each operation of the head, none inside a frozen tower. The
/// control: a tower that is itself trained holds many times as many.
#[test]
fn no_gradient_is_formed_inside_a_frozen_tower() {
    let gradients = |trained: bool| {
        let config = config(Activation::QuickGelu);
        let mut stream = Stream::new(&["composed", "gradients"]);
        let weights = random_weights(&config, DType::F32, &mut stream);
        let vars: Vec<(String, Var)> =
            weights.iter().map(|(name, t)| (name.to_owned(), Var::from_tensor(t).unwrap())).collect();
        let tensor = |(name, var): &(String, Var)| {
            (name.clone(), if trained { var.as_tensor().clone() } else { var.as_tensor().detach() })
        };
        let weights = Weights::new("weights", vars.iter().map(tensor).collect());
        let side = config.image_size;
        let prompts = class_prompts(&config, 5, &mut stream);
        let clip = Arc::new(Clip::new(config, &weights).unwrap());
        let method = small::small_method(rpo_bench::method::find("coop").unwrap());
        let texts = ClassTexts::of(&prompts);
        let parameters = method.init(&clip, &texts, None, &mut stream).unwrap();
        let pixels = normals(&[2, 3, side, side], 1.0, DType::F32, &mut stream);
        let images = frozen_pass(&clip, pixels, Needs::POOLED).unwrap();
        let head = method.bind(&clip, &texts).unwrap();
        let labels = Tensor::new(&[4u32, 1], &Device::Cpu).unwrap();
        let classifier = head.classifier(&parameters.tracked()).unwrap();
        let store = classifier.objective(&images, &labels).unwrap().loss.backward().unwrap();
        store.get_ids().count()
    };
    let (frozen, trained) = composed(|| (gradients(false), gradients(true)));
    assert!(frozen < 60 && trained > 4 * frozen, "{frozen} gradients, {trained} with trained weights");
}
