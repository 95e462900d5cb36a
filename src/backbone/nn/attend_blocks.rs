//! Attention on the CPU: a task for each (group, head) computes its block with two small matrix products.
//!
//! A block depends on its own group alone, so bits depend neither on the other groups nor on the number of threads.

use std::borrow::Cow;
use std::ops::Range;

use candle_core::{Result, bail};
use rayon::prelude::*;

use super::kernels::{dot, for_each_row, softmax_row, zeros};
use super::multiply::{Operand, Threads, multiply};
use super::operations::multiplied;
use super::plan::{Attend, Group};
use super::real::{Real, Rows};
use super::recycled::scratch;
use crate::util::vectorised;

/// Up to so many probabilities of a call are kept for backward; more are computed again. RPO's 24 readers of four images
/// stay below it.
const KEPT_UP_TO: usize = 1 << 18;

/// Attention probabilities `[queries, keys]` of every (group, head), in that order.
pub(super) type Probabilities<T> = Vec<Vec<T>>;

/// Below this many multiply-adds per head the tasks stay on one thread.
const PARALLEL_FROM: usize = 1 << 17;

/// Numbers of a matrix from a row and a column on.
fn from<'a, T>(rows: &Rows<'a, T>, row: usize, col: usize) -> Operand<'a, T> {
    Operand::rows(&rows.data[row * rows.stride + col..], rows.stride)
}

/// Everything a task needs to see, borrowed.
pub(super) struct Call<'a, T> {
    pub op: &'a Attend,
    pub q: Rows<'a, T>,
    pub own: Option<Rows<'a, T>>,
    pub cached: Option<Rows<'a, T>>,
}

/// Keys and values of one (group, head), in place when they are one range, gathered otherwise.
struct Keys<'a, T> {
    k: Operand<'a, T>,
    v: Operand<'a, T>,
    count: usize,
}

/// Gradient blocks of one (group, head).
struct Blocks<T> {
    dq: Vec<T>,
    dk: Vec<T>,
    dv: Vec<T>,
}

impl<'a, T: Real> Call<'a, T> {
    /// Refuses rows that are not the plan's.
    fn check(&self, rows: Rows<'_, T>) -> Result<()> {
        let (expected, width, heads) = (self.op.plan.rows(), self.width(), self.op.heads);
        if rows.rows != expected || !width.is_multiple_of(heads) {
            bail!("attention of {expected} rows with {heads} heads: got {} rows of width {width}", rows.rows);
        }
        Ok(())
    }

    /// Where there are as many tasks as threads, each has one of them.
    fn product(&self, a: Operand<'_, T>, b: Operand<'_, T>, size: (usize, usize, usize)) -> Result<Vec<T>> {
        let tasks = self.op.plan.groups().len() * self.op.heads;
        let threads = if tasks < rayon::current_num_threads() { Threads::All } else { Threads::One };
        multiply(a, b, size, threads)
    }

    fn width(&self) -> usize {
        self.q.cols
    }

    fn head_dim(&self) -> usize {
        self.width() / self.op.heads
    }

    fn parts(&self, group: &Group) -> Result<Vec<(Rows<'a, T>, Range<usize>)>> {
        let cached = group.cached.iter().map(|range| (self.cached, range));
        let own = group.own.iter().map(|range| (self.own, range));
        cached
            .chain(own)
            .map(|(rows, range)| match rows {
                Some(rows) if range.end <= rows.rows => Ok((rows, range.clone())),
                Some(rows) => bail!("attention plan refers to keys {range:?} of {}", rows.rows),
                None => bail!("attention plan refers to keys that were not given"),
            })
            .collect()
    }

    /// Runs `f` with the keys and values of one (group, head).
    fn with_keys<R>(
        &self,
        group: &Group,
        head: usize,
        f: impl FnOnce(&Keys<'_, T>) -> Result<R>,
    ) -> Result<R> {
        let (head_dim, width, count) = (self.head_dim(), self.width(), group.key_count());
        let (parts, col) = (self.parts(group)?, head * head_dim);
        if let [(rows, range)] = parts.as_slice() {
            let (k, v) = (from(rows, range.start, col), from(rows, range.start, width + col));
            return f(&Keys { k, v, count });
        }
        let mut gathered = Vec::with_capacity(count * 2 * head_dim);
        for (rows, range) in parts {
            for row in range {
                for start in [row * rows.stride + col, row * rows.stride + width + col] {
                    gathered.extend_from_slice(&rows.data[start..start + head_dim]);
                }
            }
        }
        let k = Operand::rows(&gathered, 2 * head_dim);
        let v = Operand::rows(&gathered[head_dim.min(gathered.len())..], 2 * head_dim);
        f(&Keys { k, v, count })
    }

    /// Queries of one (group, head).
    fn queries(&self, group: &Group, head: usize) -> Operand<'a, T> {
        from(&self.q, group.queries.start, head * self.head_dim())
    }

    /// Attention probabilities `[queries, keys]`; hidden keys get exactly 0.
    fn probabilities(&self, group: &Group, head: usize, keys: &Keys<'_, T>) -> Result<Vec<T>> {
        let (head_dim, n) = (self.head_dim(), group.queries.len());
        let (q, size) = (self.queries(group, head), (n, keys.count, head_dim));
        let mut scores = self.product(q, keys.k.transposed(), size)?;
        let scale = T::from_f64((head_dim as f64).powf(-0.5));
        vectorised(
            #[inline(always)]
            || {
                for (i, row) in scores.chunks_mut(keys.count).enumerate() {
                    let (seen, hidden) = row.split_at_mut(keys.count - group.hidden_from(i));
                    for x in seen.iter_mut() {
                        *x *= scale;
                    }
                    softmax_row(seen);
                    hidden.fill(T::ZERO);
                }
            },
        );
        Ok(scores)
    }

    /// Output and probabilities.
    fn forward_block(&self, group: &Group, head: usize) -> Result<(Vec<T>, Vec<T>)> {
        self.with_keys(group, head, |keys| {
            let p = self.probabilities(group, head, keys)?;
            let size = (group.queries.len(), self.head_dim(), keys.count);
            Ok((self.product(Operand::rows(&p, keys.count), keys.v, size)?, p))
        })
    }

    /// `kept` are its probabilities, where forward left them.
    fn backward_block(
        &self,
        (group, head): (&Group, usize),
        grad: Rows<'_, T>,
        kept: Option<&[T]>,
    ) -> Result<Blocks<T>> {
        self.with_keys(group, head, |keys| {
            let (n, m, head_dim) = (group.queries.len(), keys.count, self.head_dim());
            let p = match kept {
                Some(kept) => Cow::Borrowed(kept),
                None => Cow::Owned(self.probabilities(group, head, keys)?),
            };
            let d_out = from(&grad, group.queries.start, head * head_dim);
            let mut ds = self.product(d_out, keys.v.transposed(), (n, m, head_dim))?;
            let scale = T::from_f64((head_dim as f64).powf(-0.5));
            vectorised(
                #[inline(always)]
                || {
                    for (ds, p) in ds.chunks_mut(m).zip(p.chunks(m)) {
                        let mean = dot(ds, p);
                        for (d, p) in ds.iter_mut().zip(p) {
                            *d = *p * (*d - mean) * scale;
                        }
                    }
                },
            );
            let (ds, p) = (Operand::rows(&ds, m), Operand::rows(&p, m));
            let dq = self.product(ds, keys.k, (n, head_dim, m))?;
            if group.own.is_empty() {
                return Ok(Blocks { dq, dk: Vec::new(), dv: Vec::new() });
            }
            let dk = self.product(ds.transposed(), self.queries(group, head), (m, head_dim, n))?;
            let dv = self.product(p.transposed(), d_out, (m, head_dim, n))?;
            Ok(Blocks { dq, dk, dv })
        })
    }

    /// Runs `f` for the number of every (group, head) and for both, in parallel when it pays; results in that order.
    fn for_blocks<R: Send>(&self, f: impl Fn(usize, &Group, usize) -> Result<R> + Sync) -> Result<Vec<R>> {
        let (groups, heads) = (self.op.plan.groups(), self.op.heads);
        let task = |i: usize| f(i, &groups[i / heads], i % heads);
        let work: usize = groups.iter().map(|g| g.queries.len() * g.key_count() * self.head_dim()).sum();
        let tasks = groups.len() * heads;
        if work * heads < PARALLEL_FROM {
            return (0..tasks).map(task).collect();
        }
        let grain = (tasks * PARALLEL_FROM / 4 / (work * heads)).max(1);
        (0..tasks).into_par_iter().with_min_len(grain).map(task).collect()
    }

    /// Notes so many products of queries and keys, or of as many numbers, for every group.
    fn count(&self, products: impl Fn(&Group) -> usize) {
        let of = |group: &Group| products(group) * group.queries.len() * group.key_count() * self.width();
        multiplied(self.op.plan.groups().iter().map(of).sum());
    }

    /// Attention output `[rows, width]`, and with `keep` the probabilities, if they are few.
    pub fn forward(&self, keep: bool) -> Result<(Vec<T>, Option<Probabilities<T>>)> {
        self.check(self.q)?;
        self.count(|_| 2);
        let pairs: usize =
            self.op.plan.groups().iter().map(|group| group.queries.len() * group.key_count()).sum();
        if !keep || pairs * self.op.heads > KEPT_UP_TO {
            let blocks = self.for_blocks(|_, group, head| Ok(self.forward_block(group, head)?.0))?;
            return Ok((self.by_row(&blocks), None));
        }
        let blocks = self.for_blocks(|_, group, head| self.forward_block(group, head))?;
        let (blocks, kept): (Vec<Vec<T>>, _) = blocks.into_iter().unzip();
        Ok((self.by_row(&blocks), Some(kept)))
    }

    /// Blocks `[queries, head_dim]` in (group, head) order as rows `[rows, width]`.
    fn by_row(&self, blocks: &[impl AsRef<[T]> + Sync]) -> Vec<T> {
        let (head_dim, heads, groups) = (self.head_dim(), self.op.heads, self.op.plan.groups());
        let mut out = scratch(self.op.plan.rows() * self.width());
        for_each_row(
            &mut out,
            self.width(),
            #[inline(always)]
            |row, values| {
                let group = groups.partition_point(|group| group.queries.end <= row);
                let start = (row - groups[group].queries.start) * head_dim;
                let own = &blocks[group * heads..(group + 1) * heads];
                for (values, block) in values.chunks_exact_mut(head_dim).zip(own) {
                    values.copy_from_slice(&block.as_ref()[start..start + head_dim]);
                }
            },
        );
        out
    }

    /// Gradients of queries `[rows, width]` and of own keys and values `[n, 2·width]`; `kept` is what forward left.
    pub fn backward(&self, grad: Rows<'_, T>, kept: Option<&Probabilities<T>>) -> Result<(Vec<T>, Vec<T>)> {
        self.check(self.q).and_then(|()| self.check(grad))?;
        // Probabilities once more, their gradient and that of the queries; of own keys and values, too.
        let again = usize::from(kept.is_none());
        self.count(|group| again + if group.own.is_empty() { 2 } else { 4 });
        let blocks = self.for_blocks(|i, group, head| {
            let kept = kept.and_then(|kept| kept.get(i)).map(Vec::as_slice);
            self.backward_block((group, head), grad, kept)
        })?;
        let own_rows = self.own.map_or(0, |own| own.rows);
        let mut d_own = zeros(own_rows * 2 * self.width());
        let q_blocks: Vec<&[T]> = blocks.iter().map(|b| b.dq.as_slice()).collect();
        let dq = self.by_row(&q_blocks);
        let head_dim = self.head_dim();
        for (i, block) in blocks.iter().enumerate() {
            let (group, head) = (&self.op.plan.groups()[i / self.op.heads], i % self.op.heads);
            let skipped: usize = group.cached.iter().map(ExactSizeIterator::len).sum();
            let rows = group.own.iter().cloned().flatten().zip(skipped..);
            for (row, key) in rows {
                for (side, values) in [&block.dk, &block.dv].into_iter().enumerate() {
                    let start = row * 2 * self.width() + side * self.width() + head * head_dim;
                    let target = &mut d_own[start..start + head_dim];
                    for (d, x) in target.iter_mut().zip(&values[key * head_dim..]) {
                        *d += *x;
                    }
                }
            }
        }
        Ok((dq, d_own))
    }
}
