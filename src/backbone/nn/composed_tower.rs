//! A stack of frozen blocks as one operation of candle's graph, composed of operations of its device.
//!
//! What `frozen_tower` is to the CPU's kernels: the rows are run at once, outside the graph, so neither a graph nor a
//! gradient of a frozen operand is ever made. It runs on GPUs, and on the CPU in tests and counts.

use std::sync::Arc;

use candle_core::{CpuStorage, CudaStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};

use super::between;
use super::composed_attention::{self as attention, Attention};
use super::frozen_block::{Block, BlockCall};
use super::hand_over;
use super::linear::Linear;
use super::operations as op;
use super::uploaded::indices;

/// See [`super::run_frozen`]; any device.
pub(super) fn run(
    x: &Tensor,
    blocks: &Arc<[Block]>,
    calls: Vec<BlockCall>,
    keys: bool,
) -> Result<(Tensor, Vec<Tensor>)> {
    let keep = x.track_op();
    let (mut all_kept, mut all_keys) = (Vec::new(), Vec::new());
    let rows = op::pass(|| {
        let mut rows = op::contiguous(&x.detach())?;
        for (block, call) in blocks.iter().zip(&calls) {
            let (next, kv, kept) = forward(block, rows, call, keep)?;
            rows = next;
            all_kept.extend(kept);
            all_keys.extend(kv.filter(|_| keys));
        }
        Ok(rows)
    })?;
    if !keep {
        return Ok((rows, all_keys));
    }
    Ok((x.apply_op1(Pass { blocks: blocks.clone(), calls, kept: all_kept, output: rows })?, all_keys))
}

/// A pass that has been run.
struct Pass {
    blocks: Arc<[Block]>,
    calls: Vec<BlockCall>,
    kept: Vec<Kept>,
    output: Tensor,
}

impl CustomOp1 for Pass {
    fn name(&self) -> &'static str {
        "composed_tower"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        hand_over::on_cpu(&self.output)
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        hand_over::on_cuda(&self.output)
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        op::pass(|| {
            let mut grad = op::contiguous(&grad.detach())?;
            for ((block, call), kept) in self.blocks.iter().zip(&self.calls).zip(&self.kept).rev() {
                grad = backward(block, kept, call, grad)?;
            }
            grad.reshape(x.shape()).map(Some)
        })
    }
}

/// What backward needs of a block.
struct Kept {
    x: Tensor,
    attention: Attention,
    attended: attention::Kept,
    /// The rows between attention and MLP.
    middle: Tensor,
    /// The MLP's hidden layer before bias and activation.
    hidden: Tensor,
}

/// Output rows, own keys and values, and what backward needs where that was asked for.
type Output = (Tensor, Option<Tensor>, Option<Kept>);

fn forward(block: &Block, x: Tensor, call: &BlockCall, keep: bool) -> Result<Output> {
    let (dtype, operand) = (x.dtype(), block.q.weight().dtype());
    let (going, q, kv) = before(block, &x, call)?;
    let cached = call.attend.cached.as_ref();
    let attention = Attention::new(&call.attend.plan, call.attend.heads, (&q, dtype), kv.as_ref(), cached)?;
    let (out, attended) = attention.forward(&q, block.q.bias(), kv.as_ref(), cached)?;
    let middle = linear(&block.out, &out, Some(&going), dtype)?;
    let hidden = product(&between::norm(&block.ln2, &middle, operand)?, block.fc1.weight(), true)?;
    let active = between::activate(block.activation, &hidden, block.fc1.bias(), dtype)?;
    let rows = linear(&block.fc2, &active, Some(&middle), dtype)?;
    Ok((rows, kv, keep.then_some(Kept { x, attention, attended, middle, hidden })))
}

/// The rows that go on, their queries, and keys and values of all.
fn before(block: &Block, x: &Tensor, call: &BlockCall) -> Result<(Tensor, Tensor, Option<Tensor>)> {
    let read = call.read.as_ref().map(|rows| indices(rows, x.device())).transpose()?;
    if let Some(beside) = &call.beside {
        let order = beside.order();
        if order.len() != beside.count() || x.dim(0)? != beside.own.len() {
            bail!("{} rows beside {}: their places are not among all", x.dim(0)?, beside.entering.count());
        }
        let (entering, order) = (&beside.entering, indices(&order, x.device())?);
        let (q, kv) = projected(block, x)?;
        let among = |own: &Tensor, frozen: &Tensor| op::rows(&op::cat(frozen, own)?, &order);
        let (x, q) = (among(x, &entering.rows)?, among(&q, &entering.queries)?);
        let kv = among(&kv, &entering.keys_and_values)?;
        return match &read {
            Some(read) => Ok((op::rows(&x, read)?, op::rows(&q, read)?, Some(kv))),
            None => Ok((x, q, Some(kv))),
        };
    }
    let (dtype, operand) = (x.dtype(), block.q.weight().dtype());
    let normed = between::norm(&block.ln1, x, operand)?;
    let kv = call.own_keys.then(|| linear(&block.kv, &normed, None, dtype)).transpose()?;
    let (going, normed) = match &read {
        Some(read) => (op::rows(x, read)?, op::rows(&normed, read)?),
        None => (x.clone(), normed),
    };
    Ok((going, product(&normed, block.q.weight(), true)?, kv))
}

/// Queries before their bias, and keys and values, of rows.
pub(super) fn projected(block: &Block, x: &Tensor) -> Result<(Tensor, Tensor)> {
    let normed = between::norm(&block.ln1, x, block.q.weight().dtype())?;
    let kv = linear(&block.kv, &normed, None, x.dtype())?;
    Ok((product(&normed, block.q.weight(), true)?, kv))
}

/// Gradient of the input for the gradient `[read rows, width]` of the output.
fn backward(block: &Block, kept: &Kept, call: &BlockCall, grad: Tensor) -> Result<Tensor> {
    let d_active = product(&grad, block.fc2.weight(), false)?;
    let hidden = (&kept.hidden, block.fc1.bias());
    let d_hidden = between::activate_backward(block.activation, hidden, &d_active, grad.dtype())?;
    let d_normed = product(&d_hidden, block.fc1.weight(), false)?;
    let d_middle = between::norm_backward(&block.ln2, &kept.middle, &d_normed, &grad)?;
    let d_out = product(&d_middle, block.out.weight(), false)?;
    let (dq, d_kv) = kept.attention.backward(&kept.attended, &d_out)?;
    let count = call.beside.as_ref().map_or_else(|| kept.x.dim(0), |beside| Ok(beside.count()))?;
    let spread = |rows: Tensor| match &call.read {
        Some(read) => op::add_rows(count, &indices(read, rows.device())?, &rows),
        None => Ok(rows),
    };
    if let (Some(d_kv), Some(beside)) = (&d_kv, &call.beside) {
        let own = indices(&beside.own, d_kv.device())?;
        let d_read = product(&op::rows(&spread(dq)?, &own)?, block.q.weight(), false)?;
        let d_normed = op::add(&product(&op::rows(d_kv, &own)?, block.kv.weight(), false)?, &d_read)?;
        let d_middle = op::rows(&spread(d_middle)?, &own)?;
        return between::norm_backward(&block.ln1, &kept.x, &d_normed, &d_middle);
    }
    let (d_read, d_middle) = (spread(product(&dq, block.q.weight(), false)?)?, spread(d_middle)?);
    let d_normed = match d_kv {
        Some(d_kv) => op::add(&product(&d_kv, block.kv.weight(), false)?, &d_read)?,
        None => d_read,
    };
    between::norm_backward(&block.ln1, &kept.x, &d_normed, &d_middle)
}

/// Rows times a weight `[out, in]`, or its transpose, in the weight's type.
fn product(x: &Tensor, weight: &Tensor, transposed: bool) -> Result<Tensor> {
    let rounded = op::to_dtype(x, weight.dtype())?;
    match transposed {
        true => op::matmul(&rounded, &weight.detach().t()?),
        false => op::matmul(&rounded, &weight.detach()),
    }
}

/// `rest` + the layer's output, in type `dtype`.
fn linear(layer: &Linear, x: &Tensor, rest: Option<&Tensor>, dtype: DType) -> Result<Tensor> {
    between::add_bias(&product(x, layer.weight(), true)?, layer.bias(), rest, dtype)
}
