//! A stack of blocks, run over flat rows by a plan (the engine) or over whole masked sequences.
//!
//! Long because every way to run a stack is here: tokens, tokens among frozen ones, readers, followers, changed blocks, masked.

use std::sync::Arc;

use candle_core::{DType, Result, Tensor, bail};

use super::changes::{BlockChanges, FlatRows};
use super::config::TowerConfig;
use super::files::weights::{Weights, WeightsError};
use super::nn::{Attend, AttentionPlan, Beside, Block, BlockCall, EnteringRows, enter, run_frozen};
use super::parts::each;

/// Every layer's keys and values of frozen tokens: `[rows, 2·width]` each, keys first.
#[derive(Clone, Debug)]
pub struct TokenCache {
    layers: Vec<Tensor>,
}

impl TokenCache {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(|t| t.elem_count() * t.dtype().size_in_bytes()).sum()
    }

    /// Number of cached rows.
    pub fn rows(&self) -> usize {
        self.layers.first().map_or(0, |t| t.dims()[0])
    }

    /// The rows `start..start + count` of every layer (a view, nothing is copied).
    ///
    /// # Errors
    /// When the rows do not exist.
    pub fn narrow(&self, start: usize, count: usize) -> Result<Self> {
        let layers = self.layers.iter().map(|t| t.narrow(0, start, count)).collect::<Result<_>>()?;
        Ok(Self { layers })
    }

    /// Puts the rows of another cache in the place of those from `start` on.
    pub(super) fn fill(&self, other: &Self, start: usize) -> Result<()> {
        self.layers.iter().zip(&other.layers).try_for_each(|(own, other)| own.slice_set(other, 0, start))
    }

    /// Several caches, one after another.
    ///
    /// # Errors
    /// When they come from towers of different depth or width.
    pub fn cat(caches: &[&Self]) -> Result<Self> {
        let depth = caches.first().map_or(0, |c| c.layers.len());
        let layers = (0..depth)
            .map(|i| Tensor::cat(&caches.iter().map(|c| &c.layers[i]).collect::<Vec<_>>(), 0))
            .collect::<Result<_>>()?;
        Ok(Self { layers })
    }
}

/// The transformer of one side.
#[derive(Clone, Debug)]
pub struct Tower {
    blocks: Arc<[Block]>,
    heads: usize,
}

impl Tower {
    /// Reads the blocks of `vision_model` or `text_model`.
    ///
    /// # Errors
    /// A missing tensor or one whose shape the configuration does not imply.
    pub fn load(
        weights: &Weights,
        model: &str,
        config: &TowerConfig,
    ) -> std::result::Result<Self, WeightsError> {
        let blocks = (0..config.layers)
            .map(|i| Block::load(weights, &format!("{model}.encoder.layers.{i}"), config))
            .collect::<std::result::Result<_, _>>()?;
        Ok(Self { blocks, heads: config.heads })
    }

    /// The same tower with the weights of its linear layers in `dtype`.
    pub(super) fn rounded(&self, dtype: DType) -> Result<Self> {
        let blocks = self.blocks.iter().map(|block| block.rounded(dtype)).collect::<Result<_>>()?;
        Ok(Self { blocks, heads: self.heads })
    }

    /// A cache of `rows` rows that are still to be filled, of the type and on the device of `like`.
    pub(super) fn empty_cache(&self, rows: usize, like: &Tensor) -> Result<TokenCache> {
        let layer =
            |block: &Block| Tensor::zeros((rows, block.kv.weight().dim(0)?), like.dtype(), like.device());
        Ok(TokenCache { layers: each(&self.blocks, layer)? })
    }

    /// True when a weight is itself being trained.
    pub fn is_trained(&self) -> bool {
        self.blocks.iter().any(Block::is_trained)
    }

    /// Runs tokens `[rows, width]` that attend to each other by `plan`. In the last block only the
    /// rows `read` (ascending) are computed. Where only the rows `trained` (ascending) of `x` come from what is trained, the
    /// gradients of others may be zero. Returns them and every layer's keys and values, which are empty
    /// without `keep`.
    ///
    /// # Errors
    /// Whatever candle reports; keys and values of rows that carry a graph over frozen weights.
    pub fn tokens(
        &self,
        x: Tensor,
        plan: &Arc<AttentionPlan>,
        (read, trained): (&[usize], Option<&[usize]>),
        keep: bool,
    ) -> Result<(Tensor, TokenCache)> {
        let mut calls = self.calls(plan, read)?;
        if let Some(first) = calls.first_mut() {
            first.trained = trained.map(<[usize]>::to_vec);
        }
        let (x, layers) = self.run(x, calls, keep)?;
        Ok((x, TokenCache { layers }))
    }

    /// What the first block makes of frozen rows `[n, width]` before anybody attends.
    ///
    /// # Errors
    /// A tower without blocks, or whose weights are being trained; whatever candle reports.
    pub fn entering(&self, x: &Tensor) -> Result<EnteringRows> {
        let Some(first) = self.blocks.first() else { bail!("rows that enter a tower: it has no block") };
        enter(x, first)
    }

    /// Runs tokens as [`Tower::tokens`] does, where those of `x` stand among frozen ones that `plan` and `read` count too.
    ///
    /// # Errors
    /// Whatever candle reports; a tower whose weights are being trained.
    pub fn tokens_beside(
        &self,
        x: &Tensor,
        beside: Beside,
        plan: &Arc<AttentionPlan>,
        read: &[usize],
    ) -> Result<Tensor> {
        if self.is_trained() {
            bail!("tokens among frozen ones: the tower itself is being trained");
        }
        let mut calls = self.calls(plan, read)?;
        if let Some(first) = calls.first_mut() {
            first.beside = Some(beside);
        }
        Ok(run_frozen(x, &self.blocks, calls, false)?.0)
    }

    /// A call a block for rows that attend to each other by `plan`; the last computes the rows `read` alone.
    fn calls(&self, plan: &Arc<AttentionPlan>, read: &[usize]) -> Result<Vec<BlockCall>> {
        let (depth, last_plan) = (self.blocks.len(), Arc::new(plan.reading(read)?));
        let call = |i| {
            let last = i + 1 == depth;
            let plan = if last { last_plan.clone() } else { plan.clone() };
            let attend = Attend { plan, heads: self.heads, cached: None };
            let read = last.then(|| read.to_vec());
            BlockCall { attend, own_keys: true, read, trained: None, beside: None }
        };
        Ok((0..depth).map(call).collect())
    }

    /// Runs reader rows `[rows, width]`: they attend to the cached tokens and to nothing else, so
    /// any set of rows may be computed together.
    ///
    /// # Errors
    /// Whatever candle reports; a cache of another depth.
    pub fn readers(&self, x: Tensor, cache: &TokenCache, plan: &Arc<AttentionPlan>) -> Result<Tensor> {
        self.over(x, cache, plan, false)
    }

    /// Runs rows `[rows, width]` that attend to the cached tokens and, as `plan` says, to each other.
    ///
    /// # Errors
    /// As [`Tower::readers`].
    pub fn followers(&self, x: Tensor, cache: &TokenCache, plan: &Arc<AttentionPlan>) -> Result<Tensor> {
        self.over(x, cache, plan, true)
    }

    fn over(
        &self,
        x: Tensor,
        cache: &TokenCache,
        plan: &Arc<AttentionPlan>,
        own_keys: bool,
    ) -> Result<Tensor> {
        if cache.layers.len() != self.blocks.len() {
            bail!("token cache has {} layers, the tower {}", cache.layers.len(), self.blocks.len());
        }
        let call = |kv: &Tensor| {
            let attend = Attend { plan: plan.clone(), heads: self.heads, cached: Some(kv.clone()) };
            BlockCall { attend, own_keys, read: None, trained: None, beside: None }
        };
        Ok(self.run(x, cache.layers.iter().map(call).collect(), false)?.0)
    }

    /// One call a block: the rows that go on and, with `keep`, own keys and values.
    fn run(&self, x: Tensor, calls: Vec<BlockCall>, keep: bool) -> Result<(Tensor, Vec<Tensor>)> {
        if !self.is_trained() {
            return run_frozen(&x, &self.blocks, calls, keep);
        }
        let (mut x, mut layers) = (x, Vec::new());
        for (block, call) in self.blocks.iter().zip(calls) {
            let (next, kv) = block.rows(&x, call, &[])?;
            x = next;
            layers.extend(kv.filter(|_| keep));
        }
        Ok((x, layers))
    }

    /// Runs tokens as [`Tower::tokens`] does, with changes. Stretches of frozen blocks stay one operation.
    ///
    /// # Errors
    /// Whatever candle reports; a change of a block that does not exist, rows that do not exist.
    pub(super) fn changed(
        &self,
        x: Tensor,
        plan: &Arc<AttentionPlan>,
        read: &[usize],
        rows: &[FlatRows],
        changes: &BlockChanges,
    ) -> Result<Tensor> {
        let (depth, calls) = (self.blocks.len(), self.calls(plan, read)?);
        let blocks = rows.iter().map(|rows| rows.block);
        let blocks = blocks.chain(changes.low_rank.iter().map(|low| low.block));
        if let Some(block) = blocks.chain(changes.norms.iter().map(|norm| norm.block)).find(|b| *b >= depth) {
            bail!("change block {block}: the tower has {depth} blocks");
        }
        let overwritten = |i: usize| rows.iter().any(|rows| rows.block == i);
        let fused = |i: usize| !self.blocks[i].is_trained() && !changes.concern(i);
        let mut stretches: Vec<std::ops::Range<usize>> = Vec::new();
        for i in 0..depth {
            match stretches.last_mut() {
                Some(stretch) if !overwritten(i) && fused(i) && fused(i - 1) => stretch.end = i + 1,
                _ => stretches.push(i..i + 1),
            }
        }
        let is_fused: Vec<bool> = stretches.iter().map(|stretch| fused(stretch.start)).collect();
        let mut x = x;
        for (stretch, fused) in stretches.into_iter().zip(is_fused) {
            for rows in rows.iter().filter(|rows| rows.block == stretch.start) {
                x = rows.overwrite(&x)?;
            }
            x = if fused {
                let blocks: Arc<[Block]> = self.blocks[stretch.clone()].to_vec().into();
                run_frozen(&x, &blocks, calls[stretch].to_vec(), false)?.0
            } else {
                let i = stretch.start;
                let block = changes.normed(i, &self.blocks[i]);
                block.rows(&x, calls[i].clone(), &changes.of(i))?.0
            };
        }
        Ok(x)
    }

    /// A frozen tower that computes what the changed one does.
    pub(super) fn merged(&self, changes: &BlockChanges) -> Result<Self> {
        let blocks = self.blocks.iter().enumerate().map(|(i, block)| changes.merged(i, block));
        Ok(Self { blocks: blocks.collect::<Result<_>>()?, heads: self.heads })
    }

    /// Scale and shift of a block's LayerNorm: the one before attention, or the one before the MLP.
    pub(super) fn norm(&self, block: usize, second: bool) -> Option<[&Tensor; 2]> {
        let block = self.blocks.get(block)?;
        Some(if second { block.ln2.values() } else { block.ln1.values() })
    }

    /// Runs whole sequences `[batch, n, width]` under an additive mask that broadcasts to
    /// `[batch, heads, n, n]`. `observe` sees every block's output. This is the naive path: the oracle
    /// of the engine, and the only honest way to run prompts that tokens do attend to.
    ///
    /// # Errors
    /// When a row is not finite (a mask of −∞ does not stop the NaN of an overflowing prompt), whatever
    /// candle reports, and whatever `observe` returns.
    pub fn masked(
        &self,
        x: Tensor,
        mask: Option<&Tensor>,
        observe: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        self.masked_between(x, mask, &mut |_, x| Ok(x), observe)
    }

    /// The same with a hook: `between` sees the rows `[batch, n, width]` before each block and gives those that go on. So
    /// it is the oracle of every insertion.
    ///
    /// # Errors
    /// As [`Tower::masked`], and whatever `between` returns.
    pub fn masked_between(
        &self,
        x: Tensor,
        mask: Option<&Tensor>,
        between: &mut dyn FnMut(usize, Tensor) -> Result<Tensor>,
        observe: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        self.blocks.iter().enumerate().try_fold(x, |x, (i, block)| {
            let x = between(i, x)?;
            let x = block.dense(&x, mask, self.heads)?;
            if !x.detach().sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?.is_finite() {
                bail!("block {i}: a row of the sequences is not finite; is a prompt too large?");
            }
            observe(i, &x)?;
            Ok(x)
        })
    }
}
