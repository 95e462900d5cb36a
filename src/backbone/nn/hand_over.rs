//! Results that were computed outside candle's graph, as the output of an operation in it.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CudaStorage, Result, Shape, Storage, Tensor, bail};

/// The numbers of a contiguous tensor on the CPU.
///
/// # Errors
/// When it lies elsewhere.
pub(in crate::backbone) fn on_cpu(output: &Tensor) -> Result<(CpuStorage, Shape)> {
    let (storage, layout) = output.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else { bail!("hand over a result: it is not on the CPU") };
    Ok((storage.try_clone(layout)?, output.shape().clone()))
}

/// The numbers of a contiguous tensor on the GPU.
///
/// # Errors
/// When it lies elsewhere.
pub(in crate::backbone) fn on_cuda(output: &Tensor) -> Result<(CudaStorage, Shape)> {
    let (storage, layout) = output.storage_and_layout();
    let Storage::Cuda(storage) = &*storage else { bail!("hand over a result: it is not on the GPU") };
    Ok((storage.try_clone(layout)?, output.shape().clone()))
}
