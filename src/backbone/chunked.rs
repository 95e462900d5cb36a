//! Passes over many independent items in chunks, so that memory is a setting and not a property of the dataset.
//!
//! With a gradient this is the two-pass step: the first pass computes every output without a graph, backward
//! then runs each chunk again, with a graph, under the cotangent that has arrived. It costs one forward pass more.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{CpuStorage, CudaStorage, CustomOp1, Layout, Result, Shape, Tensor, Var, bail};

use super::halving::{in_halves, is_out_of_memory};
use super::nn::hand_over;

/// Rows that are computed at one time where nothing else is said: 50 classes of 24 prompts fit, with room.
pub const DEFAULT_MAX_ROWS: usize = 1536;

/// From the trained rows, the outputs of some items, one row an item along dimension 0.
pub(super) type ChunkPass = Arc<dyn Fn(&Tensor, Range<usize>) -> Result<Tensor> + Send + Sync>;

/// Items of `rows` rows each, cut evenly into as few ranges as hold at most `max_rows` rows, or one item.
pub(super) fn ranges(rows: &[usize], max_rows: usize) -> Vec<Range<usize>> {
    let total: usize = rows.iter().sum();
    let wanted = total.div_ceil(max_rows.max(1)).max(1);
    let target = total.div_ceil(wanted);
    let (mut ranges, mut start, mut held) = (Vec::new(), 0, 0);
    for (index, count) in rows.iter().enumerate() {
        if index > start && held + count > target {
            ranges.push(start..index);
            (start, held) = (index, 0);
        }
        held += count;
    }
    ranges.push(start..rows.len());
    ranges
}

/// `pass(x, range)` over all ranges, along dimension 0. A single range is the pass itself. Each range must depend
/// on `x` alone, or on what carries no gradient.
///
/// # Errors
/// Whatever the pass reports.
pub(super) fn in_chunks(x: &Tensor, ranges: Vec<Range<usize>>, pass: ChunkPass) -> Result<Tensor> {
    if let [whole] = ranges.as_slice() {
        match pass(x, whole.clone()) {
            // Two passes need less memory at a time, and halve the range where that is still too much.
            Err(error) if is_out_of_memory(&error) => {}
            result => return result,
        }
    }
    let plain = x.detach();
    let mut parts = Vec::new();
    for range in &ranges {
        parts.extend(in_halves(range.clone(), &mut |range| pass(&plain, range))?);
    }
    let output = Tensor::cat(&parts, 0)?;
    if !x.track_op() {
        return Ok(output);
    }
    x.apply_op1(TwoPass { output, ranges, pass })
}

/// Outputs that have been computed, and how to compute them again.
struct TwoPass {
    output: Tensor,
    ranges: Vec<Range<usize>>,
    pass: ChunkPass,
}

impl TwoPass {
    /// What the items of a range add to the gradient. Items give one output row each along dimension 0.
    fn gradient(&self, x: &Tensor, grad: &Tensor, range: Range<usize>) -> Result<Tensor> {
        let var = Var::from_tensor(&x.detach())?;
        let output = (self.pass)(var.as_tensor(), range.clone())?;
        let cotangent = grad.narrow(0, range.start, range.len())?.contiguous()?.detach();
        let mut gradients = (output * cotangent)?.sum_all()?.backward()?;
        match gradients.remove(var.as_tensor()) {
            Some(gradient) => Ok(gradient),
            None => bail!("two-pass step: items {range:?} carry no gradient"),
        }
    }
}

impl CustomOp1 for TwoPass {
    fn name(&self) -> &'static str {
        "two_pass"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        hand_over::on_cpu(&self.output)
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        hand_over::on_cuda(&self.output)
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut parts = Vec::new();
        for range in &self.ranges {
            parts.extend(in_halves(range.clone(), &mut |range| self.gradient(x, grad, range))?);
        }
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else { return Ok(None) };
        parts.try_fold(first, |total, part| total + part).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    #[test]
    fn ranges_are_even_and_hold_what_they_may() {
        assert_eq!(ranges(&[24; 50], 1536), [0..50]);
        assert_eq!(ranges(&[4; 10], 16), [0..3, 3..6, 6..9, 9..10]);
        assert_eq!(ranges(&[9, 1, 1], 2), [0..1, 1..3]);
        assert_eq!(ranges(&[], 2), [0..0]);
        let uneven: Vec<usize> = (1..60).map(|i| 1 + i * 7 % 5).collect();
        for max_rows in 5..40 {
            let cut = ranges(&uneven, max_rows);
            assert!(cut.iter().all(|r| uneven[r.clone()].iter().sum::<usize>() <= max_rows));
            assert!(cut.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert_eq!((cut[0].start, cut[cut.len() - 1].end), (0, uneven.len()));
        }
    }

    /// x² · item: in f64, where sums of chunks agree to the last bits but two.
    #[test]
    fn gradients_of_chunks_add_up() {
        let pass: ChunkPass = Arc::new(|x, range| {
            let items: Vec<f64> = range.map(|i| i as f64 + 1.0).collect();
            let items = Tensor::new(items, x.device())?.unsqueeze(1)?;
            items.broadcast_mul(&x.sqr()?.unsqueeze(0)?)
        });
        let var = Var::new(&[0.5f64, -2.0, 3.0], &Device::Cpu).unwrap();
        let gradient = |ranges: Vec<Range<usize>>| {
            let output = in_chunks(var.as_tensor(), ranges, pass.clone()).unwrap();
            let weights = Tensor::new(&[[1.0f64], [-2.0], [0.5], [4.0]], &Device::Cpu).unwrap();
            let loss = output.broadcast_mul(&weights).unwrap().sum_all().unwrap();
            loss.backward().unwrap().get(&var).unwrap().to_vec1::<f64>().unwrap()
        };
        let whole = gradient(vec![0..4]);
        assert!(whole.iter().all(|g| g.abs() > 1.0));
        for (a, b) in whole.iter().zip(gradient(vec![0..1, 1..3, 3..4])) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn a_chunk_without_a_gradient_is_an_error() {
        let pass: ChunkPass = Arc::new(|x, range| if range.start == 0 { x * 2.0 } else { x.detach() * 2.0 });
        let var = Var::new(&[1.0f64], &Device::Cpu).unwrap();
        let output = in_chunks(var.as_tensor(), vec![0..1, 1..2], pass).unwrap();
        let error = output.sum_all().unwrap().backward().unwrap_err().to_string();
        assert!(error.contains("1..2 carry no gradient"), "{error}");
    }

    #[test]
    fn a_full_device_is_met_with_smaller_chunks() {
        let pass = |most: usize| -> ChunkPass {
            Arc::new(move |x, range| {
                if range.len() > most {
                    bail!("CUDA_ERROR_OUT_OF_MEMORY");
                }
                x.sqr()?.unsqueeze(0)?.repeat((range.len(), 1))
            })
        };
        let var = Var::new(&[3.0f64], &Device::Cpu).unwrap();
        let gradient = |most| {
            let output = in_chunks(var.as_tensor(), vec![0..5], pass(most))?;
            let gradients = output.sum_all()?.backward()?;
            gradients.get(&var).map_or(Ok(Vec::new()), Tensor::to_vec1::<f64>)
        };
        assert_eq!(gradient(9).unwrap(), [30.0]);
        assert_eq!(gradient(2).unwrap(), [30.0]);
        assert!(gradient(0).unwrap_err().to_string().contains("one item at a time"));
    }

    #[test]
    fn without_a_gradient_nothing_is_kept() {
        let pass: ChunkPass = Arc::new(|x, range| x.narrow(0, range.start, range.len()));
        let x = Tensor::zeros((4, 2), DType::F32, &Device::Cpu).unwrap();
        let output = in_chunks(&x, vec![0..1, 1..4], pass).unwrap();
        assert!(!output.track_op() && output.dims() == [4, 2]);
    }
}
