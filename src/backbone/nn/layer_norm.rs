//! LayerNorm over the last dimension, with statistics and backward of its own.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp3, D, Layout, Result, Shape, Tensor, WithDType};

use super::dense::Dense;
use super::kernels::{dot, for_each_row, sum};
use super::place::fused;
use super::real::{Real, Rows, by_dtype};
use super::recycled::scratch;

/// LayerNorm: (x − mean)/√(var + ε)·γ + β, population variance, over the last dimension.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    gamma: Tensor,
    beta: Tensor,
    eps: f64,
}

impl LayerNorm {
    /// Wraps γ and β, both `[width]`.
    pub fn new(gamma: Tensor, beta: Tensor, eps: f64) -> Self {
        Self { gamma, beta, eps }
    }

    /// The same with another γ and β.
    #[must_use]
    pub fn with(&self, [gamma, beta]: &[Tensor; 2]) -> Self {
        Self { gamma: gamma.clone(), beta: beta.clone(), eps: self.eps }
    }

    /// The same without a graph.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self { gamma: self.gamma.detach(), beta: self.beta.detach(), eps: self.eps }
    }

    /// γ and β.
    pub fn values(&self) -> [&Tensor; 2] {
        [&self.gamma, &self.beta]
    }

    /// What is added to the variance.
    pub(super) fn eps(&self) -> f64 {
        self.eps
    }

    /// True when γ or β is being trained.
    pub(super) fn is_trained(&self) -> bool {
        self.gamma.track_op() || self.beta.track_op()
    }

    /// Normalises frozen rows.
    pub(super) fn apply<T: Real>(&self, x: &Dense<T>) -> Result<Dense<T>> {
        let (gamma, beta, x) = (self.gamma.to_vec1::<T>()?, self.beta.to_vec1::<T>()?, x.view());
        Ok(Dense::new(Normalise { eps: self.eps }.forward(x, &gamma, &beta), x.cols))
    }

    /// Gradient of the input `x` for the gradient of its normalised rows.
    pub(super) fn backward<T: Real>(&self, x: &Dense<T>, grad: Dense<T>) -> Result<Dense<T>> {
        let (gamma, x) = (self.gamma.to_vec1::<T>()?, x.view());
        Ok(Dense::new(Normalise { eps: self.eps }.backward(x, &gamma, grad.view()), x.cols))
    }

    /// Normalises rows `[n, width]`.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if fused(x) {
            let x = x.contiguous()?;
            return x.apply_op3(&self.gamma, &self.beta, Normalise { eps: self.eps });
        }
        let mean = x.mean_keepdim(D::Minus1)?;
        let centred = x.broadcast_sub(&mean)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let scaled = centred.broadcast_div(&(variance + self.eps)?.sqrt()?)?;
        scaled.broadcast_mul(&self.gamma)?.broadcast_add(&self.beta)
    }
}

struct Normalise {
    eps: f64,
}

/// Mean and 1/√(var + ε) of one row.
#[inline(always)]
fn moments<T: Real>(row: &[T], eps: T, centred: &mut [T]) -> (T, T) {
    let n = T::from_f64(row.len() as f64);
    let mean = sum(row) / n;
    for (c, x) in centred.iter_mut().zip(row) {
        *c = *x - mean;
    }
    (mean, T::ONE / (dot(centred, centred) / n + eps).sqrt())
}

impl Normalise {
    fn forward<T: Real>(&self, x: Rows<'_, T>, gamma: &[T], beta: &[T]) -> Vec<T> {
        let eps = T::from_f64(self.eps);
        let mut out = scratch(x.rows * x.cols);
        for_each_row(
            &mut out,
            x.cols,
            #[inline(always)]
            |i, y| {
                let (_, inverse) = moments(x.row(i), eps, y);
                for ((y, g), b) in y.iter_mut().zip(gamma).zip(beta) {
                    *y = *y * inverse * *g + *b;
                }
            },
        );
        out
    }

    /// dX = (γ∘dY − mean(γ∘dY) − x̂·mean(γ∘dY∘x̂))/σ, row by row.
    fn backward<T: Real>(&self, x: Rows<'_, T>, gamma: &[T], grad: Rows<'_, T>) -> Vec<T> {
        let eps = T::from_f64(self.eps);
        let n = T::from_f64(x.cols as f64);
        let mut out = scratch(x.rows * x.cols);
        for_each_row(
            &mut out,
            x.cols,
            #[inline(always)]
            |i, dx| {
                let (mean, inverse) = moments(x.row(i), eps, dx);
                let row = x.row(i);
                for ((d, g), gamma) in dx.iter_mut().zip(grad.row(i)).zip(gamma) {
                    *d = *g * *gamma;
                }
                let bias = sum(dx) / n;
                let slope = (dot(dx, row) - mean * sum(dx)) * inverse / n;
                for (d, x) in dx.iter_mut().zip(row) {
                    *d = (*d - bias - (*x - mean) * inverse * slope) * inverse;
                }
            },
        );
        out
    }

    /// x̂ itself, for the gradient of γ.
    fn standardise<T: Real>(&self, x: &Tensor) -> Result<Tensor> {
        let width = x.dim(D::Minus1)?;
        let one = Tensor::ones(width, x.dtype(), x.device())?;
        x.detach().apply_op3_no_bwd(&one, &one.zeros_like()?, self)
    }
}

impl CustomOp3 for Normalise {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        beta: &CpuStorage,
        beta_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        by_dtype!(x.dtype(), T => {
            let (gamma, beta) = (Rows::<T>::new(gamma, gamma_layout)?, Rows::<T>::new(beta, beta_layout)?);
            let out = self.forward(Rows::<T>::new(x, x_layout)?, gamma.row(0), beta.row(0));
            Ok((T::to_cpu_storage_owned(out), x_layout.shape().clone()))
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let dx = x.detach().apply_op3_no_bwd(&gamma.detach(), &grad, &NormaliseBackward { eps: self.eps })?;
        let by_column = |t: Tensor| t.flatten_to(D::Minus2)?.sum(0);
        let d_gamma = if gamma.track_op() {
            let x_hat = by_dtype!(x.dtype(), T => self.standardise::<T>(x)?);
            Some(by_column((x_hat * &grad)?)?)
        } else {
            None
        };
        let d_beta = if beta.track_op() { Some(by_column(grad)?) } else { None };
        Ok((Some(dx), d_gamma, d_beta))
    }
}

struct NormaliseBackward {
    eps: f64,
}

impl CustomOp3 for NormaliseBackward {
    fn name(&self) -> &'static str {
        "layer_norm_backward"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        by_dtype!(x.dtype(), T => {
            let gamma = Rows::<T>::new(gamma, gamma_layout)?;
            let op = Normalise { eps: self.eps };
            let dx = op.backward(
                Rows::<T>::new(x, x_layout)?, gamma.row(0), Rows::<T>::new(grad, grad_layout)?);
            Ok((T::to_cpu_storage_owned(dx), x_layout.shape().clone()))
        })
    }
}
