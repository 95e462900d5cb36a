//! y = x·Wᵀ + b. A frozen weight is a constant of the operation: backward gives dX only.

use std::sync::{Arc, OnceLock};

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CudaStorage, CustomOp1, DType, Layout, Result, Shape, Storage, Tensor, bail};

use super::dense::Dense;
use super::kernels::for_each_row;
use super::operations::multiplied;
use super::place::fused;
use super::product::matmul;
use super::real::Real;
use crate::backbone::pieces::as_one;

/// A linear layer in PyTorch's layout: weight `[out, in]`, bias `[out]`.
///
/// When the weight carries a graph (it is being trained) the product is candle's own, with gradients
/// for weight and bias. Otherwise no gradient of the weight is ever computed or stored.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
    /// The weight as `[in, out]`, made when it is first wanted; `None` where that is not worth its memory.
    turned: Arc<OnceLock<Option<Tensor>>>,
}

/// Up to so many numbers a frozen weight on the CPU is held in both orders. A product packs its right side row by row, which
/// for few rows costs as much as the product; in the other order it need not. The layers of ViT-B/16, all larger, would
/// double what the model takes.
const TURNED_UP_TO: usize = 1 << 17;

/// Products of fewer numbers the crate computes in another way (its limit is 16 · 16), whose last bits depend on the order
/// of the weight.
pub const OWN_WAY_BELOW: usize = 257;

/// Up to so many rows and outputs the crate sums at most [`DEEP`] terms at once, beyond it shares them evenly: the bits of
/// deeper products change there.
pub const NARROW: usize = 64;

/// See [`NARROW`].
pub const DEEP: usize = 512;

impl Linear {
    /// Wraps weight `[out, in]` and bias `[out]`.
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias, turned: Arc::default() }
    }

    /// The same layer with its weight in `dtype`: rows are rounded to it for the product, the result is in
    /// the rows' own type again. Not for a layer that is being trained.
    ///
    /// # Errors
    /// Whatever candle reports, for example an unsupported conversion.
    pub fn rounded(&self, dtype: DType) -> Result<Self> {
        Ok(Self::new(self.weight.to_dtype(dtype)?, self.bias.clone()))
    }

    /// The same layer with another weight `[out, in]`.
    #[must_use]
    pub fn with_weight(&self, weight: Tensor) -> Self {
        Self::new(weight, self.bias.clone())
    }

    /// The weight, `[out, in]`.
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// The bias, `[out]`.
    pub(super) fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref()
    }

    /// True when weight or bias is being trained.
    pub(super) fn is_trained(&self) -> bool {
        self.weight.track_op() || self.bias.as_ref().is_some_and(Tensor::track_op)
    }

    /// The bias; empty where there is none.
    pub(super) fn bias_values<T: Real>(&self) -> Result<Vec<T>> {
        self.bias.as_ref().map_or(Ok(Vec::new()), Tensor::to_vec1)
    }

    /// Applies the frozen layer to rows and adds the rows of `residual`.
    pub(super) fn apply<T: Real>(&self, x: &Dense<T>, residual: Option<&Dense<T>>) -> Result<Dense<T>> {
        self.product(x)?.plus(self.bias.as_ref(), residual)
    }

    /// Rows `[n, in]` times the frozen weight alone: `[n, out]`.
    pub(super) fn product<T: Real>(&self, x: &Dense<T>) -> Result<Dense<T>> {
        match self.turned_for(x.row_count()) {
            Some(turned) => x.times(turned, false),
            None => x.times(&self.weight, true),
        }
    }

    /// The weight `[in, out]`, where it is worth its memory and gives this many rows the same bits.
    fn turned_for(&self, rows: usize) -> Option<&Tensor> {
        let weight = &self.weight;
        let numbers = rows * weight.dims().first().copied().unwrap_or(0);
        let alike = rows > 1 && numbers >= OWN_WAY_BELOW && matches!(weight.dtype(), DType::F32 | DType::F64);
        if !alike || weight.elem_count() > TURNED_UP_TO {
            return None;
        }
        // Only a means to be faster: where it cannot be had, the weight itself serves.
        self.turned.get_or_init(|| weight.detach().t().and_then(|turned| turned.contiguous()).ok()).as_ref()
    }

    /// Applies the layer to flat rows `[n, in]`, giving `[n, out]`.
    ///
    /// # Errors
    /// Whatever candle reports, in particular a mismatch of shapes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = match (self.is_trained(), fused(x)) {
            (true, _) => matmul(x, &self.weight.t()?)?,
            (false, true) => {
                return x.apply_op1(FrozenLinear { weight: self.weight.clone(), bias: self.bias.clone() });
            }
            (false, false) => x.apply_op1(FrozenLinear { weight: self.weight.clone(), bias: None })?,
        };
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}

struct FrozenLinear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl CustomOp1 for FrozenLinear {
    fn name(&self) -> &'static str {
        "frozen_linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (storage, weight_layout) = self.weight.storage_and_layout();
        let Storage::Cpu(weight) = &*storage else { bail!("linear layer: weight is not on the CPU") };
        as_one(|| {
            let (y, shape) = product(x, layout, weight, weight_layout)?;
            let Some(bias) = &self.bias else { return Ok((y, shape)) };
            let y = match bias.dtype() {
                DType::F32 => add_bias::<f32>(y, bias)?,
                DType::F64 => add_bias::<f64>(y, bias)?,
                other => bail!("linear layer on the CPU computes in f32 or f64, not {other:?}"),
            };
            Ok((y, shape))
        })
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (storage, weight_layout) = self.weight.storage_and_layout();
        let Storage::Cuda(weight) = &*storage else { bail!("linear layer: weight is not on the GPU") };
        product(x, layout, weight, weight_layout)
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let rounded = grad.contiguous()?.to_dtype(self.weight.dtype())?;
        as_one(|| matmul(&rounded, &self.weight.detach()))?.to_dtype(grad.dtype()).map(Some)
    }
}

/// Rows `[n, in]` times a weight `[out, in]`, transposed: `[n, out]` in the rows' type, from operands in the weight's.
fn product<S: BackendStorage>(
    x: &S,
    layout: &Layout,
    weight: &S,
    weight_layout: &Layout,
) -> Result<(S, Shape)> {
    let (n, inputs) = layout.shape().dims2()?;
    let (outputs, expected) = weight_layout.shape().dims2()?;
    if inputs != expected {
        bail!("linear layer takes rows of width {expected}, got {inputs}");
    }
    let (shape, size, transposed) =
        (Shape::from((n, outputs)), (1, n, outputs, inputs), weight_layout.transpose(0, 1)?);
    multiplied(n * outputs * inputs);
    if x.dtype() == weight.dtype() {
        return Ok((x.matmul(weight, size, layout, &transposed)?, shape));
    }
    let rows = Layout::contiguous((n, inputs));
    let y = x.to_dtype(layout, weight.dtype())?.matmul(weight, size, &rows, &transposed)?;
    Ok((y.to_dtype(&Layout::contiguous((n, outputs)), x.dtype())?, shape))
}

fn add_bias<T: Real>(y: CpuStorage, bias: &Tensor) -> Result<CpuStorage> {
    let bias = bias.to_vec1::<T>()?;
    let mut y = T::cpu_storage_data(y)?;
    for_each_row(
        &mut y,
        bias.len(),
        #[inline(always)]
        |_, row| {
            for (value, b) in row.iter_mut().zip(&bias) {
                *value += *b;
            }
        },
    );
    Ok(T::to_cpu_storage_owned(y))
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::util::rng::Stream;

    fn bits_do_not_depend_on_the_order<T: Real>() {
        let mut stream = Stream::new(&["turned"]);
        let mut numbers =
            |count: usize| -> Vec<T> { (0..count).map(|_| T::from_f64(stream.normal())).collect() };
        for (inputs, outputs) in [(96, 384), (384, 96), (96, 96), (24, 8), (700, 100)] {
            let weight =
                Tensor::from_vec(numbers(outputs * inputs), (outputs, inputs), &Device::Cpu).unwrap();
            let layer = Linear::new(weight, None);
            let mut turned = 0;
            for rows in (1..40).chain([64, 65, 200]) {
                let x = Dense::new(numbers(rows * inputs), inputs);
                turned += usize::from(layer.turned_for(rows).is_some());
                let ours = layer.product(&x).unwrap().into_vec();
                assert!(
                    ours == x.times(&layer.weight, true).unwrap().into_vec(),
                    "{inputs} {outputs} {rows}"
                );
            }
            assert!(turned > 3, "control: {inputs} {outputs} is turned for {turned} numbers of rows");
        }
    }

    #[test]
    fn small_weights_give_the_same_bits_in_either_order() {
        bits_do_not_depend_on_the_order::<f32>();
        bits_do_not_depend_on_the_order::<f64>();
    }

    #[test]
    fn large_weights_lie_in_one_order() {
        let weight = Tensor::zeros((512, 512), DType::F32, &Device::Cpu).unwrap();
        assert!(Linear::new(weight, None).turned_for(100).is_none());
    }
}
