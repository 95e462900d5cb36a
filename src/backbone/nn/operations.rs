//! The operations that frozen towers ask of a device, one function each, counted; and the count of every matrix product.
//!
//! Every function is one launch, or none where nothing has to be done (views, copies of what is contiguous already).
//! Tensors here carry no graph: what needs a gradient has it written out by the caller.

use std::cell::Cell;

use candle_core::{D, DType, Device, Result, Tensor, bail};

/// What has been asked of devices on this thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Kernels launched.
    pub launches: u64,
    /// The same where a card has kernels of our own for what lies between products.
    pub own_launches: u64,
    /// Transfers to the device.
    pub uploads: u64,
    /// Tensors created by passes of frozen towers, views among them.
    pub tensors: u64,
    /// Multiply-adds of matrix products, forward and backward, on whatever device.
    pub multiply_adds: u64,
}

thread_local! {
    static DONE: Cell<Operations> = const {
        Cell::new(Operations { launches: 0, own_launches: 0, uploads: 0, tensors: 0, multiply_adds: 0 })
    };
}

/// What this thread has asked so far.
pub fn operations() -> Operations {
    DONE.get()
}

/// candle's number of a tensor made now: it counts all tensors of this process.
///
/// # Errors
/// When candle no longer numbers its tensors.
pub fn tensor_number() -> Result<u64> {
    let id = format!("{:?}", Tensor::zeros(1, DType::F32, &Device::Cpu)?.id());
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    match digits.parse() {
        Ok(number) => Ok(number),
        Err(_) => bail!("count tensors: candle's {id} has no number"),
    }
}

/// Runs a tower's pass and counts the tensors it creates.
pub(super) fn pass<R>(work: impl FnOnce() -> Result<R>) -> Result<R> {
    let first = tensor_number()?;
    let result = work()?;
    let created = tensor_number()? - first;
    DONE.set(Operations { tensors: DONE.get().tensors + created + 1, ..DONE.get() });
    Ok(result)
}

/// Notes this many multiply-adds of matrix products, on the thread that asks for them.
pub fn multiplied(multiply_adds: usize) {
    let done = DONE.get();
    DONE.set(Operations { multiply_adds: done.multiply_adds + multiply_adds as u64, ..done });
}

/// Runs `work`; what it multiplied is not noted on this thread but returned, for the thread that asked for it.
pub fn multiply_adds_of<R>(work: impl FnOnce() -> R) -> (R, usize) {
    let before = DONE.get().multiply_adds;
    let result = work();
    let done = DONE.get();
    DONE.set(Operations { multiply_adds: before, ..done });
    (result, (done.multiply_adds - before) as usize)
}

fn launched() {
    let done = DONE.get();
    DONE.set(Operations { launches: done.launches + 1, own_launches: done.own_launches + 1, ..done });
}

/// Operations that are one kernel of our own where a card has it.
pub(super) fn as_one<R>(work: impl FnOnce() -> Result<R>) -> Result<R> {
    let before = DONE.get();
    let result = work()?;
    let done = DONE.get();
    // What takes no launch at all, such as a view, needs no kernel either.
    let own = before.own_launches + u64::from(done.launches > before.launches);
    DONE.set(Operations { own_launches: own, ..done });
    Ok(result)
}

/// A·B, batched.
pub(super) fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    launched();
    multiplied(super::product::multiply_adds(a, b)?);
    a.matmul(b)
}

/// a + b; b may be broadcast, views come out contiguous.
pub(super) fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    launched();
    a.broadcast_add(b)
}

/// a − b, as [`add`].
pub(super) fn sub(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    launched();
    a.broadcast_sub(b)
}

/// a·b, element by element, as [`add`].
pub(super) fn mul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    launched();
    a.broadcast_mul(b)
}

/// scale·x + shift; views come out contiguous.
pub(super) fn affine(x: &Tensor, scale: f64, shift: f64) -> Result<Tensor> {
    launched();
    x.affine(scale, shift)
}

/// Another function of each number.
pub(super) fn map(x: &Tensor, f: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    launched();
    f(x)
}

/// Sums over the last dimension, which stays as 1.
pub(super) fn sum(x: &Tensor) -> Result<Tensor> {
    launched();
    x.sum_keepdim(D::Minus1)
}

/// Softmax over the last dimension.
#[expect(clippy::disallowed_methods, reason = "no gradient passes here: callers write theirs out")]
pub(super) fn softmax(x: &Tensor) -> Result<Tensor> {
    launched();
    candle_nn::ops::softmax_last_dim(x)
}

/// (x − mean)/√(var + ε)·γ + β over the last dimension. candle has no kernel of it in f64.
#[expect(clippy::disallowed_methods, reason = "no gradient passes here: callers write theirs out")]
pub(super) fn layer_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, eps: f64) -> Result<Tensor> {
    if x.dtype() != DType::F64 {
        launched();
        return candle_nn::ops::layer_norm(x, gamma, beta, eps as f32);
    }
    let width = x.dim(D::Minus1)? as f64;
    let centred = sub(x, &affine(&sum(x)?, 1.0 / width, 0.0)?)?;
    let variance = affine(&sum(&mul(&centred, &centred)?)?, 1.0 / width, eps)?;
    add(&mul(&mul(&centred, &map(&variance, |v| v.powf(-0.5))?)?, gamma)?, beta)
}

/// A contiguous copy; nothing where it is contiguous already.
pub(super) fn contiguous(x: &Tensor) -> Result<Tensor> {
    if !x.is_contiguous() {
        launched();
    }
    x.contiguous()
}

/// The rows at `indices`.
pub(super) fn rows(x: &Tensor, indices: &Tensor) -> Result<Tensor> {
    launched();
    x.index_select(indices, 0)
}

/// `[count, …]` of zeros to which row i of `x` is added at `indices[i]`.
pub(super) fn add_rows(count: usize, indices: &Tensor, x: &Tensor) -> Result<Tensor> {
    launched();
    launched();
    let mut shape = x.dims().to_vec();
    shape[0] = count;
    Tensor::zeros(shape, x.dtype(), x.device())?.index_add(indices, x, 0)
}

/// Both, along a new first dimension.
pub(super) fn stack(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    launched();
    launched();
    Tensor::stack(&[a, b], 0)
}

/// Both, one after another along the first dimension.
pub(super) fn cat(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    launched();
    launched();
    Tensor::cat(&[a, b], 0)
}

/// In another type; nothing where it has it already.
pub(super) fn to_dtype(x: &Tensor, dtype: DType) -> Result<Tensor> {
    if x.dtype() != dtype {
        launched();
    }
    x.to_dtype(dtype)
}

/// Numbers from the computer's own memory.
pub(super) fn upload(make: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
    DONE.set(Operations { uploads: DONE.get().uploads + 1, ..DONE.get() });
    make()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launches_are_counted_and_views_are_not() {
        let x = Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap();
        let before = operations();
        contiguous(&x).unwrap();
        to_dtype(&x, DType::F32).unwrap();
        assert_eq!(operations(), before);
        contiguous(&x.t().unwrap()).unwrap();
        add(&x, &x).unwrap();
        upload(|| Ok(x.clone())).unwrap();
        let after = operations();
        assert_eq!((after.launches - before.launches, after.uploads - before.uploads), (2, 1));
        pass(|| sum(&x)).unwrap();
        assert!(operations().tensors > after.tensors);
    }
}
