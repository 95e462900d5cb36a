//! Trained parameters in a fixed order, and named plain tensors to bind a method with.

use std::collections::BTreeMap;

use candle_core::{Tensor, Var};

use super::error::MethodError;

/// Trained variables, in the order of their draws, and fixed tensors that belong to them in files. (candle's
/// `VarMap` has no order.)
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    entries: Vec<(String, Var)>,
    fixed: Named,
    /// Scalars among the fixed ones that a method has learnt by itself.
    solved: u64,
}

impl Parameters {
    /// Makes a variable of each tensor.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn new(tensors: Vec<(&str, Tensor)>) -> Result<Self, MethodError> {
        let entries = tensors
            .into_iter()
            .map(|(name, tensor)| Ok((name.to_owned(), Var::from_tensor(&tensor)?)))
            .collect::<Result<_, MethodError>>()?;
        Ok(Self { entries, fixed: Named::default(), solved: 0 })
    }

    /// The same with tensors that are stored but never trained: what follows from the training images.
    #[must_use]
    pub fn with_fixed(mut self, tensors: Vec<(&str, Tensor)>) -> Self {
        self.fixed.tensors.extend(tensors.into_iter().map(|(name, t)| (name.to_owned(), t.detach())));
        self
    }

    /// The same with tensors that a solver of the method's own has learnt: stored as they are, and counted.
    #[must_use]
    pub fn with_solved(self, tensors: Vec<(&str, Tensor)>) -> Self {
        let count = tensors.iter().map(|(_, tensor)| tensor.elem_count() as u64).sum::<u64>();
        Self { solved: self.solved + count, ..self.with_fixed(tensors) }
    }

    /// The tensors that are never trained.
    pub fn fixed(&self) -> &Named {
        &self.fixed
    }

    /// Names and trained variables, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.entries.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// True for a method that trains nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of learnt scalars.
    pub fn count(&self) -> u64 {
        self.solved + self.entries.iter().map(|(_, var)| var.elem_count() as u64).sum::<u64>()
    }

    /// The variables as tensors: what is computed from them carries a graph. Fixed tensors beside them carry none.
    pub fn tracked(&self) -> Named {
        self.beside_fixed(self.iter().map(|(name, var)| (name.to_owned(), var.as_tensor().clone())))
    }

    fn beside_fixed(&self, trained: impl IntoIterator<Item = (String, Tensor)>) -> Named {
        let fixed = self.fixed.iter().map(|(name, tensor)| (name.to_owned(), tensor.clone()));
        Named::new(fixed.chain(trained))
    }

    /// Puts values into the variables; fixed tensors stay as they are.
    ///
    /// # Errors
    /// [`MethodError::Parameter`] for one that is missing or has another shape.
    pub fn set(&self, values: &Named) -> Result<(), MethodError> {
        for (name, var) in self.iter() {
            var.set(values.get(name, var.dims())?)?;
        }
        Ok(())
    }

    /// A copy of the current values, fixed ones included, without a graph.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn values(&self) -> Result<Named, MethodError> {
        let copies = self.iter().map(|(name, var)| Ok((name.to_owned(), var.as_tensor().detach().copy()?)));
        Ok(self.beside_fixed(copies.collect::<Result<Vec<_>, MethodError>>()?))
    }
}

/// Plain tensors by name.
#[derive(Clone, Debug, Default)]
pub struct Named {
    tensors: BTreeMap<String, Tensor>,
}

impl Named {
    /// Collects tensors.
    pub fn new(tensors: impl IntoIterator<Item = (String, Tensor)>) -> Self {
        Self { tensors: tensors.into_iter().collect() }
    }

    /// The tensor `name`; a dimension of 0 in `shape` matches any size.
    ///
    /// # Errors
    /// [`MethodError::Parameter`] when it is missing or has another shape.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<&Tensor, MethodError> {
        let fail = |reason| MethodError::Parameter { name: name.to_owned(), reason };
        let tensor = self.tensors.get(name).ok_or_else(|| fail("missing".to_owned()))?;
        let dims = tensor.dims();
        let fits = dims.len() == shape.len() && dims.iter().zip(shape).all(|(d, s)| *s == 0 || d == s);
        if fits { Ok(tensor) } else { Err(fail(format!("shape {dims:?}, expected {shape:?} (0 = any)"))) }
    }

    /// The tensor `name`, if it is there.
    pub fn find(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// Names and tensors in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }
}
