//! Rows of numbers on the CPU, handed from one frozen operation to the next without a tensor around them.
//!
//! Every operation here either works in place or fills one buffer, new or let go before, but for products with rounded
//! weights: what candle's graph would keep or copy in between is never made.

use candle_core::backend::BackendStorage;
use candle_core::{Layout, Result, Storage, Tensor, bail};

use super::kernels::for_each_row;
use super::multiply::{Operand, Threads, multiply};
use super::operations::multiplied;
use super::real::{Real, Rows};
use super::recycled::let_go;

/// A matrix `[rows, cols]` without gaps. Its memory is used again.
pub(super) struct Dense<T: Real> {
    values: Vec<T>,
    rows: usize,
    cols: usize,
}

impl<T: Real> Drop for Dense<T> {
    fn drop(&mut self) {
        let_go(std::mem::take(&mut self.values));
    }
}

impl<T: Real> Dense<T> {
    /// Wraps numbers in row order.
    pub fn new(values: Vec<T>, cols: usize) -> Self {
        let rows = values.len().checked_div(cols).unwrap_or(0);
        Self { values, rows, cols }
    }

    /// A copy of a CPU tensor `[rows, cols]`.
    pub fn copied(tensor: &Tensor) -> Result<Self> {
        Ok(Self::new(tensor.flatten_all()?.to_vec1()?, tensor.dim(1)?))
    }

    /// The numbers, in row order.
    pub fn into_vec(mut self) -> Vec<T> {
        std::mem::take(&mut self.values)
    }

    pub fn row_count(&self) -> usize {
        self.rows
    }

    pub fn col_count(&self) -> usize {
        self.cols
    }

    pub fn view(&self) -> Rows<'_, T> {
        Rows { data: &self.values, rows: self.rows, cols: self.cols, stride: self.cols }
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
        multiplied(self.rows * cols * inner);
        if storage.dtype() == T::DTYPE {
            let (own, size) = (Operand::rows(&self.values, self.cols), (self.rows, cols, inner));
            return Ok(Self::new(multiply(own, Operand::of(storage, &layout)?, size, Threads::All)?, cols));
        }
        let own = Layout::contiguous((self.rows, self.cols));
        // The one place that copies: rows have to be a storage to be rounded.
        let rounded = T::to_cpu_storage(&self.values).to_dtype(&own, storage.dtype())?;
        let product = rounded.matmul(storage, (1, self.rows, cols, inner), &own, &layout)?;
        let product = product.to_dtype(&Layout::contiguous((self.rows, cols)), T::DTYPE)?;
        Ok(Self::new(T::cpu_storage_data(product)?, cols))
    }

    /// Changes every row in place.
    pub fn map_rows(mut self, f: impl Fn(usize, &mut [T]) + Sync) -> Self {
        for_each_row(&mut self.values, self.cols, f);
        self
    }

    /// Adds `bias`, where there is one, and then the rows of `residual`.
    pub fn plus(self, bias: Option<&Tensor>, residual: Option<&Self>) -> Result<Self> {
        let bias = bias.map(Tensor::to_vec1::<T>).transpose()?.unwrap_or_default();
        let residual = residual.map(Self::view);
        Ok(self.map_rows(
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
        ))
    }

    /// The rows at `indices`.
    pub fn select(&self, indices: &[usize]) -> Self {
        let view = self.view();
        let mut values = Vec::with_capacity(indices.len() * self.cols);
        indices.iter().for_each(|index| values.extend_from_slice(view.row(*index)));
        Self::new(values, self.cols)
    }

    /// These rows at `places` (ascending), and those of `others`, a CPU tensor, in order at the places between.
    pub fn among(&self, places: &[usize], others: &Tensor) -> Result<Self> {
        let (storage, layout) = others.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else { bail!("rows beside others: they are not on the CPU") };
        let (others, own) = (Rows::<T>::new(storage, layout)?, self.view());
        let count = own.rows + others.rows;
        let ascending = places.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending
            || places.len() != own.rows
            || others.cols != self.cols
            || places.last().is_some_and(|last| *last >= count)
        {
            bail!(
                "{} rows at {} of {count} places beside rows of width {}",
                own.rows,
                places.len(),
                others.cols
            );
        }
        let mut values = Vec::with_capacity(count * self.cols);
        let mut taken = 0;
        for (index, place) in places.iter().enumerate() {
            while taken + index < *place {
                values.extend_from_slice(others.row(taken));
                taken += 1;
            }
            values.extend_from_slice(own.row(index));
        }
        (taken..others.rows).for_each(|index| values.extend_from_slice(others.row(index)));
        Ok(Self::new(values, self.cols))
    }

    /// Adds row i of `other` to row `indices[i]`.
    pub fn scatter_add(mut self, indices: &[usize], other: &Self) -> Self {
        let (cols, other) = (self.cols, other.view());
        for (i, index) in indices.iter().enumerate() {
            for (y, x) in self.values[index * cols..(index + 1) * cols].iter_mut().zip(other.row(i)) {
                *y += *x;
            }
        }
        self
    }
}
