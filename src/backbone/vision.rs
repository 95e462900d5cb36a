//! The vision tower: pixels to frozen features and caches, and readers over them.
//!
//! Long because it is the vision tower in one piece: its ways to run the same tokens are read side by side.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{D, DType, Result, Tensor, bail};

use super::block::layer_norm;
use super::changes::{FlatRows, VisionChanges};
use super::config::ClipConfig;
use super::files::weights::{Weights, WeightsError};
use super::frozen_images::{EnteringTokens, FrozenImages};
use super::nn::{AttentionPlan, Beside, EnteringRows, LayerNorm, Linear};
use super::parts::{Cut, each};
use super::tower::{TokenCache, Tower};

/// CLIP's vision transformer.
#[derive(Clone, Debug)]
pub struct VisionTower {
    patch: Linear,
    class_embedding: Tensor,
    positions: Tensor,
    pre_ln: LayerNorm,
    tower: Tower,
    post_ln: LayerNorm,
    projection: Linear,
    patch_size: usize,
    width: usize,
    cut: Cut,
}

impl VisionTower {
    /// Reads `vision_model.*` and `visual_projection`.
    ///
    /// # Errors
    /// A missing tensor or one whose shape the configuration does not imply.
    pub fn load(weights: &Weights, config: &ClipConfig) -> std::result::Result<Self, WeightsError> {
        let (d, p) = (config.vision.width, config.patch_size);
        let embeddings = "vision_model.embeddings";
        let patch = weights.get(&format!("{embeddings}.patch_embedding.weight"), &[d, 3, p, p])?;
        Ok(Self {
            patch: Linear::new(patch.reshape((d, 3 * p * p))?, None),
            class_embedding: weights.get(&format!("{embeddings}.class_embedding"), &[d])?,
            positions: weights
                .get(&format!("{embeddings}.position_embedding.weight"), &[config.image_tokens(), d])?,
            pre_ln: layer_norm(weights, "vision_model.pre_layrnorm", &config.vision)?,
            tower: Tower::load(weights, "vision_model", &config.vision)?,
            post_ln: layer_norm(weights, "vision_model.post_layernorm", &config.vision)?,
            projection: Linear::new(
                weights.get("visual_projection.weight", &[config.projection_dim, d])?,
                None,
            ),
            patch_size: p,
            width: d,
            cut: Cut::default(),
        })
    }

    /// The same tower with the weights of its linear layers in `dtype`.
    pub(super) fn rounded(&self, dtype: DType) -> Result<Self> {
        Ok(Self {
            patch: self.patch.rounded(dtype)?,
            tower: self.tower.rounded(dtype)?,
            projection: self.projection.rounded(dtype)?,
            ..self.clone()
        })
    }

    /// The same tower cutting its rows, at an image's at the finest, in another way.
    pub(super) fn with_cut(self, change: impl Fn(Cut) -> Cut) -> Self {
        Self { cut: change(self.cut), ..self }
    }

    fn cut(&self) -> Cut {
        if self.tower.is_trained() { Cut::WHOLE } else { self.cut }
    }

    /// The CLS embedding `[width]`, without its position.
    pub fn class_embedding(&self) -> &Tensor {
        &self.class_embedding
    }

    /// CLS and patch embeddings with positions, before the pre-LayerNorm: `[batch, tokens, width]`.
    ///
    /// # Errors
    /// When the pixels are not `[batch, 3, side, side]` of this model's side.
    pub fn embed(&self, pixels: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = pixels.dims4()?;
        let p = self.patch_size;
        let (rows, cols) = (height / p, width / p);
        let patches = pixels
            .reshape((batch, channels, rows, p, cols, p))?
            .permute((0, 2, 4, 1, 3, 5))?
            .contiguous()?
            .reshape((batch * rows * cols, channels * p * p))?;
        let patches = self.patch.forward(&patches)?.reshape((batch, rows * cols, self.width))?;
        let class = self.class_embedding.reshape((1, 1, self.width))?.broadcast_as((batch, 1, self.width))?;
        Tensor::cat(&[&class.contiguous()?, &patches], 1)?.broadcast_add(&self.positions)
    }

    /// The frozen pass over pixels `[batch, 3, side, side]`, normalised. With `keep` it also returns
    /// every layer's keys and values (2·layers·tokens·width numbers an image).
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn encode(&self, pixels: &Tensor, keep: bool) -> Result<FrozenImages> {
        let (batch, tokens) = (pixels.dim(0)?, self.positions.dim(0)?);
        let parts = self.cut().parts(&vec![tokens; batch], pixels);
        if let [_] = parts.as_slice() {
            return self.encode_part(pixels, keep);
        }
        let cache = keep.then(|| self.tower.empty_cache(batch * tokens, pixels)).transpose()?;
        let features = each(&parts, |images| {
            let part = self.encode_part(&pixels.narrow(0, images.start, images.len())?, keep)?;
            if let (Some(cache), Some(own)) = (&cache, &part.cache) {
                cache.fill(own, images.start * tokens)?;
            }
            Ok(part.features)
        })?;
        Ok(FrozenImages { features: Tensor::cat(&features, 0)?, cache, tokens })
    }

    fn encode_part(&self, pixels: &Tensor, keep: bool) -> Result<FrozenImages> {
        let x = self.embed(pixels)?;
        let (batch, tokens, width) = x.dims3()?;
        let x = self.pre_ln.forward(&x.reshape((batch * tokens, width))?)?;
        let plan = Arc::new(AttentionPlan::full(batch, tokens)?);
        let class_rows: Vec<usize> = (0..batch).map(|i| i * tokens).collect();
        let (class, cache) = self.tower.tokens(x, &plan, (&class_rows, None), keep)?;
        Ok(FrozenImages { features: self.project(&class)?, cache: keep.then_some(cache), tokens })
    }

    /// Features `[batch, joint]` of pixels with changes in the tower, not l2-normalised.
    ///
    /// # Errors
    /// Whatever candle reports; a change that does not fit.
    pub fn encode_changed(&self, pixels: &Tensor, changes: &VisionChanges) -> Result<Tensor> {
        let x = self.with_appended(self.embed(pixels)?, changes.appended.as_ref())?;
        let (batch, n, width) = x.dims3()?;
        let tokens = self.positions.dim(0)?;
        let first = self.pre_ln.replaced(changes.first_norm.as_ref());
        let x = first.forward(&x.reshape((batch * n, width))?)?;
        let overwritten = changes.overwritten.iter().map(|(block, values)| FlatRows {
            block: *block,
            values: values.clone(),
            pairs: (0..batch).flat_map(|i| (0..n - tokens).map(move |k| (i * n + tokens + k, k))).collect(),
        });
        let class_rows: Vec<usize> = (0..batch).map(|i| i * n).collect();
        let plan = Arc::new(AttentionPlan::full(batch, n)?);
        let rows: Vec<_> = overwritten.collect();
        let class = self.tower.changed(x, &plan, &class_rows, &rows, &changes.blocks)?;
        let last = self.post_ln.replaced(changes.last_norm.as_ref());
        self.projection.forward(&last.forward(&class)?)
    }

    /// Tokens of pixels `[batch, 3, side, side]` before the first block, for [`VisionTower::encode_beside`].
    ///
    /// # Errors
    /// Whatever candle reports; a tower that is being trained.
    pub fn entering(&self, pixels: &Tensor) -> Result<EnteringTokens> {
        let (batch, tokens) = (pixels.dim(0)?, self.positions.dim(0)?);
        let part = |images: &Range<usize>| {
            let x = self.embed(&pixels.narrow(0, images.start, images.len())?)?;
            self.tower.entering(&self.pre_ln.forward(&x.flatten_to(1)?)?)
        };
        let parts = each(&self.cut().parts(&vec![tokens; batch], pixels), part)?;
        let rows = EnteringRows::cat(&parts.iter().collect::<Vec<_>>())?;
        Ok(EnteringTokens { rows, tokens })
    }

    /// Features `[batch, k, joint]` of prompts `[k, width]` that are ordinary tokens behind every image's own (no position,
    /// through the pre-LayerNorm): everybody sees them. Not normalised.
    ///
    /// # Errors
    /// Whatever candle reports; a tower that is being trained.
    pub fn encode_beside(&self, images: &EnteringTokens, prompts: &Tensor) -> Result<Tensor> {
        let k = prompts.dim(0)?;
        let (tower, images) = (self.clone(), images.clone());
        // All images are one chunk: how many there are is decided before, by what a pass is given.
        let cut = Cut { max_rows: usize::MAX, ..self.cut() };
        cut.run(prompts, vec![images.tokens + k; images.len()], move |prompts, some| {
            tower.beside_part(images.narrow(some.start, some.len())?, prompts)
        })
    }

    fn beside_part(&self, images: EnteringTokens, prompts: &Tensor) -> Result<Tensor> {
        let ((k, width), batch) = (prompts.dims2()?, images.len());
        let n = images.tokens + k;
        let rows = prompts.unsqueeze(0)?.broadcast_as((batch, k, width))?.reshape((batch * k, width))?;
        let own: Vec<usize> = (0..batch).flat_map(|i| i * n + images.tokens..(i + 1) * n).collect();
        let plan = Arc::new(AttentionPlan::full(batch, n)?);
        let beside = Beside { entering: images.rows, own: own.clone() };
        let rows = self.tower.tokens_beside(&self.pre_ln.forward(&rows)?, beside, &plan, &own)?;
        self.project(&rows)?.reshape((batch, k, ()))
    }

    fn with_appended(&self, x: Tensor, appended: Option<&Tensor>) -> Result<Tensor> {
        let Some(appended) = appended else { return Ok(x) };
        let (k, width) = appended.dims2()?;
        let rows = appended.unsqueeze(0)?.broadcast_as((x.dim(0)?, k, width))?.contiguous()?;
        Tensor::cat(&[&x, &rows], 1)
    }

    /// A frozen tower that computes what the changes of blocks and LayerNorms do; appended rows are none of them.
    pub(super) fn merged(&self, changes: &VisionChanges) -> Result<Self> {
        Ok(Self {
            tower: self.tower.merged(&changes.blocks)?,
            pre_ln: self.pre_ln.replaced(changes.first_norm.as_ref()).detached(),
            post_ln: self.post_ln.replaced(changes.last_norm.as_ref()).detached(),
            ..self.clone()
        })
    }

    /// Scale and shift of a block's LayerNorm, before attention or before the MLP.
    pub fn norm(&self, block: usize, second: bool) -> Option<[&Tensor; 2]> {
        self.tower.norm(block, second)
    }

    /// Scale and shift of the LayerNorms before the first and behind the last block.
    pub fn outer_norms(&self) -> [[&Tensor; 2]; 2] {
        [self.pre_ln.values(), self.post_ln.values()]
    }

    /// Reads every image of a cache with prompts `[sets, k, width]` (no position, through the
    /// pre-LayerNorm): projected rows `[batch, k, joint]`, not normalised. The images are cut evenly among the
    /// sets, in order. An image's prompts attend in `groups` of equal size: how many of them attend at once decides last bits.
    ///
    /// # Errors
    /// Whatever candle reports; images that cannot be cut evenly.
    pub fn read(
        &self,
        prompts: &Tensor,
        groups: usize,
        (cache, tokens): (&TokenCache, usize),
    ) -> Result<Tensor> {
        let (sets, k, _) = prompts.dims3()?;
        let batch = cache.rows() / tokens.max(1);
        if !batch.is_multiple_of(sets) {
            bail!("{batch} images cannot be cut evenly among {sets} sets of prompts");
        }
        let (tower, cache) = (self.clone(), cache.clone());
        self.cut().run(prompts, vec![k; batch], move |prompts, images| {
            let part = cache.narrow(images.start * tokens, images.len() * tokens)?;
            tower.read_some((prompts, groups), &part, batch / sets, images)
        })
    }

    /// The images of a range, of which each set has `each`; their cache is `cache`.
    fn read_some(
        &self,
        (prompts, groups): (&Tensor, usize),
        cache: &TokenCache,
        each: usize,
        images: Range<usize>,
    ) -> Result<Tensor> {
        let (sets, k, width) = prompts.dims3()?;
        let count = images.len();
        let plan = Arc::new(AttentionPlan::image_readers(k, groups, count, cache.rows() / count.max(1))?);
        let rows = self.pre_ln.forward(&prompts.reshape((sets * k, width))?)?;
        let rows = rows.reshape((sets, 1, k, width))?.broadcast_as((sets, each, k, width))?;
        let rows = rows.reshape((sets * each, k, width))?.narrow(0, images.start, count)?;
        let rows = self.tower.readers(rows.reshape((count * k, width))?, cache, &plan)?;
        self.project(&rows)?.reshape((count, k, ()))
    }

    /// The naive path: prompts `[k, width]` appended to every sequence as real rows, whole sequences
    /// through every block under `mask` (broadcasts to `[batch, heads, n, n]`). Returns the last
    /// block's rows `[batch, tokens + k, width]`, before the post-LayerNorm.
    ///
    /// # Errors
    /// Whatever candle reports, and whatever `observe` returns.
    pub fn masked(
        &self,
        pixels: &Tensor,
        prompts: Option<&Tensor>,
        mask: Option<&Tensor>,
        observe: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        self.masked_between(pixels, prompts, mask, &mut |_, x| Ok(x), observe)
    }

    /// The same with a hook between the blocks, as [`Tower::masked_between`].
    ///
    /// # Errors
    /// As [`VisionTower::masked`], and whatever `between` returns.
    pub fn masked_between(
        &self,
        pixels: &Tensor,
        prompts: Option<&Tensor>,
        mask: Option<&Tensor>,
        between: &mut dyn FnMut(usize, Tensor) -> Result<Tensor>,
        observe: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let x = self.with_appended(self.embed(pixels)?, prompts)?;
        let (batch, n, width) = x.dims3()?;
        let x = self.pre_ln.forward(&x.reshape((batch * n, width))?)?.reshape((batch, n, width))?;
        self.tower.masked_between(x, mask, between, observe)
    }

    /// Post-LayerNorm and projection of rows `[…, width]`: `[…, joint]`.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn project(&self, rows: &Tensor) -> Result<Tensor> {
        let flat = self.post_ln.forward(&rows.flatten_to(D::Minus2)?)?;
        let projected = self.projection.forward(&flat)?;
        let mut shape = rows.dims().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = projected.dim(1)?;
        }
        projected.reshape(shape)
    }
}
