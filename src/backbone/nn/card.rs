//! Own kernels on a card: `card.cu`, compiled once when the first tower runs there, and a function for each.
//!
//! candle launches an operation at a time, and makes and frees a tensor with each; here what lies between two matrix products
//! is one launch. Every function allocates its output and returns at once: the card's one stream (`open_card`) keeps the order.

use std::sync::OnceLock;

use candle_core::backend::BackendDevice;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{DevicePtr, LaunchConfig, PushKernelArg};
use candle_core::cuda_backend::cudarc::nvrtc::compile_ptx;
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, DType, Device, Error, Result, Shape, Storage, Tensor, bail};
use half::{bf16, f16};

/// Threads of a block.
const THREADS: u32 = 256;
/// Threads that share a row.
const WARP: u32 = 32;
const MODULE: &str = "rpo_bench_towers";

static PTX: OnceLock<std::result::Result<String, String>> = OnceLock::new();

/// What a kernel is given.
enum Arg {
    /// An address on the card; 0 for what is absent.
    At(u64),
    Count(u64),
    Number(u32),
    Real(f32),
}

/// A card whose own kernels can be had.
pub(super) struct Card(CudaDevice);

impl Card {
    /// The card, where `device` is one, rows are f32, and the operands of products are of a type that kernels exist for.
    pub fn of(device: &Device, rows: DType, operand: DType) -> Option<Self> {
        match device {
            Device::Cuda(card) if rows == DType::F32 && suffix(operand).is_ok() && ptx().is_ok() => {
                Some(Self(card.clone()))
            }
            _ => None,
        }
    }

    /// LayerNorm of rows `[rows, width]`.
    pub fn norm(&self, x: &Tensor, [gamma, beta]: [&Tensor; 2], eps: f64, operand: DType) -> Result<Tensor> {
        let (rows, width) = x.dims2()?;
        let out = self.empty(x.shape(), operand)?;
        let args = [self.at(x)?, self.at(gamma)?, self.at(beta)?, self.at(&out)?];
        let sizes = [Arg::Real(eps as f32), Arg::Number(width as u32), Arg::Count(rows as u64)];
        self.by_row("norm", operand, rows, args, sizes)?;
        Ok(out)
    }

    /// Its gradient with respect to `x`, and `rest` added.
    pub fn norm_backward(
        &self,
        (x, gamma, eps): (&Tensor, &Tensor, f64),
        grad: &Tensor,
        rest: &Tensor,
    ) -> Result<Tensor> {
        let (rows, width) = x.dims2()?;
        let out = self.empty(x.shape(), DType::F32)?;
        let args = [self.at(x)?, self.at(gamma)?, self.at(grad)?, self.at(rest)?, self.at(&out)?];
        let sizes = [Arg::Real(eps as f32), Arg::Number(width as u32), Arg::Count(rows as u64)];
        self.by_row("norm_backward", grad.dtype(), rows, args, sizes)?;
        Ok(out)
    }

    /// y + bias + rest in f32.
    pub fn add_bias(&self, y: &Tensor, bias: Option<&Tensor>, rest: Option<&Tensor>) -> Result<Tensor> {
        let out = self.empty(y.shape(), DType::F32)?;
        let args = [self.at(y)?, self.at_or_null(bias)?, self.at_or_null(rest)?, self.at(&out)?];
        self.by_number("add_bias", y.dtype(), out.elem_count(), args, [Arg::Number(y.dim(1)? as u32)])?;
        Ok(out)
    }

    /// The activation of x + bias.
    pub fn activate(&self, x: &Tensor, bias: Option<&Tensor>, quick: bool) -> Result<Tensor> {
        let out = self.empty(x.shape(), x.dtype())?;
        let args = [self.at(x)?, self.at_or_null(bias)?, self.at(&out)?];
        let sizes = [Arg::Number(quick.into()), Arg::Number(x.dim(1)? as u32)];
        self.by_number("activate", x.dtype(), out.elem_count(), args, sizes)?;
        Ok(out)
    }

    /// `grad` times the activation's slope at x + bias.
    pub fn activate_backward(
        &self,
        x: &Tensor,
        bias: Option<&Tensor>,
        grad: &Tensor,
        quick: bool,
    ) -> Result<Tensor> {
        let out = self.empty(x.shape(), x.dtype())?;
        let args = [self.at(x)?, self.at_or_null(bias)?, self.at(grad)?, self.at(&out)?];
        let sizes = [Arg::Number(quick.into()), Arg::Number(x.dim(1)? as u32)];
        self.by_number("activate_backward", x.dtype(), out.elem_count(), args, sizes)?;
        Ok(out)
    }

    /// Rows `[…, width]` as `[groups, heads, queries, dim]`: (x + bias)·scale·real.
    pub fn split(
        &self,
        x: &Tensor,
        [rows, bias, real]: [Option<&Tensor>; 3],
        scale: f64,
        [groups, queries, heads]: [usize; 3],
    ) -> Result<Tensor> {
        let dim = x.dim(1)? / heads;
        let out = self.empty(&(groups, heads, queries, dim).into(), DType::F32)?;
        let optional = [self.at_or_null(rows)?, self.at_or_null(bias)?, self.at_or_null(real)?];
        let args = [self.at(x)?].into_iter().chain(optional).chain([self.at(&out)?, Arg::Real(scale as f32)]);
        self.by_number("split", x.dtype(), out.elem_count(), args, numbers([queries, heads, dim]))?;
        Ok(out)
    }

    /// `[groups, heads, queries, dim]` times `scale` as rows.
    pub fn merge(&self, x: &Tensor, places: Option<&Tensor>, scale: f64, operand: DType) -> Result<Tensor> {
        let (groups, heads, queries, dim) = x.dims4()?;
        let rows = places.map_or(Ok(groups * queries), |places| places.dim(0))?;
        let out = self.empty(&(rows, heads * dim).into(), operand)?;
        let args = [self.at(x)?, self.at_or_null(places)?, self.at(&out)?, Arg::Real(scale as f32)];
        self.by_number("merge", operand, out.elem_count(), args, numbers([queries, heads, dim]))?;
        Ok(out)
    }

    /// Keys and values `[2, groups, heads, keys, dim]`; own rows count from `own_start`.
    pub fn keys(
        &self,
        [cached, own, rows]: [Option<&Tensor>; 3],
        own_start: usize,
        [groups, keys, heads]: [usize; 3],
    ) -> Result<Tensor> {
        let Some(width) = own.or(cached) else { bail!("attention needs own or cached keys") };
        let dim = width.dim(1)? / 2 / heads;
        let out = self.empty(&(2, groups, heads, keys, dim).into(), DType::F32)?;
        let args = [self.at_or_null(cached)?, self.at_or_null(own)?, self.at_or_null(rows)?, self.at(&out)?];
        let sizes = numbers([own_start, groups, keys, heads, dim]);
        self.by_number("keys", DType::F32, out.elem_count(), args, sizes)?;
        Ok(out)
    }

    /// Gradients of keys and values, `[groups, heads, keys, dim]` each, as rows `[groups·keys, 2·width]`.
    pub fn join_keys(&self, dk: &Tensor, dv: &Tensor) -> Result<Tensor> {
        let (groups, heads, keys, dim) = dk.dims4()?;
        let out = self.empty(&(groups * keys, 2 * heads * dim).into(), DType::F32)?;
        let args = [self.at(dk)?, self.at(dv)?, self.at(&out)?];
        self.by_number("join_keys", DType::F32, out.elem_count(), args, numbers([keys, heads, dim]))?;
        Ok(out)
    }

    /// Softmax over the last dimension of scores `[groups, heads, queries, keys]` and a mask `[groups, 1, queries or 1, keys]`.
    pub fn softmax(&self, x: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let (_, heads, queries, keys) = x.dims4()?;
        let out = self.empty(x.shape(), DType::F32)?;
        let args = [self.at(x)?, self.at_or_null(mask)?, self.at(&out)?];
        let mask_rows = mask.map_or(Ok(1), |mask| mask.dim(2))?;
        let rows = x.elem_count() / keys;
        let sizes = numbers([heads, queries, mask_rows, keys]).chain([Arg::Count(rows as u64)]);
        self.by_row("softmax", DType::F32, rows, args, sizes)?;
        Ok(out)
    }

    /// (grad − Σ grad·p)·p over the last dimension.
    pub fn softmax_backward(&self, grad: &Tensor, p: &Tensor) -> Result<Tensor> {
        let keys = p.dim(candle_core::D::Minus1)?;
        let out = self.empty(p.shape(), DType::F32)?;
        let rows = p.elem_count() / keys;
        let args = [self.at(grad)?, self.at(p)?, self.at(&out)?];
        let sizes = [Arg::Number(keys as u32), Arg::Count(rows as u64)];
        self.by_row("softmax_backward", DType::F32, rows, args, sizes)?;
        Ok(out)
    }

    /// A tensor nobody has written to yet.
    #[expect(unsafe_code, reason = "memory that the next kernel fills")]
    fn empty(&self, shape: &Shape, dtype: DType) -> Result<Tensor> {
        let (count, card) = (shape.elem_count(), &self.0);
        // SAFETY: the caller's kernel writes every number before anything that reads them is asked for on the same stream.
        let storage = unsafe {
            match dtype {
                DType::F32 => CudaStorage::wrap_cuda_slice(card.alloc::<f32>(count)?, card.clone()),
                DType::F16 => CudaStorage::wrap_cuda_slice(card.alloc::<f16>(count)?, card.clone()),
                DType::BF16 => CudaStorage::wrap_cuda_slice(card.alloc::<bf16>(count)?, card.clone()),
                other => bail!("own kernels: {} is no type of theirs", other.as_str()),
            }
        };
        Ok(Tensor::from_storage(Storage::Cuda(storage), shape.clone(), BackpropOp::none(), false))
    }

    /// Where a contiguous tensor begins.
    fn at(&self, x: &Tensor) -> Result<Arg> {
        let (storage, layout) = x.storage_and_layout();
        let Storage::Cuda(storage) = &*storage else { bail!("own kernels: a tensor is not on the card") };
        if !layout.is_contiguous() || !storage.device.same_device(&self.0) {
            bail!("own kernels: a tensor of shape {:?} is not contiguous, or on another card", x.dims());
        }
        let (stream, start) = (self.0.cuda_stream(), layout.start_offset());
        let address = match x.dtype() {
            DType::F32 => storage.as_cuda_slice::<f32>()?.slice(start..).device_ptr(&stream).0,
            DType::F16 => storage.as_cuda_slice::<f16>()?.slice(start..).device_ptr(&stream).0,
            DType::BF16 => storage.as_cuda_slice::<bf16>()?.slice(start..).device_ptr(&stream).0,
            DType::U32 => storage.as_cuda_slice::<u32>()?.slice(start..).device_ptr(&stream).0,
            other => bail!("own kernels: {} is no type of theirs", other.as_str()),
        };
        Ok(Arg::At(address))
    }

    fn at_or_null(&self, x: Option<&Tensor>) -> Result<Arg> {
        x.map_or(Ok(Arg::At(0)), |x| self.at(x))
    }

    /// A kernel with a thread a number; their count is its last argument.
    fn by_number(
        &self,
        name: &str,
        dtype: DType,
        count: usize,
        args: impl IntoIterator<Item = Arg>,
        sizes: impl IntoIterator<Item = Arg>,
    ) -> Result<()> {
        let sizes = sizes.into_iter().chain([Arg::Count(count as u64)]);
        self.launch(name, dtype, count.div_ceil(THREADS as usize), args.into_iter().chain(sizes).collect())
    }

    /// A kernel with a warp a row.
    fn by_row(
        &self,
        name: &str,
        dtype: DType,
        rows: usize,
        args: impl IntoIterator<Item = Arg>,
        sizes: impl IntoIterator<Item = Arg>,
    ) -> Result<()> {
        let blocks = rows.div_ceil((THREADS / WARP) as usize);
        self.launch(name, dtype, blocks, args.into_iter().chain(sizes).collect())
    }

    #[expect(unsafe_code, reason = "a kernel of ours is called with the arguments it declares")]
    fn launch(&self, name: &str, dtype: DType, blocks: usize, args: Vec<Arg>) -> Result<()> {
        if blocks == 0 {
            return Ok(());
        }
        let ptx = ptx().map_err(|reason| Error::Msg(format!("own kernels: {reason}")))?;
        let name = format!("{name}_{}", suffix(dtype)?);
        let kernel = self.0.get_or_load_custom_func(&name, MODULE, ptx)?;
        let mut call = kernel.builder();
        for arg in &args {
            match arg {
                Arg::At(address) | Arg::Count(address) => call.arg(address),
                Arg::Number(number) => call.arg(number),
                Arg::Real(real) => call.arg(real),
            };
        }
        let grid = (u32::try_from(blocks)?, 1, 1);
        let config = LaunchConfig { grid_dim: grid, block_dim: (THREADS, 1, 1), shared_mem_bytes: 0 };
        // SAFETY: each caller above passes what `card.cu` declares under this name, in that order; tensors are contiguous,
        // of the declared types and alive until the call is queued, and freed on the same stream.
        unsafe { call.launch(config) }.w()?;
        Ok(())
    }
}

fn numbers<const N: usize>(numbers: [usize; N]) -> impl Iterator<Item = Arg> {
    numbers.into_iter().map(|number| Arg::Number(number as u32))
}

/// The kernels as the driver takes them; why there are none where the compiler refuses, said once.
fn ptx() -> std::result::Result<&'static str, &'static str> {
    let compiled = PTX.get_or_init(|| {
        let compiled = compile_ptx(include_str!("card.cu")).map(|ptx| ptx.to_src());
        compiled.map_err(|error| {
            let reason = format!("{error:?}");
            eprintln!("the card's kernels could not be compiled, candle's operations take their place (slower): {reason}");
            reason
        })
    });
    compiled.as_deref().map_err(String::as_str)
}

/// The end of a kernel's name for operands of this type.
fn suffix(dtype: DType) -> Result<&'static str> {
    match dtype {
        DType::F32 => Ok("f32"),
        DType::F16 => Ok("f16"),
        DType::BF16 => Ok("bf16"),
        other => bail!("own kernels: {} is no type of theirs", other.as_str()),
    }
}
