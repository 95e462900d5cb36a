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
    // Loops, because `for_each` would be called where it must be inlined to be vectorised.
    match kind {
        Activation::QuickGelu => {
            for x in row {
                *x = quick(*x).0;
            }
        }
        Activation::Gelu => {
            for x in row {
                *x = exact(*x).0;
            }
        }
    }
}

/// The activation's slope at every number of a row, in its place.
#[inline(always)]
fn slope<T: Real>(kind: Activation, row: &mut [T]) {
    match kind {
        Activation::QuickGelu => {
            for x in row {
                *x = quick(*x).1;
            }
        }
        Activation::Gelu => {
            for x in row {
                *x = exact(*x).1;
            }
        }
    }
}

/// Turns a row into the activation's slope at `row + bias`, and puts the activation itself into `active`.
#[inline(always)]
pub(super) fn value_and_slope<T: Real>(kind: Activation, row: &mut [T], active: &mut [T], bias: &[T]) {
    let triples = row.iter_mut().zip(active).zip(bias);
    match kind {
        Activation::QuickGelu => {
            for ((x, y), b) in triples {
                (*y, *x) = quick(*x + *b);
            }
        }
        Activation::Gelu => {
            for ((x, y), b) in triples {
                (*y, *x) = exact(*x + *b);
            }
        }
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
            for_each_row(&mut out, x.cols, #[inline(always)] |i, row| {
                row.copy_from_slice(x.row(i));
                value(kind, row);
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
            for_each_row(&mut out, x.cols, #[inline(always)] |i, row| {
                row.copy_from_slice(x.row(i));
                slope(kind, row);
                for (d, g) in row.iter_mut().zip(grad.row(i)) {
                    *d *= *g;
                }
            });
            Ok((T::to_cpu_storage_owned(out), x_layout.shape().clone()))
        })
    }
}
