//! What can be trained inside a frozen tower, as data: rows that are overwritten between blocks, low-rank additions to
//! projections, and LayerNorms of one's own.
//!
//! Gradients flow to the tensors in here and through the tower, never to its own weights.

use std::ops::Range;

use candle_core::{Result, Tensor, bail};

use super::nn::{Block, LayerNorm, Linear, matmul};
use crate::util::rng::Stream;

/// A projection of attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// Queries.
    Query,
    /// Keys.
    Key,
    /// Values.
    Value,
}

impl Projection {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Query, Self::Key, Self::Value];
}

/// Adds scale·B·A to a projection's weight.
#[derive(Clone, Debug)]
pub struct LowRank {
    /// Block, from 0.
    pub block: usize,
    /// Which projection.
    pub projection: Projection,
    /// A, `[rank, width]`.
    pub a: Tensor,
    /// B, `[width, rank]`.
    pub b: Tensor,
    /// What B·A is multiplied by.
    pub scale: f64,
    /// What is left out of the input in a training step.
    pub dropout: Option<Dropout>,
}

/// Entries of the addition's input that a training step leaves out, at random; the others grow, so that the mean stays.
/// Rows that several classes share are left out for all of them.
#[derive(Clone, Debug)]
pub struct Dropout {
    /// Share that is left out, below 1.
    pub rate: f64,
    /// Names the step's random numbers.
    pub noise: String,
    /// Which part of the rows this is, where they are computed in chunks.
    part: usize,
}

impl Dropout {
    /// For all rows.
    pub fn new(rate: f64, noise: &str) -> Self {
        Self { rate, noise: noise.to_owned(), part: 0 }
    }

    /// 0 or 1/(1 − rate) for every entry of `x`, drawn on the host: the same numbers whenever the same rows are computed.
    fn mask(&self, x: &Tensor, place: [usize; 2]) -> Result<Tensor> {
        /// Thresholds have this many steps.
        const STEPS: f64 = 65536.0;
        let threshold = (self.rate * STEPS).round() as u64;
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        let words = [place[0], place[1], self.part].map(|n| n.to_string());
        let mut stream = Stream::new(&["dropout", &self.noise, &words[0], &words[1], &words[2]]);
        let count = x.elem_count();
        let mut mask = Vec::with_capacity(count + 3);
        while mask.len() < count {
            let bits = stream.bits();
            mask.extend((0..4).map(|i| if (bits >> (16 * i)) & 0xffff < threshold { 0.0 } else { kept }));
        }
        mask.truncate(count);
        Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())
    }
}

/// Takes the place of a block's LayerNorm.
#[derive(Clone, Debug)]
pub struct Norm {
    /// Block, from 0.
    pub block: usize,
    /// False: the one before attention. True: the one before the MLP.
    pub second: bool,
    /// Scale and shift, `[width]` each.
    pub values: [Tensor; 2],
}

/// Changes of blocks.
#[derive(Clone, Debug, Default)]
pub struct BlockChanges {
    /// Additions to projections.
    pub low_rank: Vec<LowRank>,
    /// LayerNorms.
    pub norms: Vec<Norm>,
}

/// Changes of the text tower.
#[derive(Clone, Debug, Default)]
pub struct TextChanges {
    /// Overwritten rows, in any order.
    pub rows: Vec<TextRows>,
    /// Changes of blocks.
    pub blocks: BlockChanges,
    /// In place of the final LayerNorm.
    pub last_norm: Option<[Tensor; 2]>,
}

/// Rows of every class that are overwritten before a block. The old ones are gone from there on.
#[derive(Clone, Debug)]
pub struct TextRows {
    /// Before this block, from 0. Before block 0 positions have been added already.
    pub block: usize,
    /// The first row, counted from SOS.
    pub first: usize,
    /// `[n, width]` for rows of the shared beginning, `[classes, n, width]` for rows behind it.
    pub values: Tensor,
}

/// Changes of the vision tower.
#[derive(Clone, Debug, Default)]
pub struct VisionChanges {
    /// Rows `[n, width]` that are appended to every image before the pre-LayerNorm, without position.
    pub appended: Option<Tensor>,
    /// Before these blocks (1 or later) the appended rows are overwritten by `[n, width]`.
    pub overwritten: Vec<(usize, Tensor)>,
    /// Changes of blocks.
    pub blocks: BlockChanges,
    /// In place of the LayerNorm before the first block.
    pub first_norm: Option<[Tensor; 2]>,
    /// In place of the LayerNorm behind the last block.
    pub last_norm: Option<[Tensor; 2]>,
}

/// Rows of a flat matrix that are overwritten before a block.
#[derive(Clone, Debug)]
pub(super) struct FlatRows {
    pub block: usize,
    /// `[m, width]`.
    pub values: Tensor,
    /// Row of the matrix, row of `values`.
    pub pairs: Vec<(usize, usize)>,
}

impl FlatRows {
    /// `x` with these rows in it; the gradient of an overwritten row goes to its new values.
    pub fn overwrite(&self, x: &Tensor) -> Result<Tensor> {
        let rows = x.dim(0)?;
        let mut places: Vec<u32> = (0..rows as u32).collect();
        for (row, value) in &self.pairs {
            match places.get_mut(*row) {
                Some(place) => *place = (rows + value) as u32,
                None => bail!("overwrite row {row} of {rows}"),
            }
        }
        let places = Tensor::new(places, x.device())?;
        Tensor::cat(&[x, &self.values], 0)?.index_select(&places, 0)
    }
}

impl BlockChanges {
    /// Whether a block differs from the frozen one.
    pub(super) fn concern(&self, block: usize) -> bool {
        self.low_rank.iter().any(|low| low.block == block)
            || self.norms.iter().any(|norm| norm.block == block)
    }

    /// The additions of one block.
    pub(super) fn of(&self, block: usize) -> Vec<&LowRank> {
        self.low_rank.iter().filter(|low| low.block == block).collect()
    }

    /// A block with these LayerNorms in place of its own.
    pub(super) fn normed(&self, index: usize, block: &Block) -> Block {
        let mut block = block.clone();
        for norm in self.norms.iter().filter(|norm| norm.block == index) {
            let slot = if norm.second { &mut block.ln2 } else { &mut block.ln1 };
            *slot = slot.with(&norm.values);
        }
        block
    }

    /// A frozen block that computes what the changed one does; it carries no gradient.
    pub(super) fn merged(&self, index: usize, block: &Block) -> Result<Block> {
        let mut block = self.normed(index, block);
        (block.ln1, block.ln2) = (block.ln1.detached(), block.ln2.detached());
        for low in self.of(index) {
            let added = (matmul(&low.b.detach(), &low.a.detach())? * low.scale)?;
            let zeros = added.zeros_like()?;
            match low.projection {
                Projection::Query => block.q = block.q.plus_weight(&added)?,
                Projection::Key => block.kv = block.kv.plus_weight(&Tensor::cat(&[&added, &zeros], 0)?)?,
                Projection::Value => block.kv = block.kv.plus_weight(&Tensor::cat(&[&zeros, &added], 0)?)?,
            }
        }
        Ok(block)
    }
}

impl LowRank {
    /// What is added to the projection of rows `[n, width]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = match &self.dropout {
            Some(dropout) => (x * dropout.mask(x, [self.block, self.projection as usize])?)?,
            None => x.clone(),
        };
        matmul(&matmul(&x, &self.a.t()?)?, &self.b.t()?)? * self.scale
    }
}

impl TextChanges {
    /// All tensors in one `[numbers]`, since what is computed in chunks takes one; `None` where nothing changes.
    pub(super) fn pack(&self) -> Result<Option<Tensor>> {
        let flat = self.tensors().into_iter().map(Tensor::flatten_all).collect::<Result<Vec<_>>>()?;
        if flat.is_empty() { Ok(None) } else { Tensor::cat(&flat, 0).map(Some) }
    }

    fn tensors(&self) -> Vec<&Tensor> {
        let rows = self.rows.iter().map(|rows| &rows.values);
        let low_rank = self.blocks.low_rank.iter().flat_map(|low| [&low.a, &low.b]);
        let norms = self.blocks.norms.iter().flat_map(|norm| &norm.values);
        rows.chain(low_rank).chain(norms).chain(self.last_norm.iter().flatten()).collect()
    }

    /// The same changes with the numbers of `packed`, for the classes of a range.
    pub(super) fn unpack(&self, packed: &Tensor, classes: Range<usize>) -> Result<Self> {
        let mut start = 0;
        let mut take = |like: &Tensor| -> Result<Tensor> {
            let count = like.elem_count();
            let taken = packed.narrow(0, start, count)?.reshape(like.shape())?;
            start += count;
            Ok(taken)
        };
        let mut changes = self.clone();
        for rows in &mut changes.rows {
            rows.values = take(&rows.values)?;
            if rows.values.rank() == 3 {
                rows.values = rows.values.narrow(0, classes.start, classes.len())?;
            }
        }
        for low in &mut changes.blocks.low_rank {
            (low.a, low.b) = (take(&low.a)?, take(&low.b)?);
            if let Some(dropout) = &mut low.dropout {
                dropout.part = classes.start;
            }
        }
        for norm in &mut changes.blocks.norms {
            norm.values = [take(&norm.values[0])?, take(&norm.values[1])?];
        }
        if let Some([gamma, beta]) = &mut changes.last_norm {
            (*gamma, *beta) = (take(gamma)?, take(beta)?);
        }
        Ok(changes)
    }
}

impl LayerNorm {
    /// The same with other values.
    pub(super) fn replaced(&self, values: Option<&[Tensor; 2]>) -> Self {
        values.map_or_else(|| self.clone(), |values| self.with(values))
    }
}

impl Linear {
    /// The same layer with `added` `[out, in]` on its weight.
    fn plus_weight(&self, added: &Tensor) -> Result<Self> {
        let weight = self.weight();
        Ok(self.with_weight((weight + added.to_dtype(weight.dtype())?)?))
    }
}
