//! Frozen rows as the first of a stack of blocks meets them, with what it makes of them before anybody attends: queries, keys
//! and values. They are the same whatever stands beside them, so they are computed once.

use candle_core::{Result, Tensor};

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
