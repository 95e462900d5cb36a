//! Attention over an uploaded plan as operations of a device, with its backward written out.

use candle_core::{Result, Tensor, bail};

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
}

/// What backward needs: scaled queries, keys, values and probabilities, `[groups, heads, rows, …]` each.
pub(super) struct Kept {
    q: Tensor,
    k: Tensor,
    v: Tensor,
    p: Tensor,
}

impl Attention {
    /// Attention of queries like `q`, `[rows, width]`, over own and cached keys.
    pub fn new(
        plan: &AttentionPlan,
        heads: usize,
        q: &Tensor,
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
        let plan = uploaded(plan, own_start, own_start + own.unwrap_or(0), q.dtype(), q.device())?;
        Ok(Self { plan, rows, heads, own, own_start })
    }

    /// Rows `[rows, width]` as `[groups, heads, queries, head_dim]`, a view.
    fn split(&self, rows: &Tensor) -> Result<Tensor> {
        let (groups, queries) = (self.plan.groups, self.plan.queries);
        let rows = match &self.plan.query_rows {
            Some(indices) => op::rows(rows, indices)?,
            None => rows.clone(),
        };
        rows.reshape((groups, queries, self.heads, ()))?.transpose(1, 2)
    }

    /// `[groups, heads, queries, head_dim]` times `scale` as rows `[rows, width]`.
    fn merge(&self, x: &Tensor, scale: Option<f64>) -> Result<Tensor> {
        let x = x.transpose(1, 2)?;
        let x = match scale {
            Some(scale) => op::affine(&x, scale, 0.0)?,
            None => op::contiguous(&x)?,
        };
        let x = x.reshape((self.plan.groups * self.plan.queries, ()))?;
        match &self.plan.places {
            Some(places) => op::rows(&x, places),
            None => Ok(x),
        }
    }

    /// Keys and values of every group, `[groups, heads, keys, head_dim]` each.
    fn keys(&self, own: Option<&Tensor>, cached: Option<&Tensor>) -> Result<[Tensor; 2]> {
        let all = match (cached, own) {
            (Some(cached), Some(own)) => op::cat(cached, own)?,
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => bail!("attention needs own or cached keys"),
        };
        let all = match &self.plan.key_rows {
            Some(indices) => op::rows(&all, indices)?,
            None => all,
        };
        let all = all.reshape((self.plan.groups, self.plan.keys, 2, self.heads, ()))?;
        let all = op::contiguous(&all.permute((2, 0, 3, 1, 4))?)?;
        Ok([all.get(0)?, all.get(1)?])
    }

    fn scale(head_dim: usize) -> f64 {
        (head_dim as f64).powf(-0.5)
    }

    /// Attention output `[rows, width]` for queries `[rows, width]` before their bias.
    pub fn forward(
        &self,
        q: &Tensor,
        bias: Option<&Tensor>,
        own: Option<&Tensor>,
        cached: Option<&Tensor>,
    ) -> Result<(Tensor, Kept)> {
        let q = self.split(q)?;
        let head_dim = q.dim(3)?;
        let q = match bias {
            Some(bias) => op::add(&q, &bias.reshape((1, self.heads, 1, head_dim))?)?,
            None => q,
        };
        let q = op::affine(&q, Self::scale(head_dim), 0.0)?;
        let [k, v] = self.keys(own, cached)?;
        let mut scores = op::matmul(&q, &k.transpose(2, 3)?)?;
        if let Some(mask) = &self.plan.mask {
            scores = op::add(&scores, mask)?;
        }
        let p = op::softmax(&scores)?;
        let out = self.merge(&op::matmul(&p, &v)?, None)?;
        Ok((out, Kept { q, k, v, p }))
    }

    /// Gradients of queries `[rows, width]` and of own keys and values `[own rows, 2·width]`.
    pub fn backward(&self, kept: &Kept, grad: &Tensor) -> Result<(Tensor, Option<Tensor>)> {
        let d = self.split(grad)?;
        let d = match &self.plan.real {
            Some(real) => op::mul(&d, real)?,
            None => op::contiguous(&d)?,
        };
        let dp = op::matmul(&d, &kept.v.transpose(2, 3)?)?;
        let mean = op::sum(&op::mul(&dp, &kept.p)?)?;
        let ds = op::mul(&op::sub(&dp, &mean)?, &kept.p)?;
        let scale = Self::scale(kept.q.dim(3)?);
        let dq = self.merge(&op::matmul(&ds, &kept.k)?, Some(scale))?;
        debug_assert_eq!(dq.dims()[0], self.rows);
        let Some(own) = self.own else { return Ok((dq, None)) };
        let dk = op::matmul(&ds.transpose(2, 3)?, &kept.q)?;
        let dv = op::matmul(&kept.p.transpose(2, 3)?, &d)?;
        let both = op::contiguous(&op::stack(&dk, &dv)?.permute((1, 3, 0, 2, 4))?)?;
        let both = both.reshape((self.plan.groups * self.plan.keys, ()))?;
        let both = match &self.plan.key_rows {
            Some(indices) => op::add_rows(self.own_start + own, indices, &both)?,
            None => both,
        };
        Ok((dq, Some(both.narrow(0, self.own_start, own)?)))
    }
}
