//! Random CLIP models of free shape, class prompts and numbers, all drawn from a seeded stream.
//!
//! Owns no property: every test file states its own. The weights are scaled so that activations stay near
//! one in every layer; with all-equal or vanishing weights many properties would hold for free.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use rpo_bench::backbone::{Activation, ClipConfig, TowerConfig, Weights, expected_tensors};
use rpo_bench::util::rng::Stream;

/// Words all class prompts share behind SOS: as many as CoOp's default context.
const SHARED_WORDS: usize = 4;
/// Longest class name, in tokens.
const LONGEST_NAME: u64 = 4;
/// Distinct values of a tensor: a prime, so a larger tensor repeats them without equal rows.
const DISTINCT: usize = 4_093;

fn tower(stream: &mut Stream, activation: Activation) -> TowerConfig {
    let heads = 2 + stream.below(2) as usize;
    let width = heads * (3 + stream.below(4) as usize);
    TowerConfig {
        width,
        layers: 1 + stream.below(3) as usize,
        heads,
        mlp_width: width + 1 + stream.below(20) as usize,
        activation,
        layer_norm_eps: 1e-5,
    }
}

/// A model of some numbers of parameters, with at least two heads a tower and room for class prompts
/// and four readers.
pub fn tiny_config(stream: &mut Stream) -> ClipConfig {
    let activation = if stream.chance(0.5) { Activation::QuickGelu } else { Activation::Gelu };
    let patch_size = 2 + stream.below(3) as usize;
    ClipConfig {
        vision: tower(stream, activation),
        text: tower(stream, activation),
        image_size: patch_size * (1 + stream.below(3) as usize),
        patch_size,
        vocab_size: 40,
        context_length: SHARED_WORDS + LONGEST_NAME as usize + 6,
        projection_dim: 5 + stream.below(8) as usize,
        resnet: None,
    }
}

/// Standard normal numbers times `scale`.
pub fn normals(shape: &[usize], scale: f64, dtype: DType, stream: &mut Stream) -> Tensor {
    let count: usize = shape.iter().product();
    let table: Vec<f64> = (0..count.min(DISTINCT)).map(|_| scale * stream.normal()).collect();
    let values: Vec<f64> = table.into_iter().cycle().take(count).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

/// Weights of this configuration.
pub fn random_weights(config: &ClipConfig, dtype: DType, stream: &mut Stream) -> Weights {
    let mut tensors = BTreeMap::new();
    for (name, shape) in expected_tensors(config) {
        let inputs: usize = shape.iter().skip(1).product();
        let tensor = match name.as_str() {
            "logit_scale" => (normals(&shape, 0.1, dtype, stream) + 1.5).unwrap(),
            n if n.contains("norm") && n.ends_with("weight") => {
                (normals(&shape, 0.2, dtype, stream) + 1.0).unwrap()
            }
            n if n.ends_with("bias") => normals(&shape, 0.2, dtype, stream),
            n if n.contains("position") || n.contains("token") || n.contains("class") => {
                normals(&shape, 0.7, dtype, stream)
            }
            _ => normals(&shape, (inputs as f64).powf(-0.5), dtype, stream),
        };
        tensors.insert(name, tensor);
    }
    Weights::new("random weights", tensors)
}

/// Prompts `[SOS, 4 shared words, name, EOS]` of differing length. As in CLIP's vocabulary EOS is the
/// highest id and SOS the one below.
pub fn class_prompts(config: &ClipConfig, classes: usize, stream: &mut Stream) -> Vec<Vec<u32>> {
    let (sos, eos) = (config.vocab_size as u32 - 2, config.vocab_size as u32 - 1);
    let mut word = || stream.below(u64::from(sos)) as u32;
    let shared: Vec<u32> = (0..SHARED_WORDS).map(|_| word()).collect();
    (0..classes)
        .map(|class| {
            // The class's own index comes first, so that no two prompts are equal.
            let name = (0..u64::from(word()) % LONGEST_NAME).map(|_| word()).collect::<Vec<_>>();
            [&[sos], shared.as_slice(), &[class as u32], &name, &[eos]].concat()
        })
        .collect()
}

/// All numbers of a tensor; f32 is widened exactly.
pub fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Fails unless both have one shape and differ by at most `relative` · max(1, largest expected magnitude).
pub fn assert_close(what: &str, ours: &Tensor, expected: &Tensor, relative: f64) {
    assert_eq!(ours.dims(), expected.dims(), "{what}");
    let expected = numbers(expected);
    let allowed = relative * expected.iter().fold(1.0, |acc: f64, x| acc.max(x.abs()));
    for (i, (a, b)) in numbers(ours).into_iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= allowed, "{what}: element {i} is {a}, expected {b} ± {allowed:e}");
    }
}
