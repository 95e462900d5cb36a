//! Matrix products in candle's graph, counted as the kernels' own are.
//!
//! candle takes a product's gradients itself, where nobody can count: they are noted with the product. What carries a
//! graph is a training step, which goes backward once.

use candle_core::{D, Result, Tensor};

use super::operations::multiplied;

/// Multiply-adds of A·B.
pub(super) fn multiply_adds(a: &Tensor, b: &Tensor) -> Result<usize> {
    Ok(a.elem_count() * b.dim(D::Minus1)?)
}

/// A·B, batched; both carry as many dimensions.
///
/// # Errors
/// Whatever candle reports, in particular a mismatch of shapes.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let gradients = usize::from(a.track_op()) + usize::from(b.track_op());
    multiplied((1 + gradients) * multiply_adds(a, b)?);
    a.matmul(b)
}

#[cfg(test)]
mod tests {
    use super::super::operations::operations;
    use super::*;
    use candle_core::{DType, Device, Var};

    #[test]
    fn a_product_and_its_gradients_are_counted() {
        let count = |work: &dyn Fn() -> Tensor| {
            let before = operations().multiply_adds;
            work();
            operations().multiply_adds - before
        };
        let plain = |shape: &[usize]| Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap();
        let (a, b) = (plain(&[5, 3, 4]), plain(&[5, 4, 7]));
        let var = Var::from_tensor(&a).unwrap();
        assert_eq!(count(&|| matmul(&a, &b).unwrap()), 5 * 3 * 4 * 7);
        assert_eq!(count(&|| matmul(var.as_tensor(), &b).unwrap()), 2 * 5 * 3 * 4 * 7);
        assert_eq!(count(&|| (&a + 1.0).unwrap()), 0, "control: a sum is no product");
    }
}
