//! Multi-head attention over a plan: flat rows, shared prefixes, cached keys; no padding, no mask.
//!
//! Here it is as operations of candle's graph, and for plain rows. On the CPU `attend_blocks` computes it block by
//! block; elsewhere groups of equal shape are batched with candle's operations.

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Storage, Tensor, WithDType, bail,
};

use super::attend_blocks::{Call, Probabilities};
use super::dense::Dense;
use super::place::fused;
use super::plan::Attend;
use super::real::{Real, Rows, by_dtype};

/// Attention output `[rows, width]` for queries `[rows, width]` over own keys and values
/// `[n, 2·width]` (keys first) and the cached ones.
///
/// # Errors
/// Whatever candle reports; own or cached keys missing where the plan refers to them.
pub fn attend(q: &Tensor, own: Option<&Tensor>, call: Attend) -> Result<Tensor> {
    if q.dim(0)? != call.plan.rows() {
        bail!("attention plan has {} rows, the queries {}", call.plan.rows(), q.dim(0)?);
    }
    if !fused(q) {
        return super::attend_batched::attend_batched(q, own, &call);
    }
    match own {
        Some(own) => q.apply_op2(own, call),
        None => q.apply_op1(call),
    }
}

impl Attend {
    fn with_call<T: Real, R>(
        &self,
        q: Rows<'_, T>,
        own: Option<Rows<'_, T>>,
        f: impl FnOnce(&Call<'_, T>) -> Result<R>,
    ) -> Result<R> {
        let Some(cached) = &self.cached else {
            return f(&Call { op: self, q, own, cached: None });
        };
        let (storage, layout) = cached.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else { bail!("attention: cached keys are not on the CPU") };
        let cached = Some(Rows::new(storage, layout)?);
        f(&Call { op: self, q, own, cached })
    }

    /// Attention of plain rows, and with `keep` the probabilities for [`Self::gradients`], if they are few; see [`attend`].
    pub(super) fn apply<T: Real>(
        &self,
        q: &Dense<T>,
        own: Option<&Dense<T>>,
        keep: bool,
    ) -> Result<(Dense<T>, Option<Probabilities<T>>)> {
        let (out, kept) = self.with_call(q.view(), own.map(Dense::view), |call| call.forward(keep))?;
        Ok((Dense::new(out, q.col_count()), kept))
    }

    /// Gradients of plain queries and own keys and values for the gradient of their attention; `kept` is what
    /// [`Self::apply`] left.
    pub(super) fn gradients<T: Real>(
        &self,
        q: &Dense<T>,
        own: Option<&Dense<T>>,
        grad: &Dense<T>,
        kept: Option<&Probabilities<T>>,
    ) -> Result<(Dense<T>, Option<Dense<T>>)> {
        let width = q.col_count();
        let (dq, d_own) =
            self.with_call(q.view(), own.map(Dense::view), |call| call.backward(grad.view(), kept))?;
        Ok((Dense::new(dq, width), own.map(|_| Dense::new(d_own, 2 * width))))
    }

    fn forward(
        &self,
        q: (&CpuStorage, &Layout),
        own: Option<(&CpuStorage, &Layout)>,
    ) -> Result<(CpuStorage, Shape)> {
        by_dtype!(q.0.dtype(), T => {
            let (out, _) =
                self.with_call(Rows::<T>::new(q.0, q.1)?, rows(own)?, |call| call.forward(false))?;
            Ok((T::to_cpu_storage_owned(out), q.1.shape().clone()))
        })
    }

    fn backward(
        &self,
        q: (&CpuStorage, &Layout),
        own: Option<(&CpuStorage, &Layout)>,
        grad: (&CpuStorage, &Layout),
    ) -> Result<(CpuStorage, Shape)> {
        by_dtype!(q.0.dtype(), T => {
            let grad = Rows::<T>::new(grad.0, grad.1)?;
            let (mut out, d_own) =
                self.with_call(Rows::<T>::new(q.0, q.1)?, rows(own)?, |call| call.backward(grad, None))?;
            out.extend(d_own);
            let shape = Shape::from(out.len());
            Ok((T::to_cpu_storage_owned(out), shape))
        })
    }
}

fn rows<'a, T: Real>(own: Option<(&'a CpuStorage, &Layout)>) -> Result<Option<Rows<'a, T>>> {
    own.map(|(storage, layout)| Rows::new(storage, layout)).transpose()
}

impl CustomOp1 for Attend {
    fn name(&self) -> &'static str {
        "attend_cached"
    }

    fn cpu_fwd(&self, q: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward((q, layout), None)
    }

    fn bwd(&self, q: &Tensor, _out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let op = AttendBackward(self.clone());
        let dq = q.detach().apply_op2_no_bwd(&grad.contiguous()?, &op)?;
        dq.reshape(q.shape()).map(Some)
    }
}

impl CustomOp2 for Attend {
    fn name(&self) -> &'static str {
        "attend"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        q_layout: &Layout,
        own: &CpuStorage,
        own_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward((q, q_layout), Some((own, own_layout)))
    }

    fn bwd(
        &self,
        q: &Tensor,
        own: &Tensor,
        _out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let op = AttendBackward(self.clone());
        let both = q.detach().apply_op3_no_bwd(&own.detach(), &grad.contiguous()?, &op)?;
        let q_len = q.elem_count();
        let dq = both.narrow(0, 0, q_len)?.reshape(q.shape())?;
        let d_own = both.narrow(0, q_len, own.elem_count())?.reshape(own.shape())?;
        Ok((Some(dq), Some(d_own)))
    }
}

struct AttendBackward(Attend);

impl CustomOp2 for AttendBackward {
    fn name(&self) -> &'static str {
        "attend_cached_backward"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        q_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.0.backward((q, q_layout), None, (grad, grad_layout))
    }
}

impl CustomOp3 for AttendBackward {
    fn name(&self) -> &'static str {
        "attend_backward"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        q_layout: &Layout,
        own: &CpuStorage,
        own_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.0.backward((q, q_layout), Some((own, own_layout)), (grad, grad_layout))
    }
}
