//! A stack of frozen blocks as one operation of candle's graph.
//!
//! The rows are run at once, outside the graph; the operation only hands the result over and answers
//! backward from what the blocks kept. So no intermediate tensor and no gradient of one is ever stored.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::composed_tower;
use super::dense::Dense;
use super::entering::EnteringRows;
use super::frozen_block::{Block, BlockCall, Kept};
use super::place::fused;
use super::real::{Real, by_dtype};
use crate::backbone::pieces::as_one;

/// Runs rows `[n, width]` through frozen blocks, one call each: by our kernels on the CPU, composed elsewhere. `keys` returns every block's
/// own keys and values `[n, 2·width]`; they carry no graph, so it is refused for rows that do.
///
/// # Errors
/// Whatever candle reports; on the CPU rows that are neither f32 nor f64.
pub fn run_frozen(
    x: &Tensor,
    blocks: &Arc<[Block]>,
    calls: Vec<BlockCall>,
    keys: bool,
) -> Result<(Tensor, Vec<Tensor>)> {
    if keys && x.track_op() {
        bail!("keys and values of rows that are being trained carry no graph");
    }
    if !fused(x) {
        return composed_tower::run(x, blocks, calls, keys);
    }
    as_one(|| by_dtype!(x.dtype(), T => run::<T>(x, blocks, calls, keys)))
}

/// What the first of a stack of frozen blocks makes of rows `[n, width]` before anybody attends. They carry no graph.
///
/// # Errors
/// Rows or a block that are being trained; whatever candle reports.
pub fn enter(rows: &Tensor, block: &Block) -> Result<EnteringRows> {
    if rows.track_op() || block.is_trained() {
        bail!("rows that enter a tower once for all: they or its first block are being trained");
    }
    let (queries, keys_and_values) = match fused(rows) {
        true => by_dtype!(rows.dtype(), T => by_kernels::<T>(rows, block))?,
        false => composed_tower::projected(block, rows)?,
    };
    Ok(EnteringRows { rows: rows.clone(), queries, keys_and_values })
}

fn by_kernels<T: Real>(rows: &Tensor, block: &Block) -> Result<(Tensor, Tensor)> {
    let (queries, keys_and_values) = block.projected(&Dense::<T>::copied(rows)?)?;
    let tensor = |rows: Dense<T>, like: &Tensor| {
        let shape = (rows.row_count(), rows.col_count());
        Tensor::from_vec(rows.into_vec(), shape, like.device())
    };
    Ok((tensor(queries, rows)?, tensor(keys_and_values, rows)?))
}

fn run<T: Real>(
    x: &Tensor,
    blocks: &Arc<[Block]>,
    calls: Vec<BlockCall>,
    keys: bool,
) -> Result<(Tensor, Vec<Tensor>)> {
    let (mut rows, width, keep) = (Dense::<T>::copied(x)?, x.dim(1)?, x.track_op());
    let (mut all_kept, mut all_keys) = (Vec::new(), Vec::new());
    for (block, call) in blocks.iter().zip(&calls) {
        let output = block.forward(rows, call, keep)?;
        rows = output.rows;
        all_kept.extend(output.kept);
        if let (true, Some(kv)) = (keys, output.kv) {
            let count = kv.row_count();
            all_keys.push(Tensor::from_vec(kv.into_vec(), (count, 2 * width), x.device())?);
        }
    }
    let shape = (rows.row_count(), width);
    let values = rows.into_vec();
    if !keep {
        return Ok((Tensor::from_vec(values, shape, x.device())?, all_keys));
    }
    let pass =
        Pass { blocks: blocks.clone(), calls, kept: all_kept, shape, result: Mutex::new(Some(values)) };
    Ok((x.apply_op1(pass)?, all_keys))
}

/// A pass that has been run.
struct Pass<T: Real> {
    blocks: Arc<[Block]>,
    calls: Vec<BlockCall>,
    kept: Vec<Kept<T>>,
    shape: (usize, usize),
    /// Handed over once.
    result: Mutex<Option<Vec<T>>>,
}

impl<T: Real> CustomOp1 for Pass<T> {
    fn name(&self) -> &'static str {
        "frozen_tower"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        match self.result.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(values) => Ok((T::to_cpu_storage_owned(values), Shape::from(self.shape))),
            None => bail!("the pass of a frozen tower was applied twice"),
        }
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        as_one(|| {
            let mut grad = Dense::<T>::copied(grad)?;
            for ((block, call), kept) in self.blocks.iter().zip(&self.calls).zip(&self.kept).rev() {
                grad = block.backward(kept, call, grad)?;
            }
            Tensor::from_vec(grad.into_vec(), x.shape(), x.device()).map(Some)
        })
    }
}
