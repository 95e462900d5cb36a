//! Rows of numbers on the CPU, handed from one frozen operation to the next without a tensor around them.
//!
//! Every operation here either works in place or fills one new buffer: what candle's graph would keep or
//! copy in between is never made.

use std::marker::PhantomData;

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

use super::kernels::for_each_row;
use super::operations::multiplied;
use super::real::{Real, Rows};

/// A matrix `[rows, cols]` without gaps.
pub(super) struct Dense<T> {
    storage: CpuStorage,
    rows: usize,
    cols: usize,
    element: PhantomData<T>,
}

impl<T: Real> Dense<T> {
    /// Wraps numbers in row order.
    pub fn new(values: Vec<T>, cols: usize) -> Self {
        let rows = values.len().checked_div(cols).unwrap_or(0);
        Self { storage: T::to_cpu_storage_owned(values), rows, cols, element: PhantomData }
    }

    /// A copy of a CPU tensor `[rows, cols]`.
    pub fn copied(tensor: &Tensor) -> Result<Self> {
        Ok(Self::new(tensor.flatten_all()?.to_vec1()?, tensor.dim(1)?))
    }

    /// The numbers, in row order.
    pub fn into_vec(self) -> Result<Vec<T>> {
        T::cpu_storage_data(self.storage)
    }

    /// The numbers as candle's operations take them.
    pub fn operand(&self) -> (&CpuStorage, Layout) {
        (&self.storage, Layout::contiguous((self.rows, self.cols)))
    }

    pub fn row_count(&self) -> usize {
        self.rows
    }

    pub fn col_count(&self) -> usize {
        self.cols
    }

    pub fn view(&self) -> Result<Rows<'_, T>> {
        let data = T::cpu_storage_as_slice(&self.storage)?;
        Ok(Rows { data, rows: self.rows, cols: self.cols, stride: self.cols })
    }

    /// This matrix times `weight` or its transpose, from operands in the weight's type.
    pub fn times(&self, weight: &Tensor, transposed: bool) -> Result<Self> {
        let (storage, layout) = weight.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else { bail!("frozen product: the weight is not on the CPU") };
        let layout = if transposed { layout.transpose(0, 1)? } else { layout.clone() };
        let (inner, cols) = layout.shape().dims2()?;
        if inner != self.cols {
            bail!("linear layer takes rows of width {inner}, got {}", self.cols);
        }
        let own = Layout::contiguous((self.rows, self.cols));
        let size = (1, self.rows, cols, inner);
        multiplied(self.rows * cols * inner);
        let product = if storage.dtype() == T::DTYPE {
            self.storage.matmul(storage, size, &own, &layout)?
        } else {
            let rounded = self.storage.to_dtype(&own, storage.dtype())?;
            let product = rounded.matmul(storage, size, &own, &layout)?;
            product.to_dtype(&Layout::contiguous((self.rows, cols)), T::DTYPE)?
        };
        Ok(Self { storage: product, rows: self.rows, cols, element: PhantomData })
    }

    /// Changes every row in place.
    pub fn map_rows(self, f: impl Fn(usize, &mut [T]) + Sync) -> Result<Self> {
        let cols = self.cols;
        let mut values = self.into_vec()?;
        for_each_row(&mut values, cols, f);
        Ok(Self::new(values, cols))
    }

    /// Adds `bias`, where there is one, and then the rows of `residual`.
    pub fn plus(self, bias: Option<&Tensor>, residual: Option<&Self>) -> Result<Self> {
        let bias = bias.map(Tensor::to_vec1::<T>).transpose()?.unwrap_or_default();
        let residual = residual.map(Self::view).transpose()?;
        self.map_rows(
            #[inline(always)]
            |i, row| {
                for (y, b) in row.iter_mut().zip(&bias) {
                    *y += *b;
                }
                if let Some(residual) = &residual {
                    for (y, x) in row.iter_mut().zip(residual.row(i)) {
                        *y += *x;
                    }
                }
            },
        )
    }

    /// The rows at `indices`.
    pub fn select(&self, indices: &[usize]) -> Result<Self> {
        let view = self.view()?;
        let values = indices.iter().flat_map(|index| view.row(*index)).copied().collect();
        Ok(Self::new(values, self.cols))
    }

    /// Adds row i of `other` to row `indices[i]`.
    pub fn scatter_add(self, indices: &[usize], other: &Self) -> Result<Self> {
        let (cols, other) = (self.cols, other.view()?);
        let mut values = self.into_vec()?;
        for (i, index) in indices.iter().enumerate() {
            for (y, x) in values[index * cols..(index + 1) * cols].iter_mut().zip(other.row(i)) {
                *y += *x;
            }
        }
        Ok(Self::new(values, cols))
    }
}
