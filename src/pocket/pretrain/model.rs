//! Shape and initial weights of the pocket CLIP.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};

use crate::backbone::{Activation, ClipConfig, TowerConfig, expected_tensors};
use crate::util::rng::Stream;

/// The pocket CLIP: 48 px, patch 8; vision 96 × 4, text 96 × 3, joint 96. About a million weights.
pub fn pocket_config(vocab_size: usize) -> ClipConfig {
    let tower = |layers| TowerConfig {
        width: 96,
        layers,
        heads: 3,
        mlp_width: 384,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
    };
    ClipConfig {
        vision: tower(4),
        text: tower(3),
        image_size: 48,
        patch_size: 8,
        vocab_size,
        context_length: 77,
        projection_dim: 96,
        resnet: None,
    }
}

/// ln(1/0.07), CLIP's initial logit scale.
const INITIAL_LOGIT_SCALE: f64 = 2.6592;

/// Draws every weight as CLIP's own initialisation does (normal, by fan-in and depth).
pub(super) fn initial(config: &ClipConfig, seed: u64) -> candle_core::Result<BTreeMap<String, Var>> {
    let seed = seed.to_string();
    let mut vars = BTreeMap::new();
    for (name, shape) in expected_tensors(config) {
        let (mean, std) = moments(config, &name, &shape);
        let mut stream = Stream::new(&["pretrain", "init", &seed, &name]);
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| (mean + std * stream.normal()) as f32).collect();
        vars.insert(name, Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu)?)?);
    }
    Ok(vars)
}

/// Mean and standard deviation of one weight's initial values.
fn moments(config: &ClipConfig, name: &str, shape: &[usize]) -> (f64, f64) {
    let tower = if name.starts_with("vision") { &config.vision } else { &config.text };
    let width = tower.width as f64;
    let depth = (2.0 * tower.layers as f64).powf(-0.5);
    let inputs: f64 = shape.iter().skip(1).product::<usize>() as f64;
    match name {
        "logit_scale" => (INITIAL_LOGIT_SCALE, 0.0),
        n if n.contains("layer_norm") || n.contains("layernorm") || n.contains("layrnorm") => {
            (if n.ends_with("weight") { 1.0 } else { 0.0 }, 0.0)
        }
        n if n.ends_with("bias") => (0.0, 0.0),
        n if n.contains("position_embedding") => (0.0, 0.01),
        n if n.contains("token_embedding") => (0.0, 0.02),
        n if n.contains("class_embedding") => (0.0, width.powf(-0.5)),
        n if n.contains("out_proj") || n.contains("fc2") => (0.0, inputs.powf(-0.5) * depth),
        _ => (0.0, inputs.powf(-0.5)),
    }
}
