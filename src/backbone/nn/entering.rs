//! Frozen rows as the first of a stack of blocks meets them, with what it makes of them before anybody attends: queries, keys
//! and values. They are the same whatever stands beside them, so they are computed once.

use candle_core::{Result, Tensor, bail};

use super::composed_tower;
use super::dense::Dense;
use super::frozen_block::Block;
use super::place::fused;
use super::real::{Real, by_dtype};

/// Rows before the first block.
#[derive(Clone, Debug)]
pub struct EnteringRows {
    /// `[n, width]`.
    pub(super) rows: Tensor,
    /// `[n, width]`, as the passes of their device hold them: with the bias for our kernels, without it elsewhere.
    pub(super) queries: Tensor,
    /// `[n, 2·width]`, keys first.
    pub(super) keys_and_values: Tensor,
}

impl EnteringRows {
    /// Rows `[n, width]` before a frozen block. They carry no graph.
    ///
    /// # Errors
    /// Rows or a block that are being trained; whatever candle reports.
    pub fn of(rows: &Tensor, block: &Block) -> Result<Self> {
        if rows.track_op() || block.is_trained() {
            bail!("rows that enter a tower once for all: they or its first block are being trained");
        }
        let (queries, keys_and_values) = match fused(rows) {
            true => by_dtype!(rows.dtype(), T => by_kernels::<T>(rows, block))?,
            false => composed_tower::projected(block, rows)?,
        };
        Ok(Self { rows: rows.clone(), queries, keys_and_values })
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.rows.dims()[0]
    }

    /// The rows `start..start + count` (views, nothing is copied).
    ///
    /// # Errors
    /// When they do not exist.
    pub fn narrow(&self, start: usize, count: usize) -> Result<Self> {
        self.each(|tensor| tensor.narrow(0, start, count))
    }

    /// Several, one after another.
    ///
    /// # Errors
    /// When they come from towers of different width.
    pub fn cat(parts: &[&Self]) -> Result<Self> {
        if let [only] = parts {
            return Ok((*only).clone());
        }
        let all =
            |of: fn(&Self) -> &Tensor| Tensor::cat(&parts.iter().map(|part| of(part)).collect::<Vec<_>>(), 0);
        Ok(Self {
            rows: all(|part| &part.rows)?,
            queries: all(|part| &part.queries)?,
            keys_and_values: all(|part| &part.keys_and_values)?,
        })
    }

    fn each(&self, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        Ok(Self {
            rows: f(&self.rows)?,
            queries: f(&self.queries)?,
            keys_and_values: f(&self.keys_and_values)?,
        })
    }
}

fn by_kernels<T: Real>(rows: &Tensor, block: &Block) -> Result<(Tensor, Tensor)> {
    let (queries, keys_and_values) = block.projected(&Dense::<T>::copied(rows)?)?;
    let tensor = |rows: Dense<T>, like: &Tensor| {
        let shape = (rows.row_count(), rows.col_count());
        Tensor::from_vec(rows.into_vec(), shape, like.device())
    };
    Ok((tensor(queries, rows)?, tensor(keys_and_values, rows)?))
}

/// Frozen rows beside those a stack of blocks is run on.
#[derive(Clone, Debug)]
pub struct Beside {
    /// The frozen ones.
    pub entering: EnteringRows,
    /// The places of the others among all (ascending).
    pub own: Vec<usize>,
}

impl Beside {
    /// Number of rows together.
    pub(super) fn count(&self) -> usize {
        self.entering.count() + self.own.len()
    }

    /// For every place the row that stands there, where frozen rows are numbered first and the others behind them.
    pub(super) fn order(&self) -> Vec<usize> {
        let (mut frozen, mut own) = (0..self.entering.count(), self.own.iter().enumerate().peekable());
        let row = |place: usize| match own.next_if(|(_, at)| **at == place) {
            Some((index, _)) => Some(self.entering.count() + index),
            None => frozen.next(),
        };
        (0..self.count()).map_while(row).collect()
    }
}
