//! Loops over rows: dispatched to the widest vector unit at run time, spread over threads when large.
//!
//! Sums run over a fixed number of lanes, so a row's result depends on the row alone: never on the
//! number of threads, the other rows or the machine's vector width.

use rayon::prelude::*;

use super::real::Real;
use crate::util::vectorised;

const LANES: usize = 16;
/// Below this many numbers a loop stays on one thread: waking another costs more.
const PARALLEL_FROM: usize = 1 << 16;

/// From so many numbers on memory is cleared by all threads: one would take longer than the others do to fill it.
const CLEARED_TOGETHER_FROM: usize = 1 << 20;

/// So many zeros.
pub(super) fn zeros<T: Real>(count: usize) -> Vec<T> {
    if count < CLEARED_TOGETHER_FROM || rayon::current_num_threads() == 1 {
        return vec![T::ZERO; count];
    }
    rayon::iter::repeat_n(T::ZERO, count).collect()
}

/// Sum in fixed lane order.
#[inline(always)]
pub(super) fn sum<T: Real>(values: &[T]) -> T {
    fold(values, T::ZERO, |acc, x| acc + x)
}

/// Σ aᵢ·bᵢ in fixed lane order.
#[inline(always)]
pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut tail = T::ZERO;
    for (x, y) in a_chunks.remainder().iter().zip(b_chunks.remainder()) {
        tail += *x * *y;
    }
    for (x, y) in a_chunks.zip(b_chunks) {
        for i in 0..LANES {
            lanes[i] += x[i] * y[i];
        }
    }
    lanes.iter().fold(tail, |acc, x| acc + *x)
}

/// Largest value; −∞ for an empty slice. A NaN may or may not show: callers meet it again later.
#[inline(always)]
pub(super) fn max<T: Real>(values: &[T]) -> T {
    fold(values, T::from_f64(f64::NEG_INFINITY), |acc, x| if x > acc { x } else { acc })
}

#[inline(always)]
fn fold<T: Real>(values: &[T], start: T, f: impl Fn(T, T) -> T) -> T {
    let mut lanes = [start; LANES];
    let chunks = values.chunks_exact(LANES);
    let tail = chunks.remainder().iter().fold(start, |acc, x| f(acc, *x));
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] = f(lanes[i], chunk[i]);
        }
    }
    lanes.iter().fold(tail, |acc, x| f(acc, *x))
}

/// Calls `f(row index, row)`, a closure marked `#[inline(always)]`, for every row of `out`, in parallel when the whole is large.
pub(super) fn for_each_row<T: Real>(out: &mut [T], cols: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    if cols == 0 {
        return;
    }
    let run = |first: usize, rows: &mut [T]| {
        vectorised(
            #[inline(always)]
            || {
                for (i, row) in rows.chunks_mut(cols).enumerate() {
                    f(first + i, row);
                }
            },
        );
    };
    if out.len() < PARALLEL_FROM {
        return run(0, out);
    }
    let rows_per_task = (PARALLEL_FROM / 4).div_ceil(cols);
    out.par_chunks_mut(rows_per_task * cols)
        .enumerate()
        .for_each(|(task, rows)| run(task * rows_per_task, rows));
}

/// Calls `f(row, other row)`, a closure marked `#[inline(always)]`, for every row of two matrices of one shape.
pub(super) fn for_each_pair_of_rows<T: Real>(
    (a, b): (&mut [T], &mut [T]),
    cols: usize,
    f: impl Fn(&mut [T], &mut [T]) + Sync,
) {
    debug_assert_eq!(a.len(), b.len());
    if cols == 0 {
        return;
    }
    let run = |a: &mut [T], b: &mut [T]| {
        vectorised(
            #[inline(always)]
            || {
                for (a, b) in a.chunks_mut(cols).zip(b.chunks_mut(cols)) {
                    f(a, b);
                }
            },
        );
    };
    if a.len() < PARALLEL_FROM {
        return run(a, b);
    }
    let task = (PARALLEL_FROM / 4).div_ceil(cols) * cols;
    a.par_chunks_mut(task).zip(b.par_chunks_mut(task)).for_each(|(a, b)| run(a, b));
}

/// In-place softmax of one row. A row of −∞ alone gives NaN, as arithmetic has it.
#[inline(always)]
pub(super) fn softmax_row<T: Real>(row: &mut [T]) {
    let top = max(row);
    for x in row.iter_mut() {
        *x = (*x - top).exp();
    }
    let scale = T::ONE / sum(row);
    for x in row.iter_mut() {
        *x *= scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_accurate_and_flushes() {
        let worst = (-8_600..8_800)
            .map(|i| f64::from(i) / 100.0)
            .map(|x| {
                let exact = f64::exp(f64::from(x as f32));
                (f64::from(Real::exp(x as f32)) - exact).abs() / exact
            })
            .fold(0.0, f64::max);
        assert!(worst < 2e-7, "worst relative error {worst:e}");
        assert_eq!(Real::exp(f32::NEG_INFINITY), 0.0);
        assert!(Real::exp(f32::NAN).is_nan());
    }

    #[test]
    fn sums_cover_every_element() {
        let values: Vec<f64> = (1..=37).map(f64::from).collect();
        assert_eq!(sum(&values), 703.0);
        assert_eq!(dot(&values, &values), 17_575.0);
        assert_eq!(max(&values), 37.0);
    }

    #[test]
    fn rows_are_all_visited_in_both_regimes() {
        for rows in [3, 20_000] {
            let mut out = vec![0f32; rows * 5];
            for_each_row(&mut out, 5, |i, row| row.fill(i as f32));
            assert!(out.chunks(5).enumerate().all(|(i, row)| row.iter().all(|x| *x == i as f32)));
        }
    }

    #[test]
    fn pairs_of_rows_are_all_visited_in_both_regimes() {
        for rows in [3, 20_000] {
            let mut a: Vec<f32> = (0..rows * 5).map(|i| i as f32).collect();
            let mut b = vec![0f32; rows * 5];
            for_each_pair_of_rows((&mut a, &mut b), 5, |a, b| {
                b.copy_from_slice(a);
                a.fill(1.0);
            });
            assert!(a.iter().all(|x| *x == 1.0) && b.iter().enumerate().all(|(i, x)| *x == i as f32));
        }
    }

    #[test]
    fn zeros_are_as_many_as_asked_for_on_any_number_of_threads() {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for count in [0, 5, CLEARED_TOGETHER_FROM + 7] {
                let zeros = pool.install(|| zeros::<f32>(count));
                assert!(zeros.len() == count && zeros.iter().all(|x| x.to_bits() == 0));
            }
        }
    }
}
