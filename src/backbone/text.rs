//! The text tower: token rows up to EOS with a shared beginning, their caches, and readers over them.
//!
//! Positions behind EOS are dead under a causal mask and are never computed. The feature is read at
//! EOS, the last token of a row here (the highest id of CLIP's padded row).

use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Result, Tensor, bail};

use super::block::layer_norm;
use super::chunked::{DEFAULT_MAX_ROWS, in_chunks, ranges};
use super::config::ClipConfig;
use super::files::weights::{Weights, WeightsError};
use super::nn::{AttentionPlan, LayerNorm, Linear};
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
    max_rows: usize,
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
            max_rows: DEFAULT_MAX_ROWS,
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

    /// The same tower computing at most `max_rows` rows (or one class) at a time.
    pub(super) fn with_max_rows(self, max_rows: usize) -> Self {
        Self { max_rows, ..self }
    }

    /// Class ranges of `rows` rows each; one range where the weights themselves are trained.
    fn chunks(&self, rows: &[usize]) -> Vec<Range<usize>> {
        let max_rows = if self.tower.is_trained() { usize::MAX } else { self.max_rows };
        ranges(rows, max_rows)
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
        if chunks.len() == 1 {
            return Ok(self.run(prefix, layout, false)?.0);
        }
        // The few rows of the prefix are computed once a chunk; its gradient is the sum over the chunks.
        let (tower, layout) = (self.clone(), layout.clone());
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
        let (eos, cache) = self.tower.tokens(rows, &plan, &layout.eos_rows(copies), keep)?;
        Ok((self.project(&eos)?.reshape((copies, layout.classes(), ()))?, cache))
    }

    /// Reads every class of a cache with prompts `[k, width]` (no position): projected rows
    /// `[classes, k, joint]`, not normalised.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn read(&self, prompts: &Tensor, cache: &TokenCache, keys: &[Vec<Range<usize>>]) -> Result<Tensor> {
        let k = prompts.dim(0)?;
        let chunks = self.chunks(&vec![k; keys.len()]);
        if chunks.len() == 1 {
            return self.read_some(prompts, cache, keys);
        }
        let (tower, cache, keys) = (self.clone(), cache.clone(), keys.to_vec());
        let pass =
            move |prompts: &Tensor, classes: Range<usize>| tower.read_some(prompts, &cache, &keys[classes]);
        in_chunks(prompts, chunks, Arc::new(pass))
    }

    fn read_some(&self, prompts: &Tensor, cache: &TokenCache, keys: &[Vec<Range<usize>>]) -> Result<Tensor> {
        let (k, width) = prompts.dims2()?;
        let plan = Arc::new(AttentionPlan::readers(k, keys)?);
        let rows =
            prompts.unsqueeze(0)?.broadcast_as((keys.len(), k, width))?.reshape((keys.len() * k, width))?;
        let rows = self.tower.readers(rows, cache, &plan)?;
        self.project(&rows)?.reshape((keys.len(), k, ()))
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
        let n = embeddings.dim(1)?;
        let positions = self.positions.narrow(0, 0, n)?.unsqueeze(0)?.broadcast_mul(positioned)?;
        self.tower.masked((embeddings + positions)?, Some(mask), observe)
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
