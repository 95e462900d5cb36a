//! Towers by parts: rows of different images never meet, so each part of them goes through its whole tower on a thread of
//! its own, without a barrier between one operation and the next.
//!
//! Parts are cut by rows alone, so bits do not depend on the number of threads. Where threads are left over they help with
//! the operations inside a part. What is being trained is one part: every part reads all weights once more, which in
//! forward and backward together costs one thread more than two gain.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::chunked::{DEFAULT_MAX_ROWS, in_chunks, ranges};
use super::nn::{is_fused, multiplied, multiply_adds_of};
use super::pieces::in_turn;

/// Rows of a part, or one item that has more: four images of ViT-B/16. With one of them the weights, read anew for each part,
/// cost a twentieth. Last bits depend on it, so it belongs to the version of the numerics.
pub const PART_ROWS: usize = 800;

/// `work` on every item, each on one thread; results in order, and the first error in order.
///
/// # Errors
/// Whatever the work reports.
pub(super) fn each<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync + Send,
) -> Result<Vec<R>> {
    if items.len() == 1 || rayon::current_num_threads() == 1 {
        return in_turn(items, work).into_iter().collect();
    }
    let counted = |item| multiply_adds_of(|| work(item));
    let results: Vec<(Result<R>, usize)> = items.par_iter().with_max_len(1).map(counted).collect();
    multiplied(results.iter().map(|(_, multiply_adds)| multiply_adds).sum());
    results.into_iter().map(|(result, _)| result).collect()
}

/// How rows that never meet are cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// Rows computed at one time: what bounds memory.
    pub max_rows: usize,
    /// Rows of a part.
    pub part_rows: usize,
}

impl Default for Cut {
    fn default() -> Self {
        Self { max_rows: DEFAULT_MAX_ROWS, part_rows: PART_ROWS }
    }
}

impl Cut {
    /// No cut: for towers whose weights are being trained, since their graph has to stay in one piece.
    pub const WHOLE: Self = Self { max_rows: usize::MAX, part_rows: usize::MAX };

    /// Parts of items of `rows` rows each. One part where operations are not our own kernels: a device wants them large.
    pub fn parts(self, rows: &[usize], x: &Tensor) -> Vec<Range<usize>> {
        if is_fused(x.device()) { ranges(rows, self.part_rows) } else { vec![0..rows.len()] }
    }

    /// `pass(x, items)` over items of `rows` rows each, along dimension 0: in chunks, each by parts unless `x` is being
    /// trained. A pass must depend on `x` alone, or on what carries no gradient.
    ///
    /// # Errors
    /// Whatever the pass reports.
    pub fn run(
        self,
        x: &Tensor,
        rows: Vec<usize>,
        pass: impl Fn(&Tensor, Range<usize>) -> Result<Tensor> + Send + Sync + 'static,
    ) -> Result<Tensor> {
        let chunks = ranges(&rows, self.max_rows);
        let by_parts = move |x: &Tensor, items: Range<usize>| {
            let parts = self.parts(&rows[items.clone()], x);
            if parts.len() == 1 || x.track_op() {
                return pass(x, items);
            }
            let part = |part: &Range<usize>| pass(x, items.start + part.start..items.start + part.end);
            Tensor::cat(&each(&parts, part)?, 0)
        };
        in_chunks(x, chunks, Arc::new(by_parts))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var, bail};

    use super::*;
    use crate::backbone::nn::operations;

    /// x² times 1, 2, 3, 4: one row an item.
    fn squares(x: &Tensor, items: Range<usize>) -> Result<Tensor> {
        let factors: Vec<f64> = items.map(|i| i as f64 + 1.0).collect();
        Tensor::new(factors, x.device())?.unsqueeze(1)?.broadcast_mul(&x.sqr()?.unsqueeze(0)?)
    }

    fn var() -> Var {
        Var::new(&[0.5f64, -2.0, 3.0], &Device::Cpu).unwrap()
    }

    /// Every item of every part comes out once and in its place, within chunks and across them.
    #[test]
    fn parts_of_chunks_lie_one_behind_the_other() {
        let whole = squares(&var(), 0..4).unwrap().to_vec2::<f64>().unwrap();
        for (max_rows, part_rows) in [(usize::MAX, 1), (usize::MAX, 3), (3, 2), (2, 1)] {
            let cut = Cut { max_rows, part_rows };
            let output = cut.run(&var().detach(), vec![1; 4], squares).unwrap();
            assert!(!output.track_op(), "nothing is kept where nothing is trained");
            assert_eq!(output.to_vec2::<f64>().unwrap(), whole, "{max_rows} {part_rows}");
        }
    }

    #[test]
    fn what_is_trained_is_one_part() {
        let pass = |x: &Tensor, items: Range<usize>| {
            assert_eq!((x.track_op(), items.len()), (true, 4));
            squares(x, items)
        };
        let var = var();
        let output = Cut { max_rows: usize::MAX, part_rows: 1 }.run(&var, vec![1; 4], pass).unwrap();
        let gradient = output.sum_all().unwrap().backward().unwrap().get(&var).unwrap().to_vec1::<f64>();
        assert_eq!(gradient.unwrap(), [10.0, -40.0, 60.0]);
    }

    /// Products count where they were asked for, whoever makes them.
    #[test]
    fn products_of_parts_are_those_of_the_thread_that_asked() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let counted = pool.install(|| {
            let before = operations().multiply_adds;
            each(&[5usize; 40], |n| {
                multiplied(*n);
                Ok(())
            })
            .unwrap();
            operations().multiply_adds - before
        });
        assert_eq!(counted, 200);
    }

    #[test]
    fn results_keep_their_order_and_the_first_error_is_told() {
        let items: Vec<usize> = (0..50).collect();
        assert_eq!(each(&items, |n| Ok(*n)).unwrap(), items);
        let odd = |n: &usize| if n % 20 == 19 { bail!("item {n}") } else { Ok(*n) };
        assert!(each(&items, odd).unwrap_err().to_string().contains("item 19"));
    }
}
