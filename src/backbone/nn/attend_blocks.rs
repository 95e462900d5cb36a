//! Attention on the CPU: a task for each (group, head) computes its block with two small matrix products.
//!
//! A block depends on its own group alone, so bits depend neither on the other groups nor on the number of threads.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, Layout, Result, Shape, bail};
use rayon::prelude::*;

use super::kernels::{dot, softmax_row};
use super::operations::multiplied;
use super::plan::{Attend, Group};
use super::real::{Real, Rows};
use crate::util::vectorised;

/// Below this many multiply-adds per head the tasks stay on one thread.
const PARALLEL_FROM: usize = 1 << 17;

/// A matrix inside a storage: where it starts and how far apart rows lie.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    storage: &'a CpuStorage,
    offset: usize,
    stride: usize,
}

impl<'a> Matrix<'a> {
    pub fn new<T: Real>(storage: &'a CpuStorage, layout: &Layout) -> Result<Self> {
        let rows = Rows::<T>::new(storage, layout)?;
        Ok(Self { storage, offset: layout.start_offset(), stride: rows.stride })
    }

    /// Layout of `rows` rows and `cols` columns from (row, col); `transposed` swaps the two.
    fn layout(&self, row: usize, col: usize, rows: usize, cols: usize, transposed: bool) -> Layout {
        let start = self.offset + row * self.stride + col;
        match transposed {
            false => Layout::new(Shape::from((rows, cols)), vec![self.stride, 1], start),
            true => Layout::new(Shape::from((cols, rows)), vec![1, self.stride], start),
        }
    }
}

fn product<T: Real>(
    a: (&CpuStorage, Layout),
    b: (&CpuStorage, Layout),
    (m, n, k): (usize, usize, usize),
) -> Result<Vec<T>> {
    T::cpu_storage_data(a.0.matmul(b.0, (1, m, n, k), &a.1, &b.1)?)
}

/// Everything a task needs to see, borrowed.
pub(super) struct Call<'a> {
    pub op: &'a Attend,
    pub width: usize,
    pub q: Matrix<'a>,
    pub own: Option<Matrix<'a>>,
    pub cached: Option<Matrix<'a>>,
}

/// One (group, head): its keys and values, in place when they are one range, gathered otherwise.
struct Keys<'a> {
    k: (Matrix<'a>, usize, usize),
    v: (Matrix<'a>, usize, usize),
    count: usize,
}

impl Keys<'_> {
    fn k(&self, head_dim: usize, transposed: bool) -> (&CpuStorage, Layout) {
        let (matrix, row, col) = &self.k;
        (matrix.storage, matrix.layout(*row, *col, self.count, head_dim, transposed))
    }

    fn v(&self, head_dim: usize, transposed: bool) -> (&CpuStorage, Layout) {
        let (matrix, row, col) = &self.v;
        (matrix.storage, matrix.layout(*row, *col, self.count, head_dim, transposed))
    }
}

/// Gradient blocks of one (group, head).
struct Blocks<T> {
    dq: Vec<T>,
    dk: Vec<T>,
    dv: Vec<T>,
}

impl<'a> Call<'a> {
    fn head_dim(&self) -> usize {
        self.width / self.op.heads
    }

    fn parts(&self, group: &Group) -> Result<Vec<(Matrix<'a>, std::ops::Range<usize>)>> {
        let cached = group.cached.iter().map(|range| (self.cached, range));
        let own = group.own.iter().map(|range| (self.own, range));
        cached
            .chain(own)
            .map(|(matrix, range)| match matrix {
                Some(matrix) => Ok((matrix, range.clone())),
                None => bail!("attention plan refers to keys that were not given"),
            })
            .collect()
    }

    /// Rows of several parts, one after another: `[count, 2·head_dim]`, keys then values.
    fn gather<T: Real>(&self, group: &Group, head: usize) -> Result<CpuStorage> {
        let head_dim = self.head_dim();
        let mut rows = Vec::with_capacity(group.key_count() * 2 * head_dim);
        for (matrix, range) in self.parts(group)? {
            let data = T::cpu_storage_as_slice(matrix.storage)?;
            for row in range {
                for side in 0..2 {
                    let start = matrix.offset + row * matrix.stride + side * self.width + head * head_dim;
                    rows.extend_from_slice(&data[start..start + head_dim]);
                }
            }
        }
        Ok(T::to_cpu_storage_owned(rows))
    }

    /// Runs `f` with the keys and values of one (group, head).
    fn with_keys<T: Real, R>(
        &self,
        group: &Group,
        head: usize,
        f: impl FnOnce(&Keys<'_>) -> Result<R>,
    ) -> Result<R> {
        let (head_dim, count) = (self.head_dim(), group.key_count());
        if let [(matrix, range)] = self.parts(group)?.as_slice() {
            let col = head * head_dim;
            let (k, v) = ((*matrix, range.start, col), (*matrix, range.start, self.width + col));
            return f(&Keys { k, v, count });
        }
        let storage = self.gather::<T>(group, head)?;
        let matrix = Matrix { storage: &storage, offset: 0, stride: 2 * head_dim };
        f(&Keys { k: (matrix, 0, 0), v: (matrix, 0, head_dim), count })
    }

    /// Attention probabilities `[queries, keys]`; hidden keys get exactly 0.
    fn probabilities<T: Real>(&self, group: &Group, head: usize, keys: &Keys<'_>) -> Result<Vec<T>> {
        let (head_dim, n) = (self.head_dim(), group.queries.len());
        let q = self.q.layout(group.queries.start, head * head_dim, n, head_dim, false);
        let mut scores =
            product::<T>((self.q.storage, q), keys.k(head_dim, true), (n, keys.count, head_dim))?;
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

    fn forward_block<T: Real>(&self, group: &Group, head: usize) -> Result<Vec<T>> {
        self.with_keys::<T, _>(group, head, |keys| {
            let p = T::to_cpu_storage_owned(self.probabilities::<T>(group, head, keys)?);
            let (n, head_dim) = (group.queries.len(), self.head_dim());
            let p_layout = Layout::contiguous((n, keys.count));
            product::<T>((&p, p_layout), keys.v(head_dim, false), (n, head_dim, keys.count))
        })
    }

    fn backward_block<T: Real>(&self, group: &Group, head: usize, grad: Matrix<'_>) -> Result<Blocks<T>> {
        self.with_keys::<T, _>(group, head, |keys| {
            let (n, m, head_dim) = (group.queries.len(), keys.count, self.head_dim());
            let p = self.probabilities::<T>(group, head, keys)?;
            let col = head * head_dim;
            let d_out = |t| (grad.storage, grad.layout(group.queries.start, col, n, head_dim, t));
            let mut ds = product::<T>(d_out(false), keys.v(head_dim, true), (n, m, head_dim))?;
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
            let ds = T::to_cpu_storage_owned(ds);
            let ds_layout = Layout::contiguous((n, m));
            let dq = product::<T>((&ds, ds_layout.clone()), keys.k(head_dim, false), (n, head_dim, m))?;
            if group.own.is_empty() {
                return Ok(Blocks { dq, dk: Vec::new(), dv: Vec::new() });
            }
            let q = self.q.layout(group.queries.start, col, n, head_dim, false);
            let dk = product::<T>((&ds, ds_layout.transpose(0, 1)?), (self.q.storage, q), (m, head_dim, n))?;
            let p = T::to_cpu_storage_owned(p);
            let dv = product::<T>((&p, ds_layout.transpose(0, 1)?), d_out(false), (m, head_dim, n))?;
            Ok(Blocks { dq, dk, dv })
        })
    }

    /// Runs `f` for every (group, head), in parallel when it pays; results in that order.
    fn for_blocks<R: Send>(&self, f: impl Fn(&Group, usize) -> Result<R> + Sync) -> Result<Vec<R>> {
        let (groups, heads) = (self.op.plan.groups(), self.op.heads);
        let task = |i: usize| f(&groups[i / heads], i % heads);
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
        let of = |group: &Group| products(group) * group.queries.len() * group.key_count() * self.width;
        multiplied(self.op.plan.groups().iter().map(of).sum());
    }

    /// Attention output `[rows, width]`.
    pub fn forward<T: Real>(&self) -> Result<Vec<T>> {
        self.count(|_| 2);
        let blocks = self.for_blocks(|group, head| self.forward_block::<T>(group, head))?;
        let mut out = vec![T::ZERO; self.op.plan.rows() * self.width];
        self.scatter(&blocks, &mut out);
        Ok(out)
    }

    /// Puts blocks `[queries, head_dim]` in (group, head) order into rows `[rows, width]`.
    fn scatter<T: Real>(&self, blocks: &[impl AsRef<[T]>], out: &mut [T]) {
        let head_dim = self.head_dim();
        for (i, block) in blocks.iter().enumerate() {
            let (group, head) = (&self.op.plan.groups()[i / self.op.heads], i % self.op.heads);
            for (row, values) in group.queries.clone().zip(block.as_ref().chunks(head_dim)) {
                let start = row * self.width + head * head_dim;
                out[start..start + head_dim].copy_from_slice(values);
            }
        }
    }

    /// Gradients of queries `[rows, width]` and of own keys and values `[n, 2·width]`.
    pub fn backward<T: Real>(&self, grad: Matrix<'_>, own_rows: usize) -> Result<(Vec<T>, Vec<T>)> {
        // Probabilities once more, their gradient and that of the queries; of own keys and values, too.
        self.count(|group| if group.own.is_empty() { 3 } else { 5 });
        let blocks = self.for_blocks(|group, head| self.backward_block::<T>(group, head, grad))?;
        let mut dq = vec![T::ZERO; self.op.plan.rows() * self.width];
        let mut d_own = vec![T::ZERO; own_rows * 2 * self.width];
        let q_blocks: Vec<&[T]> = blocks.iter().map(|b| b.dq.as_slice()).collect();
        self.scatter(&q_blocks, &mut dq);
        let head_dim = self.head_dim();
        for (i, block) in blocks.iter().enumerate() {
            let (group, head) = (&self.op.plan.groups()[i / self.op.heads], i % self.op.heads);
            let skipped: usize = group.cached.iter().map(ExactSizeIterator::len).sum();
            let rows = group.own.iter().cloned().flatten().zip(skipped..);
            for (row, key) in rows {
                for (side, values) in [&block.dk, &block.dv].into_iter().enumerate() {
                    let start = row * 2 * self.width + side * self.width + head * head_dim;
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
