//! The MLP's non-linearity: quick-GELU x·σ(1.702x) or the exact GELU x·Φ(x), with exact backward.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, WithDType};

use super::kernels::for_each_row;
use super::place::fused;
use super::real::{Real, Rows, by_dtype};
use crate::backbone::config::Activation;

/// Slope of quick-GELU's sigmoid (OpenAI's CLIP).
const QUICK: f64 = 1.702;

/// Applies the non-linearity elementwise.
///
/// # Errors
/// Whatever candle reports.
pub fn activate(x: &Tensor, kind: Activation) -> Result<Tensor> {
    if fused(x) {
        return x.contiguous()?.apply_op1(Activate(kind));
    }
    match kind {
        Activation::QuickGelu => {
            let sigmoid = ((x * -QUICK)?.exp()? + 1.0)?.recip()?;
            x * sigmoid
        }
        Activation::Gelu => x.gelu_erf(),
    }
}

#[derive(Clone, Copy)]
struct Activate(Activation);

/// Value and slope of the activation at x.
#[inline(always)]
fn quick<T: Real>(x: T) -> (T, T) {
    let slope = T::from_f64(QUICK);
    let sigmoid = T::ONE / (T::ONE + (T::ZERO - slope * x).exp());
    (x * sigmoid, sigmoid * (T::ONE + slope * x * (T::ONE - sigmoid)))
}

fn exact<T: Real>(x: T) -> (T, T) {
    let (cdf, pdf) = x.normal_cdf_pdf();
    (x * cdf, cdf + x * pdf)
}

/// The activation of every number of a row, in place.
#[inline(always)]
pub(super) fn value<T: Real>(kind: Activation, row: &mut [T]) {
    match kind {
        Activation::QuickGelu => row.iter_mut().for_each(|x| *x = quick(*x).0),
        Activation::Gelu => row.iter_mut().for_each(|x| *x = exact(*x).0),
    }
}

/// Multiplies a row by the activation's slope at `x + bias`.
#[inline(always)]
pub(super) fn slope<T: Real>(kind: Activation, row: &mut [T], x: &[T], bias: &[T]) {
    let triples = row.iter_mut().zip(x).zip(bias);
    match kind {
        Activation::QuickGelu => triples.for_each(|((d, x), b)| *d *= quick(*x + *b).1),
        Activation::Gelu => triples.for_each(|((d, x), b)| *d *= exact(*x + *b).1),
    }
}

impl CustomOp1 for Activate {
    fn name(&self) -> &'static str {
        "activate"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        by_dtype!(x.dtype(), T => {
            let x = Rows::<T>::new(x, layout)?;
            let mut out = vec![T::ZERO; x.rows * x.cols];
            let kind = self.0;
            for_each_row(&mut out, x.cols, |i, row| match kind {
                Activation::QuickGelu => row.iter_mut().zip(x.row(i)).for_each(|(y, x)| *y = quick(*x).0),
                Activation::Gelu => row.iter_mut().zip(x.row(i)).for_each(|(y, x)| *y = exact(*x).0),
            });
            Ok((T::to_cpu_storage_owned(out), layout.shape().clone()))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        x.detach().apply_op2_no_bwd(&grad.contiguous()?, &ActivateBackward(self.0)).map(Some)
    }
}

struct ActivateBackward(Activation);

impl CustomOp2 for ActivateBackward {
    fn name(&self) -> &'static str {
        "activate_backward"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        by_dtype!(x.dtype(), T => {
            let (x, grad) = (Rows::<T>::new(x, x_layout)?, Rows::<T>::new(grad, grad_layout)?);
            let mut out = vec![T::ZERO; x.rows * x.cols];
            let kind = self.0;
            for_each_row(&mut out, x.cols, |i, row| {
                let pairs = row.iter_mut().zip(x.row(i)).zip(grad.row(i));
                match kind {
                    Activation::QuickGelu => pairs.for_each(|((d, x), g)| *d = quick(*x).1 * *g),
                    Activation::Gelu => pairs.for_each(|((d, x), g)| *d = exact(*x).1 * *g),
                }
            });
            Ok((T::to_cpu_storage_owned(out), x_layout.shape().clone()))
        })
    }
}
