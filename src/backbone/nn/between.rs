//! What a frozen block does between its matrix products, forward and backward, on a device.
//!
//! Each function has two ways: a kernel of our own where the card has them (`card`), and candle's operations anywhere else,
//! which the tests hold against the CPU's fused kernels. Rows between blocks keep their own type; operands of products with
//! frozen weights, and results of such products, may be of the weights' type: a kernel writes what the product reads,
//! candle's operations leave the rounding to the product.

use candle_core::{DType, Result, Tensor, bail};

#[cfg(feature = "cuda")]
use super::card::Card;
use super::layer_norm::LayerNorm;
use super::operations as op;
use super::uploaded::filled;
use crate::backbone::config::Activation;

/// Takes the card's way where there is one.
macro_rules! on_card {
    ($x:expr, $rows:expr, $operand:expr, $card:ident => $own:expr) => {
        #[cfg(feature = "cuda")]
        if let Some($card) = Card::of($x.device(), $rows, $operand) {
            return $own;
        }
    };
}

/// LayerNorm of rows `[rows, width]`, as operands of type `operand`.
#[cfg_attr(not(feature = "cuda"), expect(unused_variables, reason = "kernels write the product's own type"))]
pub(super) fn norm(layer: &LayerNorm, x: &Tensor, operand: DType) -> Result<Tensor> {
    let [gamma, beta] = layer.values();
    on_card!(x, x.dtype(), operand, card => card.norm(x, [gamma, beta], layer.eps(), operand));
    op::as_one(|| op::layer_norm(x, gamma, beta, layer.eps()))
}

/// `rest` + dX, where dX = (γ∘dY − mean(γ∘dY) − x̂·mean(γ∘dY∘x̂))/σ, row by row. Means are products with a column of
/// 1/width, one launch each. 1/σ is √(1/(mean(x²) − mean(x)² + ε)).
pub(super) fn norm_backward(layer: &LayerNorm, x: &Tensor, grad: &Tensor, rest: &Tensor) -> Result<Tensor> {
    on_card!(x, x.dtype(), grad.dtype(), card => card.norm_backward((x, layer.values()[0], layer.eps()), grad, rest));
    op::as_one(|| {
        let (width, dtype, device) = (x.dim(1)?, x.dtype(), x.device());
        let grad = op::to_dtype(grad, dtype)?;
        let one = filled(1.0, width, dtype, device)?;
        let x_hat = op::layer_norm(x, &one, &filled(0.0, width, dtype, device)?, layer.eps())?;
        let share = filled(1.0 / width as f64, width, dtype, device)?.reshape((width, 1))?;
        let mean = |t: &Tensor| op::matmul(t, &share);
        let g = op::mul(&grad, layer.values()[0])?;
        let slope = mean(&op::mul(&g, &x_hat)?)?;
        let variance = op::affine(&mean(&op::mul(x, x)?)?, 1.0, layer.eps())?;
        let middle = mean(x)?;
        let variance = op::sub(&variance, &op::mul(&middle, &middle)?)?;
        let inverse = op::map(&variance, |v| v.powf(-0.5))?;
        let centred = op::sub(&op::sub(&g, &op::mul(&x_hat, &slope)?)?, &mean(&g)?)?;
        op::add(&op::mul(&centred, &inverse)?, rest)
    })
}

/// A product's result `[rows, width]` in type `dtype`, plus bias `[width]`, plus `rest`.
pub(super) fn add_bias(
    y: &Tensor,
    bias: Option<&Tensor>,
    rest: Option<&Tensor>,
    dtype: DType,
) -> Result<Tensor> {
    on_card!(y, dtype, y.dtype(), card => card.add_bias(y, bias, rest));
    op::as_one(|| {
        let y = biased(y, bias, dtype)?;
        rest.map_or(Ok(y.clone()), |rest| op::add(&y, rest))
    })
}

/// Slope of quick-GELU's sigmoid (OpenAI's CLIP).
const QUICK: f64 = 1.702;

/// x + bias in type `dtype`.
fn biased(x: &Tensor, bias: Option<&Tensor>, dtype: DType) -> Result<Tensor> {
    let x = op::to_dtype(x, dtype)?;
    bias.map_or(Ok(x.clone()), |bias| op::add(&x, bias))
}

/// The activation of x + bias, where x is a product's result; candle's operations compute it in `dtype`.
pub(super) fn activate(kind: Activation, x: &Tensor, bias: Option<&Tensor>, dtype: DType) -> Result<Tensor> {
    on_card!(x, dtype, x.dtype(), card => card.activate(x, bias, kind == Activation::QuickGelu));
    op::as_one(|| {
        let x = biased(x, bias, dtype)?;
        match kind {
            Activation::QuickGelu => op::mul(&x, &quick_sigmoid(&x)?),
            Activation::Gelu => op::map(&x, Tensor::gelu_erf),
        }
    })
}

/// `grad` times the slope of the activation at x + bias, as [`activate`].
pub(super) fn activate_backward(
    kind: Activation,
    (x, bias): (&Tensor, Option<&Tensor>),
    grad: &Tensor,
    dtype: DType,
) -> Result<Tensor> {
    on_card!(x, dtype, x.dtype(), card => card.activate_backward(x, bias, grad, kind == Activation::QuickGelu));
    op::as_one(|| {
        let x = biased(x, bias, dtype)?;
        let slope = match kind {
            // σ + 1.702·xσ·(1 − σ)
            Activation::QuickGelu => {
                let sigmoid = quick_sigmoid(&x)?;
                let y = op::mul(&x, &sigmoid)?;
                op::add(&op::mul(&op::affine(&sigmoid, -QUICK, QUICK)?, &y)?, &sigmoid)?
            }
            // Φ(x) + x·φ(x)
            Activation::Gelu => {
                let root = std::f64::consts::SQRT_2;
                let cdf = op::affine(&op::map(&op::affine(&x, 1.0 / root, 0.0)?, Tensor::erf)?, 0.5, 0.5)?;
                let power = op::affine(&op::mul(&x, &x)?, -0.5, -0.5 * std::f64::consts::TAU.ln())?;
                op::add(&op::mul(&op::map(&power, Tensor::exp)?, &x)?, &cdf)?
            }
        };
        op::mul(&slope, &op::to_dtype(grad, dtype)?)
    })
}

fn quick_sigmoid(x: &Tensor) -> Result<Tensor> {
    op::map(&op::affine(x, QUICK, 0.0)?, candle_nn::ops::sigmoid)
}

/// How rows of queries lie among groups and heads.
#[derive(Clone, Copy)]
pub(super) struct Heads {
    pub groups: usize,
    pub queries: usize,
    pub heads: usize,
}

/// Rows `[…, width]` of type `dtype` after a product, as `[groups, heads, queries, dim]`: those at `rows`, plus a bias
/// `[width]`, times `scale`, times `real` `[groups, 1, queries, 1]`.
pub(super) fn split(
    x: &Tensor,
    [rows, bias, real]: [Option<&Tensor>; 3],
    scale: f64,
    to: Heads,
    dtype: DType,
) -> Result<Tensor> {
    let Heads { groups, queries, heads } = to;
    on_card!(x, dtype, x.dtype(), card => card.split(x, [rows, bias, real], scale, [groups, queries, heads]));
    op::as_one(|| {
        let x = op::to_dtype(x, dtype)?;
        let x = rows.map_or(Ok(x.clone()), |rows| op::rows(&x, rows))?;
        let x = x.reshape((groups, queries, heads, ()))?.transpose(1, 2)?;
        let dim = x.dim(3)?;
        let x = bias.map_or(Ok(x.clone()), |bias| op::add(&x, &bias.reshape((1, heads, 1, dim))?))?;
        let x = if scale == 1.0 { x } else { op::affine(&x, scale, 0.0)? };
        real.map_or_else(|| op::contiguous(&x), |real| op::mul(&x, real))
    })
}

/// `[groups, heads, queries, dim]` times `scale` as rows `[rows, width]`, row r from place `places[r]`.
#[cfg_attr(not(feature = "cuda"), expect(unused_variables, reason = "kernels write the product's own type"))]
pub(super) fn merge(x: &Tensor, places: Option<&Tensor>, scale: f64, operand: DType) -> Result<Tensor> {
    on_card!(x, x.dtype(), operand, card => card.merge(x, places, scale, operand));
    op::as_one(|| {
        let (groups, _, queries, _) = x.dims4()?;
        let x = x.transpose(1, 2)?;
        let x = if scale == 1.0 { op::contiguous(&x)? } else { op::affine(&x, scale, 0.0)? };
        let x = x.reshape((groups * queries, ()))?;
        places.map_or(Ok(x.clone()), |places| op::rows(&x, places))
    })
}

/// Keys and values of every group, `[groups, heads, keys, dim]` each, from cached rows, own ones behind them, or both; `rows`
/// are those of every group's keys among all.
pub(super) fn keys(
    [cached, own, rows]: [Option<&Tensor>; 3],
    own_start: usize,
    [groups, keys, heads]: [usize; 3],
) -> Result<[Tensor; 2]> {
    let Some(one) = cached.or(own) else { bail!("attention needs own or cached keys") };
    #[cfg(feature = "cuda")]
    if let Some(card) = Card::of(one.device(), one.dtype(), DType::F32) {
        let both = card.keys([cached, own, rows], own_start, [groups, keys, heads])?;
        return Ok([both.get(0)?, both.get(1)?]);
    }
    debug_assert!(cached.is_some() == (own_start > 0));
    op::as_one(|| {
        let all = match (cached, own) {
            (Some(cached), Some(own)) => op::cat(cached, own)?,
            _ => one.clone(),
        };
        let all = rows.map_or(Ok(all.clone()), |rows| op::rows(&all, rows))?;
        let all = all.reshape((groups, keys, 2, heads, ()))?;
        let all = op::contiguous(&all.permute((2, 0, 3, 1, 4))?)?;
        Ok([all.get(0)?, all.get(1)?])
    })
}

/// Gradients of keys and values, `[groups, heads, keys, dim]` each, as rows `[groups·keys, 2·width]`.
pub(super) fn join_keys(dk: &Tensor, dv: &Tensor) -> Result<Tensor> {
    on_card!(dk, dk.dtype(), DType::F32, card => card.join_keys(dk, dv));
    op::as_one(|| {
        let (groups, _, keys, _) = dk.dims4()?;
        let both = op::contiguous(&op::stack(dk, dv)?.permute((1, 3, 0, 2, 4))?)?;
        both.reshape((groups * keys, ()))
    })
}

/// Softmax over the last dimension of scores `[groups, heads, queries, keys]` plus a mask `[groups, 1, queries or 1, keys]`.
pub(super) fn softmax(scores: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
    on_card!(scores, scores.dtype(), DType::F32, card => card.softmax(scores, mask));
    op::as_one(|| {
        let scores = mask.map_or(Ok(scores.clone()), |mask| op::add(scores, mask))?;
        op::softmax(&scores)
    })
}

/// (grad − Σ grad∘p)∘p over the last dimension: softmax's gradient at its output p.
pub(super) fn softmax_backward(grad: &Tensor, p: &Tensor) -> Result<Tensor> {
    on_card!(p, p.dtype(), DType::F32, card => card.softmax_backward(grad, p));
    op::as_one(|| {
        let mean = op::sum(&op::mul(grad, p)?)?;
        op::mul(&op::sub(grad, &mean)?, p)
    })
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

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
            let (var, zero) = (Var::from_tensor(&x).unwrap(), x.zeros_like().unwrap());
            let fused = |y: Tensor| {
                let store = (y * &grad).unwrap().sum_all().unwrap().backward().unwrap();
                store.get(&var).unwrap().clone()
            };
            let expected = fused(layer.forward(&var).unwrap());
            assert!(largest(&norm(&layer, &x, dtype).unwrap(), &layer.forward(&x).unwrap()) < tolerance);
            assert!(largest(&norm_backward(&layer, &x, &grad, &zero).unwrap(), &expected) < tolerance);
            let control = layer.with(&[grad.get(0).unwrap(), grad.get(1).unwrap()]);
            assert!(largest(&norm_backward(&control, &x, &grad, &zero).unwrap(), &expected) > 1e-2);
            for kind in [Activation::QuickGelu, Activation::Gelu] {
                let y = activate(kind, &x, None, dtype).unwrap();
                let ours = super::super::activate(&x, kind).unwrap();
                assert!(largest(&y, &ours) < tolerance, "{kind:?}");
                let expected = fused(super::super::activate(&var, kind).unwrap());
                assert!(
                    largest(&activate_backward(kind, (&x, None), &grad, dtype).unwrap(), &expected)
                        < tolerance,
                    "{kind:?}"
                );
            }
            let quick = activate_backward(Activation::QuickGelu, (&x, None), &grad, dtype).unwrap();
            let exact = fused(super::super::activate(&var, Activation::Gelu).unwrap());
            assert!(largest(&quick, &exact) > 1e-3, "the two differ");
        }
    }
}
