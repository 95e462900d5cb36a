//! The text tower: token rows up to EOS with a shared beginning, their caches, and readers over them.
//!
//! Positions behind EOS are dead under a causal mask and are never computed. The feature is read at
//! EOS, the last token of a row here (the highest id of CLIP's padded row).
//!
//! Long because it is the text tower in one piece: its two ways to run the same rows are read side by side.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{D, DType, Result, Tensor, bail};

use super::block::layer_norm;
use super::changes::{FlatRows, TextChanges, TextRows};
use super::chunked::{in_chunks, ranges};
use super::config::ClipConfig;
use super::files::weights::{Weights, WeightsError};
use super::nn::{AttentionPlan, LayerNorm, Linear};
use super::parts::Cut;
use super::text_layout::TextLayout;
use super::tower::{TokenCache, Tower};

/// The frozen tokens of a class set: every layer's keys and values, and each class's share of them.
#[derive(Clone, Debug)]
pub struct FrozenTexts {
    /// EOS features `[classes, joint]`, NOT l2-normalised.
    pub features: Tensor,
    /// Keys and values of all rows.
    pub cache: TokenCache,
    /// Per class, the cache rows of its tokens SOS..EOS.
    pub keys: Vec<Vec<Range<usize>>>,
}

/// CLIP's text transformer.
#[derive(Clone, Debug)]
pub struct TextTower {
    tokens: Tensor,
    positions: Tensor,
    tower: Tower,
    final_ln: LayerNorm,
    projection: Linear,
    cut: Cut,
}

impl TextTower {
    /// Reads `text_model.*` and `text_projection`.
    ///
    /// # Errors
    /// A missing tensor or one whose shape the configuration does not imply.
    pub fn load(weights: &Weights, config: &ClipConfig) -> std::result::Result<Self, WeightsError> {
        let d = config.text.width;
        let embeddings = "text_model.embeddings";
        Ok(Self {
            tokens: weights.get(&format!("{embeddings}.token_embedding.weight"), &[config.vocab_size, d])?,
            positions: weights
                .get(&format!("{embeddings}.position_embedding.weight"), &[config.context_length, d])?,
            tower: Tower::load(weights, "text_model", &config.text)?,
            final_ln: layer_norm(weights, "text_model.final_layer_norm", &config.text)?,
            projection: Linear::new(
                weights.get("text_projection.weight", &[config.projection_dim, d])?,
                None,
            ),
            cut: Cut::default(),
        })
    }

    /// The same tower with the weights of its linear layers in `dtype`.
    pub(super) fn rounded(&self, dtype: DType) -> Result<Self> {
        Ok(Self {
            tower: self.tower.rounded(dtype)?,
            projection: self.projection.rounded(dtype)?,
            ..self.clone()
        })
    }

    /// The same tower cutting its rows, at a class's at the finest, in another way.
    pub(super) fn with_cut(self, change: impl Fn(Cut) -> Cut) -> Self {
        Self { cut: change(self.cut), ..self }
    }

    /// Rows computed at one time.
    pub(super) fn max_rows(&self) -> usize {
        self.cut.max_rows
    }

    fn cut(&self) -> Cut {
        if self.tower.is_trained() { Cut::WHOLE } else { self.cut }
    }

    /// Class ranges of `rows` rows each; one range where the weights themselves are trained.
    fn chunks(&self, rows: &[usize]) -> Vec<Range<usize>> {
        ranges(rows, self.cut().max_rows)
    }

    /// Word embeddings `[ids, width]`, without positions.
    ///
    /// # Errors
    /// An id outside the vocabulary.
    pub fn embed(&self, ids: &[u32]) -> Result<Tensor> {
        let vocabulary = self.tokens.dim(0)?;
        if let Some(id) = ids.iter().find(|id| **id as usize >= vocabulary) {
            bail!("token id {id} is outside the vocabulary of {vocabulary}");
        }
        self.tokens.index_select(&Tensor::new(ids, self.tokens.device())?, 0)
    }

    /// Word embeddings of a layout's shared beginning, `[prefix, width]`.
    ///
    /// # Errors
    /// An id outside the vocabulary.
    pub fn embed_prefix(&self, layout: &TextLayout) -> Result<Tensor> {
        self.embed(layout.prefix())
    }

    /// All token rows, positions added: for each of `copies` prefixes `[copies, prefix, width]` its
    /// rows, then every class's own rows.
    fn rows(&self, prefix: &Tensor, layout: &TextLayout) -> Result<Tensor> {
        let (copies, length, width) = prefix.dims3()?;
        if length != layout.prefix().len() {
            bail!("text prefix has {length} rows, the layout {}", layout.prefix().len());
        }
        let device = prefix.device();
        let prefix = prefix.broadcast_add(&self.positions.narrow(0, 0, length)?)?;
        let positions = self.positions.index_select(&Tensor::new(layout.suffix_positions(), device)?, 0)?;
        let suffix = (self.embed(layout.suffix_ids())? + positions)?;
        let count = suffix.dim(0)?;
        let suffix = suffix.unsqueeze(0)?.broadcast_as((copies, count, width))?.contiguous()?;
        Tensor::cat(&[prefix, suffix], 1)?.reshape((copies * (length + count), width))
    }

    /// Features with given beginnings `[copies, prefix, width]` (word embeddings or trained context,
    /// without positions): `[copies, classes, joint]`, not normalised.
    ///
    /// # Errors
    /// Whatever candle reports; a prefix of another length than the layout's.
    pub fn encode_prefixed(&self, prefix: &Tensor, layout: &TextLayout) -> Result<Tensor> {
        let rows: Vec<usize> = layout.suffix_lengths().map(|own| own * prefix.dims()[0]).collect();
        let chunks = self.chunks(&rows);
        let (tower, layout) = (self.clone(), layout.clone());
        if chunks.len() == 1 {
            // Beginnings never meet. Classes do share one: cut, they would each compute it.
            let rows = vec![layout.rows(); prefix.dim(0)?];
            return Cut { max_rows: usize::MAX, ..self.cut() }.run(prefix, rows, move |prefix, copies| {
                Ok(tower.run(&prefix.narrow(0, copies.start, copies.len())?, &layout, false)?.0)
            });
        }
        // The few rows of the prefix are computed once a chunk; its gradient is the sum over the chunks.
        let pass = move |prefix: &Tensor, classes: Range<usize>| {
            tower.run(prefix, &layout.narrow(classes), false)?.0.transpose(0, 1)
        };
        in_chunks(prefix, chunks, Arc::new(pass))?.transpose(0, 1)?.contiguous()
    }

    /// Frozen features, keys and values of a class set.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn encode(&self, layout: &TextLayout) -> Result<FrozenTexts> {
        let prefix = self.embed_prefix(layout)?.unsqueeze(0)?;
        let (features, cache) = self.run(&prefix, layout, true)?;
        Ok(FrozenTexts { features: features.squeeze(0)?, cache, keys: layout.keys() })
    }

    fn run(&self, prefix: &Tensor, layout: &TextLayout, keep: bool) -> Result<(Tensor, TokenCache)> {
        let copies = prefix.dim(0)?;
        let plan = Arc::new(layout.plan(copies)?);
        let rows = self.rows(prefix, layout)?;
        // Words are frozen: beginnings alone can be trained.
        let (length, all) = (layout.prefix().len(), layout.rows());
        let trained: Vec<usize> = (0..copies).flat_map(|copy| copy * all..copy * all + length).collect();
        let read = layout.eos_rows(copies);
        let (eos, cache) = self.tower.tokens(rows, &plan, (&read, Some(&trained)), keep)?;
        Ok((self.project(&eos)?.reshape((copies, layout.classes(), ()))?, cache))
    }

    /// Features `[classes, joint]` of a class set with changes in the tower, not l2-normalised. Positions are those of the
    /// words: rows overwritten before block 0 take theirs from [`TextTower::positions`].
    ///
    /// # Errors
    /// Whatever candle reports; a change that does not fit the layout.
    pub fn encode_changed(&self, layout: &TextLayout, changes: &TextChanges) -> Result<Tensor> {
        let chunks = self.chunks(&layout.suffix_lengths().collect::<Vec<_>>());
        let Some(packed) = changes.pack()? else { return self.changed(layout, changes) };
        let (tower, layout, changes) = (self.clone(), layout.clone(), changes.clone());
        let pass = move |packed: &Tensor, classes: Range<usize>| {
            tower.changed(&layout.narrow(classes.clone()), &changes.unpack(packed, classes)?)
        };
        in_chunks(&packed, chunks, Arc::new(pass))
    }

    fn changed(&self, layout: &TextLayout, changes: &TextChanges) -> Result<Tensor> {
        let rows = self.rows(&self.embed_prefix(layout)?.unsqueeze(0)?, layout)?;
        let flat = changes.rows.iter().map(|rows| flat_rows(layout, rows)).collect::<Result<Vec<_>>>()?;
        let plan = Arc::new(layout.plan(1)?);
        let eos = self.tower.changed(rows, &plan, &layout.eos_rows(1), &flat, &changes.blocks)?;
        let last = self.final_ln.replaced(changes.last_norm.as_ref());
        self.projection.forward(&last.forward(&eos)?)
    }

    /// Position embeddings of rows `first..first + count`, `[count, width]`.
    ///
    /// # Errors
    /// When there are no such positions.
    pub fn positions(&self, first: usize, count: usize) -> Result<Tensor> {
        self.positions.narrow(0, first, count)
    }

    /// A frozen tower that computes what the changes of blocks and LayerNorms do; overwritten rows are none of them.
    pub(super) fn merged(&self, changes: &TextChanges) -> Result<Self> {
        Ok(Self {
            tower: self.tower.merged(&changes.blocks)?,
            final_ln: self.final_ln.replaced(changes.last_norm.as_ref()).detached(),
            ..self.clone()
        })
    }

    /// Scale and shift of a block's LayerNorm, before attention or before the MLP.
    pub fn norm(&self, block: usize, second: bool) -> Option<[&Tensor; 2]> {
        self.tower.norm(block, second)
    }

    /// Scale and shift of the final LayerNorm.
    pub fn outer_norm(&self) -> [&Tensor; 2] {
        self.final_ln.values()
    }

    /// Reads every class of a cache with prompts `[k, width]` (no position): projected rows
    /// `[classes, k, joint]`, not normalised. Prompts attend in `groups` of equal size: how many of them attend at once
    /// decides last bits.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn read(
        &self,
        prompts: &Tensor,
        groups: usize,
        cache: &TokenCache,
        keys: &[Vec<Range<usize>>],
    ) -> Result<Tensor> {
        let k = prompts.dim(0)?;
        let (tower, cache, all_keys) = (self.clone(), cache.clone(), keys.to_vec());
        self.cut().run(prompts, vec![k; keys.len()], move |prompts, classes| {
            let (count, keys) = (classes.len(), &all_keys[classes]);
            let plan = Arc::new(AttentionPlan::readers(k, groups, keys)?);
            let rows = each_class(prompts, count)?;
            tower.project(&tower.tower.readers(rows, &cache, &plan)?)?.reshape((count, k, ()))
        })
    }

    /// Features of prompts `[k, width]` (no position) that stand behind every class's EOS as ordinary tokens: causal order
    /// lets them see the class's tokens and the prompts before them, and no token sees them. `[classes, k, joint]`, not
    /// normalised.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn follow(&self, prompts: &Tensor, cache: &TokenCache, keys: &[Vec<Range<usize>>]) -> Result<Tensor> {
        let k = prompts.dim(0)?;
        let (tower, cache, all_keys) = (self.clone(), cache.clone(), keys.to_vec());
        self.cut().run(prompts, vec![k; keys.len()], move |prompts, classes| {
            let (count, keys) = (classes.len(), &all_keys[classes]);
            let plan = Arc::new(AttentionPlan::followers(k, keys)?);
            let rows = each_class(prompts, count)?;
            tower.project(&tower.tower.followers(rows, &cache, &plan)?)?.reshape((count, k, ()))
        })
    }

    /// The naive path over padded sequences: embeddings `[classes, n, width]` WITHOUT positions, which
    /// are added unless `positions` is false for a row (`[classes, n, 1]`, 1 or 0), under `mask`
    /// (broadcasts to `[classes, heads, n, n]`). Returns the last block's rows, before the final LayerNorm.
    ///
    /// # Errors
    /// Whatever candle reports, and whatever `observe` returns.
    pub fn masked(
        &self,
        embeddings: &Tensor,
        positioned: &Tensor,
        mask: &Tensor,
        observe: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        self.masked_between(embeddings, positioned, mask, &mut |_, x| Ok(x), observe)
    }

    /// The same with a hook between the blocks, as [`Tower::masked_between`].
    ///
    /// # Errors
    /// As [`TextTower::masked`], and whatever `between` returns.
    pub fn masked_between(
        &self,
        embeddings: &Tensor,
        positioned: &Tensor,
        mask: &Tensor,
        between: &mut dyn FnMut(usize, Tensor) -> Result<Tensor>,
        observe: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let n = embeddings.dim(1)?;
        let positions = self.positions.narrow(0, 0, n)?.unsqueeze(0)?.broadcast_mul(positioned)?;
        self.tower.masked_between((embeddings + positions)?, Some(mask), between, observe)
    }

    /// Final LayerNorm and projection of rows `[n, width]`: `[n, joint]`.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn project(&self, rows: &Tensor) -> Result<Tensor> {
        self.projection.forward(&self.final_ln.forward(rows)?)
    }

    /// Element type of the weights.
    pub fn dtype(&self) -> DType {
        self.tokens.dtype()
    }
}

/// Prompts `[k, width]` once for each of `count` classes: `[count·k, width]`.
fn each_class(prompts: &Tensor, count: usize) -> Result<Tensor> {
    let (k, width) = prompts.dims2()?;
    prompts.unsqueeze(0)?.broadcast_as((count, k, width))?.reshape((count * k, width))
}

/// Rows of a class set as rows of its flat matrix.
fn flat_rows(layout: &TextLayout, rows: &TextRows) -> Result<FlatRows> {
    let (prefix, first, width) = (layout.prefix().len(), rows.first, rows.values.dim(D::Minus1)?);
    let (values, pairs) = match rows.values.rank() {
        2 => {
            let n = rows.values.dim(0)?;
            if first + n > prefix {
                bail!("overwrite text rows {first}..{}: classes share the first {prefix} alone", first + n);
            }
            (rows.values.clone(), (0..n).map(|k| (first + k, k)).collect::<Vec<_>>())
        }
        _ => {
            let (classes, n, _) = rows.values.dims3()?;
            let long = layout.suffix_lengths().all(|own| first + n <= prefix + own);
            if first < prefix || classes != layout.classes() || !long {
                bail!("overwrite rows {first}..{} of {classes} classes: they do not have them", first + n);
            }
            let starts = layout.suffix_starts().enumerate();
            let pairs = starts
                .flat_map(|(class, start)| (0..n).map(move |k| (start + first - prefix + k, class * n + k)));
            (rows.values.reshape((classes * n, width))?, pairs.collect())
        }
    };
    Ok(FlatRows { block: rows.block, values, pairs })
}
