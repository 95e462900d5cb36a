//! One transformer block with frozen weights as two passes over plain rows: forward, and backward to the input.
//!
//! Backward keeps seven to nine numbers per row and channel (input, queries, own keys and values, the sum behind
//! attention, the slope of the MLP's activation), attention's probabilities where they are few, and computes the rest
//! again: a graph of single operations keeps sixteen and more.

use candle_core::{DType, Result};

use super::activation::{value, value_and_slope};
use super::attend_blocks::Probabilities;
use super::dense::Dense;
use super::entering::Beside;
use super::kernels::{for_each_pair_of_rows, zeros};
use super::layer_norm::LayerNorm;
use super::linear::{Linear, OWN_WAY_BELOW};
use super::plan::Attend;
use super::real::Real;
use super::recycled::scratch;
use crate::backbone::config::Activation;

/// x += attention(LN(x)); x += MLP(LN(x)). Keys and values come from one linear layer.
#[derive(Clone, Debug)]
pub struct Block {
    /// LayerNorm before attention.
    pub ln1: LayerNorm,
    /// Queries.
    pub q: Linear,
    /// `[2·width, width]`: keys, then values.
    pub kv: Linear,
    /// Output projection of attention.
    pub out: Linear,
    /// LayerNorm before the MLP.
    pub ln2: LayerNorm,
    /// First layer of the MLP.
    pub fc1: Linear,
    /// Second layer of the MLP.
    pub fc2: Linear,
    /// Between the two.
    pub activation: Activation,
}

/// How one block is run.
#[derive(Clone)]
pub struct BlockCall {
    /// Who sees whom.
    pub attend: Attend,
    /// Whether rows have keys and values of their own. Readers have none: nobody attends to them.
    pub own_keys: bool,
    /// The rows that go on (ascending); all where absent.
    pub read: Option<Vec<usize>>,
    /// The rows whose gradient somebody reads (ascending); all where absent. Those of the others may be zero: only for the first
    /// block of a tower.
    pub trained: Option<Vec<usize>>,
    /// Frozen rows among which those being run stand: only for the first block of a tower, whose input gradient is then that
    /// of the rows being run.
    pub beside: Option<Beside>,
}

/// What a block makes of rows before attention.
struct Before<T: Real> {
    /// The rows that go on, where they are not the block's input as it is.
    going: Option<Dense<T>>,
    /// Theirs.
    q: Dense<T>,
    /// Of all rows.
    kv: Option<Dense<T>>,
}

/// What backward needs of a forward pass.
pub(super) struct Kept<T: Real> {
    /// The rows being run.
    x: Dense<T>,
    q: Dense<T>,
    kv: Option<Dense<T>>,
    /// Absent where they are many.
    probabilities: Option<Probabilities<T>>,
    /// The rows between attention and MLP.
    middle: Dense<T>,
    /// The slope of the activation at the MLP's hidden layer.
    slope: Dense<T>,
}

/// A block's output, its own keys and values, and what backward needs where that was asked for.
pub(super) struct Output<T: Real> {
    pub rows: Dense<T>,
    pub kv: Option<Dense<T>>,
    pub kept: Option<Kept<T>>,
}

impl Block {
    /// The same block with the weights of its linear layers in `dtype`.
    ///
    /// # Errors
    /// Whatever candle reports, for example an unsupported conversion.
    pub fn rounded(&self, dtype: DType) -> Result<Self> {
        Ok(Self {
            q: self.q.rounded(dtype)?,
            kv: self.kv.rounded(dtype)?,
            out: self.out.rounded(dtype)?,
            fc1: self.fc1.rounded(dtype)?,
            fc2: self.fc2.rounded(dtype)?,
            ..self.clone()
        })
    }

    /// True when a weight is itself being trained.
    pub fn is_trained(&self) -> bool {
        let linear = [&self.q, &self.kv, &self.out, &self.fc1, &self.fc2];
        linear.iter().any(|layer| layer.is_trained()) || self.ln1.is_trained() || self.ln2.is_trained()
    }

    /// Runs rows `[n, width]`; `keep` for a backward pass.
    pub(super) fn forward<T: Real>(&self, x: Dense<T>, call: &BlockCall, keep: bool) -> Result<Output<T>> {
        let Before { going, q, kv } = self.before(&x, call)?;
        let (attended, probabilities) = call.attend.apply(&q, kv.as_ref(), keep)?;
        let middle = self.out.apply(&attended, Some(going.as_ref().unwrap_or(&x)))?;
        drop((attended, going));
        let hidden = self.fc1.product(&self.ln2.apply(&middle)?)?;
        let (active, slope) = self.activated(hidden, keep)?;
        let rows = self.fc2.apply(&active, Some(&middle))?;
        Ok(match slope {
            Some(slope) => {
                Output { rows, kv: None, kept: Some(Kept { x, q, kv, probabilities, middle, slope }) }
            }
            None => Output { rows, kv, kept: None },
        })
    }

    /// Everything before attention.
    fn before<T: Real>(&self, x: &Dense<T>, call: &BlockCall) -> Result<Before<T>> {
        let Some(Beside { entering, own }) = &call.beside else {
            let normed = self.ln1.apply(x)?;
            let kv = call.own_keys.then(|| self.kv.apply(&normed, None)).transpose()?;
            let Some(read) = &call.read else {
                return Ok(Before { going: None, q: self.q.apply(&normed, None)?, kv });
            };
            let q = self.q.apply(&normed.select(read), None)?;
            return Ok(Before { going: Some(x.select(read)), q, kv });
        };
        let (q, kv) = self.projected_as_among_many(x)?;
        let (x, q) = (x.among(own, &entering.rows)?, q.among(own, &entering.queries)?);
        let kv = Some(kv.among(own, &entering.keys_and_values)?);
        Ok(match &call.read {
            Some(read) => Before { going: Some(x.select(read)), q: q.select(read), kv },
            None => Before { going: Some(x), q, kv },
        })
    }

    /// The same as [`Self::projected`] with the bits that these rows have among many: so small a product is computed in another
    /// way, unless its rows stand there several times.
    fn projected_as_among_many<T: Real>(&self, x: &Dense<T>) -> Result<(Dense<T>, Dense<T>)> {
        let (rows, enough) = (x.row_count(), OWN_WAY_BELOW.div_ceil(x.col_count().max(1)).max(2));
        if !(1..enough).contains(&rows) {
            return self.projected(x);
        }
        let (q, kv) = self.projected(&x.select(&(0..enough).map(|row| row % rows).collect::<Vec<_>>()))?;
        let own: Vec<usize> = (0..rows).collect();
        Ok((q.select(&own), kv.select(&own)))
    }

    /// Queries, and keys and values, of rows.
    pub(super) fn projected<T: Real>(&self, x: &Dense<T>) -> Result<(Dense<T>, Dense<T>)> {
        let normed = self.ln1.apply(x)?;
        Ok((self.q.apply(&normed, None)?, self.kv.apply(&normed, None)?))
    }

    /// Bias and activation, in place; where backward follows, the activation's slope is left in the rows' place.
    fn activated<T: Real>(&self, hidden: Dense<T>, keep: bool) -> Result<(Dense<T>, Option<Dense<T>>)> {
        let (mut bias, kind, cols) = (self.fc1.bias_values::<T>()?, self.activation, hidden.col_count());
        bias.resize(cols, T::ZERO);
        if !keep {
            let active = hidden.map_rows(
                #[inline(always)]
                |_, row| {
                    for (h, b) in row.iter_mut().zip(&bias) {
                        *h += *b;
                    }
                    value(kind, row);
                },
            );
            return Ok((active, None));
        }
        let mut hidden = hidden.into_vec();
        let mut active = scratch(hidden.len());
        for_each_pair_of_rows(
            (&mut hidden, &mut active),
            cols,
            #[inline(always)]
            |row, active| value_and_slope(kind, row, active, &bias),
        );
        Ok((Dense::new(active, cols), Some(Dense::new(hidden, cols))))
    }

    /// Gradient of the input for the gradient `[read rows, width]` of the output.
    pub(super) fn backward<T: Real>(
        &self,
        kept: &Kept<T>,
        call: &BlockCall,
        grad: Dense<T>,
    ) -> Result<Dense<T>> {
        let slope = kept.slope.view();
        let d_hidden = grad.times(self.fc2.weight(), false)?.map_rows(
            #[inline(always)]
            |i, row| {
                for (d, slope) in row.iter_mut().zip(slope.row(i)) {
                    *d *= *slope;
                }
            },
        );
        let d_normed = d_hidden.times(self.fc1.weight(), false)?;
        drop(d_hidden);
        let d_middle = self.ln2.backward(&kept.middle, d_normed)?.plus(None, Some(&grad))?;
        drop(grad);
        let d_attended = d_middle.times(self.out.weight(), false)?;
        let (dq, d_kv) =
            call.attend.gradients(&kept.q, kept.kv.as_ref(), &d_attended, kept.probabilities.as_ref())?;
        if let (Some(d_kv), None, Some(rows)) = (&d_kv, &call.read, &call.trained) {
            let d_read = dq.select(rows).times(self.q.weight(), false)?;
            let d_normed = d_kv.select(rows).times(self.kv.weight(), false)?.plus(None, Some(&d_read))?;
            let d_rows = self.ln1.backward(&kept.x.select(rows), d_normed)?;
            let d_rows = d_rows.plus(None, Some(&d_middle.select(rows)))?;
            let none = Dense::new(zeros(kept.x.row_count() * kept.x.col_count()), kept.x.col_count());
            return Ok(none.scatter_add(rows, &d_rows));
        }
        if let (Some(d_kv), Some(beside)) = (&d_kv, &call.beside) {
            let own = |rows: &Dense<T>| match &call.read {
                Some(read) => {
                    let none = Dense::new(zeros(beside.count() * rows.col_count()), rows.col_count());
                    none.scatter_add(read, rows).select(&beside.own)
                }
                None => rows.select(&beside.own),
            };
            let d_read = own(&dq).times(self.q.weight(), false)?;
            let d_kv = d_kv.select(&beside.own);
            let d_normed = d_kv.times(self.kv.weight(), false)?.plus(None, Some(&d_read))?;
            return self.ln1.backward(&kept.x, d_normed)?.plus(None, Some(&own(&d_middle)));
        }
        let d_read = dq.times(self.q.weight(), false)?;
        let Some(d_kv) = d_kv else {
            return self.ln1.backward(&kept.x, d_read)?.plus(None, Some(&d_middle));
        };
        let d_normed = d_kv.times(self.kv.weight(), false)?;
        match &call.read {
            None => {
                self.ln1.backward(&kept.x, d_normed.plus(None, Some(&d_read))?)?.plus(None, Some(&d_middle))
            }
            Some(rows) => {
                let d_normed = d_normed.scatter_add(rows, &d_read);
                Ok(self.ln1.backward(&kept.x, d_normed)?.scatter_add(rows, &d_middle))
            }
        }
    }
}

#[cfg(test)]
#[path = "frozen_block_tests.rs"]
mod tests;
