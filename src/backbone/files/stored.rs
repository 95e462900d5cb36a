//! A tensor exactly as a file stores it: type, shape and little-endian bytes, with no conversion.
//!
//! Owns widening to f32. Half precision stays half precision here:
//! only [`StoredTensor::to_f32`] changes type, and widening f16 or bf16 is exact.

use candle_core::{DType, Result, Tensor, WithDType, bail};
use half::{bf16, f16};
use safetensors::tensor::Dtype;

/// Floating-point types that weights and prompts are stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredDtype {
    /// IEEE half precision.
    F16,
    /// The upper half of an f32.
    Bf16,
    /// Single precision.
    F32,
    /// Double precision; narrowed when widened weights are asked for.
    F64,
}

impl StoredDtype {
    /// Bytes of one value.
    pub fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The type safetensors calls `dtype`, if it is a floating-point type of weights.
    pub fn from_safetensors(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F16 => Some(Self::F16),
            Dtype::BF16 => Some(Self::Bf16),
            Dtype::F32 => Some(Self::F32),
            Dtype::F64 => Some(Self::F64),
            _ => None,
        }
    }
}

/// One tensor, row-major, little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTensor {
    /// Type of a value.
    pub dtype: StoredDtype,
    /// Sizes; empty for a scalar.
    pub shape: Vec<usize>,
    /// `shape` product times `dtype.bytes()` bytes.
    pub bytes: Vec<u8>,
}

impl StoredTensor {
    /// A tensor of f32 values.
    pub fn from_f32(shape: Vec<usize>, values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dtype: StoredDtype::F32, shape, bytes }
    }

    /// A tensor of floating-point numbers as it is.
    ///
    /// # Errors
    /// Another type; whatever candle reports.
    pub fn from_tensor(tensor: &Tensor) -> Result<Self> {
        let (dtype, bytes) = match tensor.dtype() {
            DType::F16 => (StoredDtype::F16, little(tensor, f16::to_le_bytes)?),
            DType::BF16 => (StoredDtype::Bf16, little(tensor, bf16::to_le_bytes)?),
            DType::F32 => (StoredDtype::F32, little(tensor, f32::to_le_bytes)?),
            DType::F64 => (StoredDtype::F64, little(tensor, f64::to_le_bytes)?),
            other => bail!("store a tensor of {other:?}: only floating-point numbers are"),
        };
        Ok(Self { dtype, shape: tensor.dims().to_vec(), bytes })
    }

    /// The values as f32: exact for f16, bf16 and f32, rounded for f64.
    pub fn to_f32(&self) -> Vec<f32> {
        match self.dtype {
            StoredDtype::F16 => self.values(|bytes| f16::from_le_bytes(bytes).to_f32()),
            StoredDtype::Bf16 => self.values(|bytes| bf16::from_le_bytes(bytes).to_f32()),
            StoredDtype::F32 => self.values(f32::from_le_bytes),
            StoredDtype::F64 => self.values(|bytes| f64::from_le_bytes(bytes) as f32),
        }
    }

    fn values<const N: usize>(&self, value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        self.bytes.as_chunks::<N>().0.iter().map(|bytes| value(*bytes)).collect()
    }
}

/// The values of a tensor in row-major order.
fn little<T: WithDType, const N: usize>(tensor: &Tensor, bytes: fn(T) -> [u8; N]) -> Result<Vec<u8>> {
    Ok(tensor.flatten_all()?.to_vec1::<T>()?.into_iter().flat_map(bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_of_every_type_is_stored_as_it_is() {
        let values =
            Tensor::new(&[[1.5f32, -0.0], [f32::MIN_POSITIVE, 3.0]], &candle_core::Device::Cpu).unwrap();
        for dtype in [DType::F16, DType::BF16, DType::F32, DType::F64] {
            let tensor = values.to_dtype(dtype).unwrap();
            let stored = StoredTensor::from_tensor(&tensor.t().unwrap()).unwrap();
            assert_eq!(
                (stored.shape.as_slice(), stored.bytes.len()),
                (&[2, 2][..], 4 * stored.dtype.bytes())
            );
            let back = tensor.t().unwrap().to_dtype(DType::F32).unwrap().flatten_all().unwrap();
            assert_eq!(stored.to_f32(), back.to_vec1::<f32>().unwrap());
        }
        assert!(StoredTensor::from_tensor(&values.to_dtype(DType::U8).unwrap()).is_err());
    }

    #[test]
    fn every_type_widens_to_the_same_value() {
        let stored = |dtype, bytes: &[u8]| StoredTensor { dtype, shape: vec![], bytes: bytes.to_vec() };
        for tensor in [
            stored(StoredDtype::F16, &f16::from_f32(-1.5).to_le_bytes()),
            stored(StoredDtype::Bf16, &bf16::from_f32(-1.5).to_le_bytes()),
            stored(StoredDtype::F32, &(-1.5f32).to_le_bytes()),
            stored(StoredDtype::F64, &(-1.5f64).to_le_bytes()),
        ] {
            assert_eq!(tensor.to_f32(), [-1.5]);
            assert_eq!(tensor.bytes.len(), tensor.dtype.bytes());
        }
    }
}
