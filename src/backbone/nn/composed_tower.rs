//! A stack of frozen blocks as one operation of candle's graph, composed of operations of its device.
//!
//! What `frozen_tower` is to the CPU's kernels: the rows are run at once, outside the graph, so neither a graph nor a
//! gradient of a frozen operand is ever made. It runs on GPUs, and on the CPU in tests and counts.

use std::sync::Arc;

use candle_core::{CpuStorage, CudaStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::composed_attention::{self as attention, Attention};
use super::frozen_block::{Block, BlockCall};
use super::hand_over;
use super::layer_norm::LayerNorm;
use super::linear::Linear;
use super::operations as op;
use super::uploaded::{filled, indices};
use crate::backbone::config::Activation;

/// See [`super::run_frozen`]; any device.
pub(super) fn run(
    x: &Tensor,
    blocks: &Arc<[Block]>,
    calls: Vec<BlockCall>,
    keys: bool,
) -> Result<(Tensor, Vec<Tensor>)> {
    let keep = x.track_op();
    let (mut all_kept, mut all_keys) = (Vec::new(), Vec::new());
    let rows = op::pass(|| {
        let mut rows = op::contiguous(&x.detach())?;
        for (block, call) in blocks.iter().zip(&calls) {
            let (next, kv, kept) = forward(block, rows, call, keep)?;
            rows = next;
            all_kept.extend(kept);
            all_keys.extend(kv.filter(|_| keys));
        }
        Ok(rows)
    })?;
    if !keep {
        return Ok((rows, all_keys));
    }
    Ok((x.apply_op1(Pass { blocks: blocks.clone(), calls, kept: all_kept, output: rows })?, all_keys))
}

/// A pass that has been run.
struct Pass {
    blocks: Arc<[Block]>,
    calls: Vec<BlockCall>,
    kept: Vec<Kept>,
    output: Tensor,
}

impl CustomOp1 for Pass {
    fn name(&self) -> &'static str {
        "composed_tower"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        hand_over::on_cpu(&self.output)
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        hand_over::on_cuda(&self.output)
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        op::pass(|| {
            let mut grad = op::contiguous(&grad.detach())?;
            for ((block, call), kept) in self.blocks.iter().zip(&self.calls).zip(&self.kept).rev() {
                grad = backward(block, kept, call, grad)?;
            }
            grad.reshape(x.shape()).map(Some)
        })
    }
}

/// What backward needs of a block.
struct Kept {
    x: Tensor,
    attention: Attention,
    attended: attention::Kept,
    /// The rows between attention and MLP.
    middle: Tensor,
    mlp: KeptActivation,
}

/// Output rows, own keys and values, and what backward needs where that was asked for.
type Output = (Tensor, Option<Tensor>, Option<Kept>);

fn forward(block: &Block, x: Tensor, call: &BlockCall, keep: bool) -> Result<Output> {
    let normed = norm(&block.ln1, &x)?;
    let kv = call.own_keys.then(|| linear(&block.kv, &normed)).transpose()?;
    let read = call.read.as_ref().map(|rows| indices(rows, x.device())).transpose()?;
    let (going, normed) = match &read {
        Some(read) => (op::rows(&x, read)?, op::rows(&normed, read)?),
        None => (x.clone(), normed),
    };
    let q = product(&normed, block.q.weight(), true)?;
    let cached = call.attend.cached.as_ref();
    let attention = Attention::new(&call.attend.plan, call.attend.heads, &q, kv.as_ref(), cached)?;
    let (out, attended) = attention.forward(&q, block.q.bias(), kv.as_ref(), cached)?;
    let middle = op::add(&linear(&block.out, &out)?, &going)?;
    let hidden = linear(&block.fc1, &norm(&block.ln2, &middle)?)?;
    let (active, mlp) = activate(block.activation, hidden)?;
    let rows = op::add(&linear(&block.fc2, &active)?, &middle)?;
    Ok((rows, kv, keep.then_some(Kept { x, attention, attended, middle, mlp })))
}

/// Gradient of the input for the gradient `[read rows, width]` of the output.
fn backward(block: &Block, kept: &Kept, call: &BlockCall, grad: Tensor) -> Result<Tensor> {
    let d_active = product(&grad, block.fc2.weight(), false)?;
    let d_hidden = kept.mlp.backward(&d_active)?;
    let d_normed = product(&d_hidden, block.fc1.weight(), false)?;
    let d_middle = op::add(&norm_backward(&block.ln2, &kept.middle, &d_normed)?, &grad)?;
    let d_out = product(&d_middle, block.out.weight(), false)?;
    let (dq, d_kv) = kept.attention.backward(&kept.attended, &d_out)?;
    let d_read = product(&dq, block.q.weight(), false)?;
    let count = kept.x.dim(0)?;
    let spread = |rows: Tensor| match &call.read {
        Some(read) => op::add_rows(count, &indices(read, rows.device())?, &rows),
        None => Ok(rows),
    };
    let (d_read, d_middle) = (spread(d_read)?, spread(d_middle)?);
    let d_normed = match d_kv {
        Some(d_kv) => op::add(&product(&d_kv, block.kv.weight(), false)?, &d_read)?,
        None => d_read,
    };
    op::add(&norm_backward(&block.ln1, &kept.x, &d_normed)?, &d_middle)
}

/// Rows times a weight `[out, in]`, or its transpose, from operands in the weight's type.
fn product(x: &Tensor, weight: &Tensor, transposed: bool) -> Result<Tensor> {
    let rounded = op::to_dtype(x, weight.dtype())?;
    let y = match transposed {
        true => op::matmul(&rounded, &weight.detach().t()?)?,
        false => op::matmul(&rounded, &weight.detach())?,
    };
    op::to_dtype(&y, x.dtype())
}

fn linear(layer: &Linear, x: &Tensor) -> Result<Tensor> {
    let y = product(x, layer.weight(), true)?;
    layer.bias().map_or(Ok(y.clone()), |bias| op::add(&y, bias))
}

fn norm(layer: &LayerNorm, x: &Tensor) -> Result<Tensor> {
    let [gamma, beta] = layer.values();
    op::layer_norm(x, gamma, beta, layer.eps())
}

/// dX = (γ∘dY − mean(γ∘dY) − x̂·mean(γ∘dY∘x̂))/σ, row by row. Means are products with a column of 1/width, one launch
/// each. 1/σ is mean(x̂²)/mean(x∘x̂), since both hold the variance once and the second σ once less; a row without
/// variance has x̂ = 0, where the quotient is bounded by ε as σ is.
fn norm_backward(layer: &LayerNorm, x: &Tensor, grad: &Tensor) -> Result<Tensor> {
    let (width, dtype, device) = (x.dim(1)?, x.dtype(), x.device());
    let one = filled(1.0, width, dtype, device)?;
    let x_hat = op::layer_norm(x, &one, &filled(0.0, width, dtype, device)?, layer.eps())?;
    let share = filled(1.0 / width as f64, width, dtype, device)?.reshape((width, 1))?;
    let mean = |t: &Tensor| op::matmul(t, &share);
    let g = op::mul(grad, layer.values()[0])?;
    let slope = mean(&op::mul(&g, &x_hat)?)?;
    let variance = op::affine(&mean(&op::mul(x, x)?)?, 1.0, layer.eps())?;
    let middle = mean(x)?;
    let variance = op::sub(&variance, &op::mul(&middle, &middle)?)?;
    let inverse = op::map(&variance, |v| v.powf(-0.5))?;
    let centred = op::sub(&op::sub(&g, &op::mul(&x_hat, &slope)?)?, &mean(&g)?)?;
    op::mul(&centred, &inverse)
}

/// What backward needs of the activation.
enum KeptActivation {
    /// σ(1.702x) and x·σ(1.702x).
    Quick(Tensor, Tensor),
    /// x.
    Exact(Tensor),
}

/// Slope of quick-GELU's sigmoid (OpenAI's CLIP).
const QUICK: f64 = 1.702;

fn activate(kind: Activation, x: Tensor) -> Result<(Tensor, KeptActivation)> {
    match kind {
        Activation::QuickGelu => {
            let sigmoid = op::map(&op::affine(&x, QUICK, 0.0)?, candle_nn::ops::sigmoid)?;
            let y = op::mul(&x, &sigmoid)?;
            Ok((y.clone(), KeptActivation::Quick(sigmoid, y)))
        }
        Activation::Gelu => Ok((op::map(&x, Tensor::gelu_erf)?, KeptActivation::Exact(x))),
    }
}

impl KeptActivation {
    fn backward(&self, grad: &Tensor) -> Result<Tensor> {
        let slope = match self {
            // σ + 1.702·xσ·(1 − σ)
            Self::Quick(sigmoid, y) => op::add(&op::mul(&op::affine(sigmoid, -QUICK, QUICK)?, y)?, sigmoid)?,
            // Φ(x) + x·φ(x)
            Self::Exact(x) => {
                let root = std::f64::consts::SQRT_2;
                let cdf = op::affine(&op::map(&op::affine(x, 1.0 / root, 0.0)?, Tensor::erf)?, 0.5, 0.5)?;
                let power = op::affine(&op::mul(x, x)?, -0.5, -0.5 * std::f64::consts::TAU.ln())?;
                op::add(&op::mul(&op::map(&power, Tensor::exp)?, x)?, &cdf)?
            }
        };
        op::mul(&slope, grad)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Var};

    use super::*;
    use crate::util::rng::Stream;

    fn random(shape: (usize, usize), dtype: DType, stream: &mut Stream) -> Tensor {
        let values: Vec<f64> = (0..shape.0 * shape.1).map(|_| 0.3 + stream.normal()).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
    }

    fn largest(a: &Tensor, b: &Tensor) -> f64 {
        let difference = (a - b).unwrap().abs().unwrap().flatten_all().unwrap();
        difference.max(0).unwrap().to_dtype(DType::F64).unwrap().to_scalar().unwrap()
    }

    /// The written-out gradients of LayerNorm and both activations against the fused kernels'; the control drops a term.
    #[test]
    fn written_out_gradients_are_the_kernels_own() {
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
            let mut stream = Stream::new(&["composed"]);
            let x = random((7, 24), dtype, &mut stream);
            let grad = random((7, 24), dtype, &mut stream);
            let [gamma, beta] = [0, 1].map(|_| random((1, 24), dtype, &mut stream).flatten_all().unwrap());
            let layer = LayerNorm::new(gamma, beta, 1e-5);
            let var = Var::from_tensor(&x).unwrap();
            let fused = |y: Tensor| {
                let store = (y * &grad).unwrap().sum_all().unwrap().backward().unwrap();
                store.get(&var).unwrap().clone()
            };
            let expected = fused(layer.forward(&var).unwrap());
            assert!(largest(&norm(&layer, &x).unwrap(), &layer.forward(&x).unwrap()) < tolerance);
            assert!(largest(&norm_backward(&layer, &x, &grad).unwrap(), &expected) < tolerance);
            let control = layer.with(&[grad.get(0).unwrap(), grad.get(1).unwrap()]);
            assert!(largest(&norm_backward(&control, &x, &grad).unwrap(), &expected) > 1e-2);
            for kind in [Activation::QuickGelu, Activation::Gelu] {
                let (y, kept) = activate(kind, x.clone()).unwrap();
                let ours = super::super::activate(&x, kind).unwrap();
                assert!(largest(&y, &ours) < tolerance, "{kind:?}");
                let expected = fused(super::super::activate(&var, kind).unwrap());
                assert!(largest(&kept.backward(&grad).unwrap(), &expected) < tolerance, "{kind:?}");
            }
            let (_, quick) = activate(Activation::QuickGelu, x.clone()).unwrap();
            let exact = fused(super::super::activate(&var, Activation::Gelu).unwrap());
            assert!(largest(&quick.backward(&grad).unwrap(), &exact) > 1e-3, "the two differ");
        }
    }
}
