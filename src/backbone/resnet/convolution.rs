//! A convolution without bias and the batch normalisation behind it, as one convolution with bias.

use candle_core::{Result, Tensor};

use crate::backbone::files::weights::{Weights, WeightsError};
use crate::backbone::nn::multiplied;

/// ε of every batch normalisation.
const EPS: f64 = 1e-5;

/// y = w·x + b: (conv(x) − mean) / √(var + ε) · γ + β with the factors multiplied into the weights.
#[derive(Clone, Debug)]
pub(super) struct Convolution {
    /// `[out, in, side, side]`.
    weight: Tensor,
    /// `[1, out, 1, 1]`.
    bias: Tensor,
}

impl Convolution {
    /// Reads `convolution.weight` of this shape and the four tensors of `norm`.
    pub fn load(
        weights: &Weights,
        (convolution, norm): (&str, &str),
        (outputs, inputs, side): (usize, usize, usize),
    ) -> std::result::Result<Self, WeightsError> {
        let weight = weights.get(&format!("{convolution}.weight"), &[outputs, inputs, side, side])?;
        let part = |part: &str| weights.get(&format!("{norm}.{part}"), &[outputs]);
        let scale = part("weight")?.div(&(part("running_var")? + EPS)?.sqrt()?)?;
        let bias = part("bias")?.sub(&part("running_mean")?.mul(&scale)?)?;
        Ok(Self {
            weight: weight.broadcast_mul(&scale.reshape((outputs, 1, 1, 1))?)?,
            bias: bias.reshape((1, outputs, 1, 1))?,
        })
    }

    /// Applies it to maps `[batch, in, height, width]` with zeros around them: the same size at stride 1.
    pub fn forward(&self, x: &Tensor, stride: usize) -> Result<Tensor> {
        let (outputs, inputs, side, _) = self.weight.dims4()?;
        let y = if side == 1 && stride == 1 {
            // A matrix product over the channels, without the copy a convolution makes.
            let (batch, _, height, width) = x.dims4()?;
            let flat = x.contiguous()?.reshape((batch, inputs, height * width))?;
            let weight = self.weight.reshape((1, outputs, inputs))?;
            weight.broadcast_matmul(&flat)?.reshape((batch, outputs, height, width))?
        } else {
            x.conv2d(&self.weight, side / 2, stride, 1, 1)?
        };
        multiplied(y.elem_count() * inputs * side * side);
        y.broadcast_add(&self.bias)
    }
}
