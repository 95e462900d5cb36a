//! Named tensors under HuggingFace's CLIP names, looked up with their expected shapes.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};

/// Why a weight could not be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// No tensor of that name.
    #[error("find tensor {name:?} in {origin}: not there; is this a HuggingFace CLIP model?")]
    Missing {
        /// Tensor name.
        name: String,
        /// File or folder the weights came from.
        origin: String,
    },
    /// The tensor exists with another shape.
    #[error("use tensor {name:?} of {origin}: shape {found:?}, but config.json implies {expected:?}")]
    Shape {
        /// Tensor name.
        name: String,
        /// File or folder the weights came from.
        origin: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape the configuration implies.
        expected: Vec<usize>,
    },
    /// candle refused an operation.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// A set of frozen tensors. Iteration order is the name order.
#[derive(Clone, Debug)]
pub struct Weights {
    tensors: BTreeMap<String, Tensor>,
    origin: String,
}

impl Weights {
    /// Wraps tensors; `origin` names their file or folder in errors.
    pub fn new(origin: impl Into<String>, tensors: BTreeMap<String, Tensor>) -> Self {
        Self { tensors, origin: origin.into() }
    }

    /// The tensor `name`, which must have exactly `shape`.
    ///
    /// # Errors
    /// [`WeightsError::Missing`] or [`WeightsError::Shape`].
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor, WeightsError> {
        let tensor = self
            .tensors
            .get(name)
            .ok_or_else(|| WeightsError::Missing { name: name.to_owned(), origin: self.origin.clone() })?;
        if tensor.dims() != shape {
            return Err(WeightsError::Shape {
                name: name.to_owned(),
                origin: self.origin.clone(),
                found: tensor.dims().to_vec(),
                expected: shape.to_vec(),
            });
        }
        Ok(tensor.clone())
    }

    /// The same tensors on another device and in another type.
    ///
    /// # Errors
    /// Whatever candle reports, for example an unsupported conversion.
    pub fn to(&self, device: &Device, dtype: DType) -> Result<Self, WeightsError> {
        let mut tensors = BTreeMap::new();
        for (name, tensor) in &self.tensors {
            tensors.insert(name.clone(), tensor.to_device(device)?.to_dtype(dtype)?);
        }
        Ok(Self { tensors, origin: self.origin.clone() })
    }

    /// Names and tensors in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// File or folder the weights came from, for messages.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}
