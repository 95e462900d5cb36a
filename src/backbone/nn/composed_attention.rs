//! Attention over an uploaded plan as operations of a device, with its backward written out.

use candle_core::{DType, Result, Tensor, bail};

use super::between::{self, Heads};
use super::operations::{self as op};
use super::plan::AttentionPlan;
use super::uploaded::{Uploaded, uploaded};

/// Where a call's keys come from, and its plan on the device.
pub(super) struct Attention {
    plan: std::sync::Arc<Uploaded>,
    rows: usize,
    heads: usize,
    /// Rows of own keys, where there are any.
    own: Option<usize>,
    own_start: usize,
    /// The type attention is computed in.
    dtype: DType,
}

/// What backward needs: scaled queries, keys, values and probabilities, `[groups, heads, rows, …]` each.
pub(super) struct Kept {
    q: Tensor,
    k: Tensor,
    v: Tensor,
    p: Tensor,
}

impl Attention {
    /// Attention of queries like `q`, `[rows, width]`, over own and cached keys, computed in `dtype`.
    pub fn new(
        plan: &AttentionPlan,
        heads: usize,
        (q, dtype): (&Tensor, DType),
        own: Option<&Tensor>,
        cached: Option<&Tensor>,
    ) -> Result<Self> {
        let rows = q.dim(0)?;
        if rows != plan.rows() {
            bail!("attention plan has {} rows, the queries {rows}", plan.rows());
        }
        let own = own.map(|own| own.dim(0)).transpose()?;
        let own_start = cached.map_or(Ok(0), |cached| cached.dim(0))?;
        let needs = |ranges: fn(&super::plan::Group) -> bool| plan.groups().iter().any(ranges);
        if (own.is_none() && needs(|group| !group.own.is_empty()))
            || (cached.is_none() && needs(|group| !group.cached.is_empty()))
        {
            bail!("attention plan refers to keys that were not given");
        }
        let plan = uploaded(plan, own_start, own_start + own.unwrap_or(0), dtype, q.device())?;
        Ok(Self { plan, rows, heads, own, own_start, dtype })
    }

    /// Rows `[rows, width]` as `[groups, heads, queries, head_dim]`, a padded place as 0 where `real` is given.
    fn split(&self, x: &Tensor, bias: Option<&Tensor>, scale: f64, real: Option<&Tensor>) -> Result<Tensor> {
        let to = Heads { groups: self.plan.groups, queries: self.plan.queries, heads: self.heads };
        between::split(x, [self.plan.query_rows.as_ref(), bias, real], scale, to, self.dtype)
    }

    fn merge(&self, x: &Tensor, scale: f64, operand: DType) -> Result<Tensor> {
        between::merge(x, self.plan.places.as_ref(), scale, operand)
    }

    /// Keys and values of every group, `[groups, heads, keys, head_dim]` each.
    fn keys(&self, own: Option<&Tensor>, cached: Option<&Tensor>) -> Result<[Tensor; 2]> {
        let rows = self.plan.key_rows.as_ref();
        between::keys([cached, own, rows], self.own_start, [self.plan.groups, self.plan.keys, self.heads])
    }

    fn scale(head_dim: usize) -> f64 {
        (head_dim as f64).powf(-0.5)
    }

    /// Attention output `[rows, width]`, as operands of the next product, for queries `[rows, width]` before their bias.
    pub fn forward(
        &self,
        q: &Tensor,
        bias: Option<&Tensor>,
        own: Option<&Tensor>,
        cached: Option<&Tensor>,
    ) -> Result<(Tensor, Kept)> {
        let operand = q.dtype();
        let q = self.split(q, bias, Self::scale(q.dim(1)? / self.heads), None)?;
        let [k, v] = self.keys(own, cached)?;
        let p = between::softmax(&op::matmul(&q, &k.transpose(2, 3)?)?, self.plan.mask.as_ref())?;
        let out = self.merge(&op::matmul(&p, &v)?, 1.0, operand)?;
        Ok((out, Kept { q, k, v, p }))
    }

    /// Gradients of queries `[rows, width]`, as operands of the next product, and of own keys and values
    /// `[own rows, 2·width]`.
    pub fn backward(&self, kept: &Kept, grad: &Tensor) -> Result<(Tensor, Option<Tensor>)> {
        let d = self.split(grad, None, 1.0, self.plan.real.as_ref())?;
        let ds = between::softmax_backward(&op::matmul(&d, &kept.v.transpose(2, 3)?)?, &kept.p)?;
        let scale = Self::scale(kept.q.dim(3)?);
        let dq = self.merge(&op::matmul(&ds, &kept.k)?, scale, grad.dtype())?;
        debug_assert_eq!(dq.dims()[0], self.rows);
        let Some(own) = self.own else { return Ok((dq, None)) };
        let dk = op::matmul(&ds.transpose(2, 3)?, &kept.q)?;
        let dv = op::matmul(&kept.p.transpose(2, 3)?, &d)?;
        let both = between::join_keys(&dk, &dv)?;
        let both = match &self.plan.key_rows {
            Some(indices) => op::add_rows(self.own_start + own, indices, &both)?,
            None => both,
        };
        Ok((dq, Some(both.narrow(0, self.own_start, own)?)))
    }
}
