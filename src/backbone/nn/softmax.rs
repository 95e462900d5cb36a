//! Softmax over the last dimension with its own backward, for the dense (masked) attention path.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, Layout, Result, Shape, Tensor, WithDType};

use super::kernels::{dot, for_each_row, softmax_row};
use super::place::fused;
use super::real::{Real, Rows, by_dtype};

/// Softmax over the last dimension. −∞ entries (masked keys) get exactly 0.
///
/// # Errors
/// Whatever candle reports.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    if fused(x) {
        return x.contiguous()?.apply_op1(Softmax);
    }
    let shifted = x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?.exp()?;
    shifted.broadcast_div(&shifted.sum_keepdim(D::Minus1)?)
}

struct Softmax;

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        by_dtype!(x.dtype(), T => {
            let x = Rows::<T>::new(x, layout)?;
            let mut out = vec![T::ZERO; x.rows * x.cols];
            for_each_row(&mut out, x.cols, #[inline(always)] |i, row| {
                row.copy_from_slice(x.row(i));
                softmax_row(row);
            });
            Ok((T::to_cpu_storage_owned(out), layout.shape().clone()))
        })
    }

    fn bwd(&self, _x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        y.detach().apply_op2_no_bwd(&grad.contiguous()?, &SoftmaxBackward).map(Some)
    }
}

struct SoftmaxBackward;

impl CustomOp2 for SoftmaxBackward {
    fn name(&self) -> &'static str {
        "softmax_backward"
    }

    fn cpu_fwd(
        &self,
        y: &CpuStorage,
        y_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        by_dtype!(y.dtype(), T => {
            let (y, grad) = (Rows::<T>::new(y, y_layout)?, Rows::<T>::new(grad, grad_layout)?);
            let mut out = vec![T::ZERO; y.rows * y.cols];
            for_each_row(&mut out, y.cols, #[inline(always)] |i, row| {
                let mean = dot(y.row(i), grad.row(i));
                for ((d, y), g) in row.iter_mut().zip(y.row(i)).zip(grad.row(i)) {
                    *d = *y * (*g - mean);
                }
            });
            Ok((T::to_cpu_storage_owned(out), y_layout.shape().clone()))
        })
    }
}
