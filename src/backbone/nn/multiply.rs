//! Matrix products of plain numbers by the `gemm` crate, which is candle's own on the CPU: the same kernels and bits, without
//! a tensor, a cleared result and a look at the environment around each of them.

use candle_core::{CpuStorage, Layout, Result, bail};
use gemm::Parallelism;

use super::real::Real;
use super::recycled::taken;

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

    /// Whether entry (rows − 1, cols − 1) and all before it lie within the slice.
    fn holds(&self, rows: usize, cols: usize) -> bool {
        let (Some(row), Some(col)) = (rows.checked_sub(1), cols.checked_sub(1)) else { return true };
        let last = row.checked_mul(self.row).zip(col.checked_mul(self.col));
        last.and_then(|(row, col)| row.checked_add(col)).is_some_and(|last| last < self.data.len())
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
#[expect(unsafe_code, reason = "the crate takes pointers; memory is not cleared before it is filled")]
pub(super) fn multiply<T: Real>(
    a: Operand<'_, T>,
    b: Operand<'_, T>,
    (m, n, k): (usize, usize, usize),
    threads: Threads,
) -> Result<Vec<T>> {
    let count = m.checked_mul(n).filter(|_| a.holds(m, k) && b.holds(k, n));
    let Some(count) = count else {
        bail!("product of [{m}, {k}] and [{k}, {n}]: {} and {} numbers", a.data.len(), b.data.len());
    };
    let threads = match threads {
        Threads::One => 1,
        Threads::All => rayon::current_num_threads(),
    };
    let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
    let mut out = taken(count).unwrap_or_else(|| Vec::with_capacity(count));
    if m.min(n) == 1 {
        // For a vector the crate makes a slice of the result before it is filled.
        out.resize(count, T::ZERO);
    }
    let stride = |n: usize| n as isize;
    // SAFETY: entry (i, j) of each operand lies within its slice, as was checked above; the result has room for m·n
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
        out.set_len(count);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Storage, Tensor};

    use super::*;
    use crate::util::rng::Stream;

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

    /// Rows inside wider ones, either side turned, sizes that threads share, and more terms than the crate sums at once.
    fn agrees_with_candle<T: Real>() {
        let mut stream = Stream::new(&["multiply"]);
        for (m, n, k) in [(5, 41, 24), (2, 96, 96), (1, 9, 33), (40, 3, 700), (90, 120, 1300)] {
            let mut numbers =
                |count: usize| -> Vec<T> { (0..count).map(|_| T::from_f64(stream.normal())).collect() };
            let (wide_a, wide_b) = (numbers(m.max(k) * (m.max(k) + 3)), numbers(n.max(k) * (n.max(k) + 3)));
            for (a_turned, b_turned) in [(false, false), (true, false), (false, true), (true, true)] {
                let tensor = |wide: &[T], (rows, cols): (usize, usize), turned: bool| {
                    let (rows, cols) = if turned { (cols, rows) } else { (rows, cols) };
                    let width = rows.max(cols) + 3;
                    let all = Tensor::from_slice(&wide[..rows * width], (rows, width), &Device::Cpu).unwrap();
                    let part = all.narrow(1, 2, cols).unwrap();
                    if turned { part.t().unwrap() } else { part }
                };
                let (a, b) = (tensor(&wide_a, (m, k), a_turned), tensor(&wide_b, (k, n), b_turned));
                let expected: Vec<T> = a.matmul(&b).unwrap().flatten_all().unwrap().to_vec1().unwrap();
                let ((a, a_layout), (b, b_layout)) = (a.storage_and_layout(), b.storage_and_layout());
                let (Storage::Cpu(a), Storage::Cpu(b)) = (&*a, &*b) else { panic!("not on the CPU") };
                let (a, b) = (Operand::<T>::of(a, a_layout).unwrap(), Operand::of(b, b_layout).unwrap());
                for count in [1, 3] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
                    let ours = pool.install(|| multiply(a, b, (m, n, k), Threads::All)).unwrap();
                    assert!(ours == expected, "{m} {n} {k} {a_turned} {b_turned} {count}");
                }
            }
        }
    }

    #[test]
    fn products_are_candles_to_the_bit() {
        agrees_with_candle::<f32>();
        agrees_with_candle::<f64>();
    }
}
