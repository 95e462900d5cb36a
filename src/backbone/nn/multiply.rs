//! Matrix products of plain numbers by the `gemm` crate, which is candle's own on the CPU: the same kernels and bits, without
//! a tensor, a cleared result and a look at the environment around each of them.

use candle_core::{CpuStorage, Layout, Result, bail};
use gemm::Parallelism;

use super::real::Real;

/// A matrix inside a slice: entry (i, j) lies at `i·row + j·col`.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a, T> {
    data: &'a [T],
    row: usize,
    col: usize,
}

impl<'a, T> Operand<'a, T> {
    /// Rows that lie `stride` apart, their numbers side by side.
    pub fn rows(data: &'a [T], stride: usize) -> Self {
        Self { data, row: stride, col: 1 }
    }

    /// A tensor `[rows, cols]`, however it lies.
    pub fn of(storage: &'a CpuStorage, layout: &Layout) -> Result<Self>
    where
        T: Real,
    {
        let data = &T::cpu_storage_as_slice(storage)?[layout.start_offset()..];
        match layout.stride() {
            [row, col] => Ok(Self { data, row: *row, col: *col }),
            _ => bail!("product with a tensor of shape {:?}", layout.shape()),
        }
    }

    pub fn transposed(self) -> Self {
        Self { row: self.col, col: self.row, ..self }
    }

    fn holds(&self, rows: usize, cols: usize) -> bool {
        rows == 0 || cols == 0 || (rows - 1) * self.row + (cols - 1) * self.col < self.data.len()
    }
}

/// Who computes a product.
#[derive(Clone, Copy)]
pub(super) enum Threads {
    /// The calling thread: it is one of several at the same work.
    One,
    /// All of the pool it is called in, where the product is large enough.
    All,
}

/// A·B for A `[m, k]` and B `[k, n]`, in row order.
///
/// # Errors
/// An operand that is shorter than its size says: a fault of this program.
pub(super) fn multiply<T: Real>(
    a: Operand<'_, T>,
    b: Operand<'_, T>,
    (m, n, k): (usize, usize, usize),
    threads: Threads,
) -> Result<Vec<T>> {
    if !a.holds(m, k) || !b.holds(k, n) {
        bail!("product of [{m}, {k}] and [{k}, {n}]: {} and {} numbers", a.data.len(), b.data.len());
    }
    let threads = match threads {
        Threads::One => 1,
        Threads::All => rayon::current_num_threads(),
    };
    let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
    let mut out = Vec::with_capacity(m * n);
    fill(&mut out, (a, b), (m, n, k), parallelism);
    Ok(out)
}

/// Operands have to hold what the size says.
#[expect(unsafe_code, reason = "the crate takes pointers; memory is not cleared before it is filled")]
fn fill<T: Real>(
    out: &mut Vec<T>,
    (a, b): (Operand<'_, T>, Operand<'_, T>),
    (m, n, k): (usize, usize, usize),
    parallelism: Parallelism,
) {
    let stride = |n: usize| n as isize;
    // SAFETY: entry (i, j) of each operand lies within its slice, as `multiply` has checked; the result has room for m·n
    // numbers, which `gemm` writes without reading them (`read_dst` is false, α is 0), so all of them are set behind it.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride(n),
            false,
            a.data.as_ptr(),
            stride(a.col),
            stride(a.row),
            b.data.as_ptr(),
            stride(b.col),
            stride(b.row),
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            parallelism,
        );
        out.set_len(m * n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums in the order of the inner dimension: exact here, since all numbers are small and whole.
    #[test]
    fn products_are_those_of_the_definition_in_every_order() {
        for (m, n, k) in [(1, 1, 1), (3, 5, 2), (7, 40, 9), (1, 33, 12), (33, 1, 12), (4, 4, 0), (0, 3, 2)] {
            let value = |i: usize, j: usize| ((i * 7 + j * 3) % 5) as f32 - 2.0;
            let a: Vec<f32> = (0..m * k).map(|at| value(at / k.max(1), at % k.max(1))).collect();
            let turned: Vec<f32> = (0..n * k).map(|at| value(at % k.max(1), at / k.max(1) + 1)).collect();
            let (a, b) = (Operand::rows(&a, k), Operand::rows(&turned, k).transposed());
            let expected: Vec<f32> =
                (0..m * n).map(|at| (0..k).map(|d| value(at / n, d) * value(d, at % n + 1)).sum()).collect();
            for threads in [Threads::One, Threads::All] {
                assert_eq!(multiply(a, b, (m, n, k), threads).unwrap(), expected, "{m} {n} {k}");
            }
        }
    }

    #[test]
    fn an_operand_that_is_too_short_is_refused() {
        let (a, b) = ([1f32; 6], [1f32; 6]);
        let of = |m, n, k| multiply(Operand::rows(&a, k), Operand::rows(&b, n), (m, n, k), Threads::One);
        assert!(of(2, 2, 3).is_ok());
        assert!(of(3, 2, 3).unwrap_err().to_string().contains("[3, 3]"));
        assert!(of(2, 3, 3).is_err());
    }
}
