//! Random initial values, from a stream and never from a device.

use candle_core::{Device, Result, Tensor};

use crate::util::rng::Stream;

/// Standard deviation of random prompts in the published code.
pub const PROMPT_STD: f64 = 0.02;

/// Numbers uniform in ±`bound`.
pub fn uniform(shape: &[usize], bound: f64, stream: &mut Stream, device: &Device) -> Result<Tensor> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| stream.uniform_in(-bound, bound) as f32).collect();
    Tensor::from_vec(values, shape, device)
}

/// Normal numbers of this spread.
pub fn normal(shape: &[usize], std: f64, stream: &mut Stream, device: &Device) -> Result<Tensor> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| (std * stream.normal()) as f32).collect();
    Tensor::from_vec(values, shape, device)
}

/// PyTorch's default of a linear layer with these inputs: ±1/√inputs.
pub fn linear_bound(inputs: usize) -> f64 {
    (inputs as f64).powf(-0.5)
}

/// PyTorch's Linear default: weight `[outputs, inputs]` and bias `[outputs]`, uniform in ±1/√inputs.
pub fn linear(outputs: usize, inputs: usize, stream: &mut Stream, device: &Device) -> Result<[Tensor; 2]> {
    let bound = linear_bound(inputs);
    let weight = uniform(&[outputs, inputs], bound, stream, device)?;
    Ok([weight, uniform(&[outputs], bound, stream, device)?])
}
