//! The frozen CLIP as methods see it: two towers and a logit scale.

use candle_core::{DType, Device, Tensor};

use super::changes::{TextChanges, VisionChanges};
use super::config::ClipConfig;
use super::files::weights::{Weights, WeightsError};
use super::image_tower::ImageTower;
use super::nn::{DEEP, NARROW, OWN_WAY_BELOW, is_fused};
use super::parts::Cut;
use super::precision::Precision;
use super::text::TextTower;

/// A CLIP model on one device. Its weights never change, unless they were given as variables: then
/// the same towers carry gradients to them (pretraining).
#[derive(Clone, Debug)]
pub struct Clip {
    /// The model's shape.
    pub config: ClipConfig,
    /// Vision side.
    pub vision: ImageTower,
    /// Text side.
    pub text: TextTower,
    logit_scale: Tensor,
    precision: Precision,
    grid: usize,
}

/// Images per frozen pass where nothing else is said.
pub const DEFAULT_GRID: usize = 16;

impl Clip {
    /// Builds the towers from tensors under HuggingFace's names.
    ///
    /// # Errors
    /// A missing tensor or one whose shape the configuration does not imply.
    pub fn new(config: ClipConfig, weights: &Weights) -> Result<Self, WeightsError> {
        Ok(Self {
            vision: ImageTower::load(weights, &config)?,
            text: TextTower::load(weights, &config)?,
            logit_scale: weights.get("logit_scale", &[])?.exp()?,
            precision: Precision::F32,
            grid: DEFAULT_GRID,
            config,
        })
    }

    /// The same model with its products rounded to `precision`; a rounded one cannot become finer again.
    ///
    /// # Errors
    /// Whatever candle reports, for example a conversion the device does not know.
    pub fn rounded(&self, precision: Precision) -> candle_core::Result<Self> {
        if precision == self.precision {
            return Ok(self.clone());
        }
        let dtype = precision.dtype();
        let (vision, text) = (self.vision.rounded(dtype)?, self.text.rounded(dtype)?);
        Ok(Self { vision, text, precision, ..self.clone() })
    }

    /// A frozen model that computes what changes of blocks and LayerNorms do. Rows are none of them: they are tokens.
    ///
    /// # Errors
    /// Changes of a ResNet's image tower, which has neither; whatever candle reports.
    pub fn merged(
        &self,
        vision: Option<&VisionChanges>,
        text: Option<&TextChanges>,
    ) -> candle_core::Result<Self> {
        let mut merged = self.clone();
        if let Some(changes) = vision {
            merged.vision = ImageTower::Transformer(Box::new(self.vision.transformer()?.merged(changes)?));
        }
        if let Some(changes) = text {
            merged.text = self.text.merged(changes)?;
        }
        Ok(merged)
    }

    /// The format of products with frozen weights.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The same model computing at most `max_rows` prompt or context rows at a time ([`DEFAULT_MAX_ROWS`] otherwise).
    /// A training step beyond that takes two passes; last bits depend on the cut.
    ///
    /// [`DEFAULT_MAX_ROWS`]: super::DEFAULT_MAX_ROWS
    #[must_use]
    pub fn with_max_rows(self, max_rows: usize) -> Self {
        self.with_cut(|cut| Cut { max_rows, ..cut })
    }

    /// The same model with parts of at most `part_rows` rows ([`PART_ROWS`] otherwise; `usize::MAX` for no parts), each on
    /// a thread of its own. Last bits depend on the cut, so no run changes it: it is there to be tested and measured.
    ///
    /// [`PART_ROWS`]: super::PART_ROWS
    #[must_use]
    pub fn with_part_rows(self, part_rows: usize) -> Self {
        self.with_cut(|cut| Cut { part_rows, ..cut })
    }

    /// Prompt or context rows that are computed at one time.
    pub fn max_rows(&self) -> usize {
        self.text.max_rows()
    }

    /// Whether rows of products with frozen weights have the same bits whatever other rows a product has, where there are
    /// at least `rows` of them: so it is on the CPU without rounding, but for products so small, or so narrow and deep, that they
    /// are computed in another way.
    pub fn rows_keep_bits(&self, rows: usize) -> bool {
        let (text, vision) = (&self.config.text, &self.config.vision);
        let widths = [text.width, text.mlp_width, vision.width, vision.mlp_width, self.config.projection_dim];
        let narrowest = widths.iter().copied().min().unwrap_or(0);
        let deepest = widths.into_iter().max().unwrap_or(0);
        let exact = self.precision == Precision::F32 && is_fused(self.device());
        let ordinary = narrowest > NARROW || deepest <= DEEP;
        exact && ordinary && rows > 1 && rows.saturating_mul(narrowest) >= OWN_WAY_BELOW
    }

    fn with_cut(self, change: impl Fn(Cut) -> Cut) -> Self {
        Self { vision: self.vision.with_cut(&change), text: self.text.with_cut(&change), ..self }
    }

    /// The same model passing `grid` images at a time where they go in item order (at least one). Last bits depend on it.
    #[must_use]
    pub fn with_grid(self, grid: usize) -> Self {
        Self { grid: grid.max(1), ..self }
    }

    /// Images per frozen pass where they go in item order: a constant of a run, never of what is done already.
    pub fn grid(&self) -> usize {
        self.grid
    }

    /// exp(τ), a scalar tensor: what cosines are multiplied by.
    pub fn logit_scale(&self) -> &Tensor {
        &self.logit_scale
    }

    /// Where the model lives.
    pub fn device(&self) -> &Device {
        self.logit_scale.device()
    }

    /// `cpu` or `cuda`.
    pub fn device_kind(&self) -> &'static str {
        if self.device().is_cpu() { "cpu" } else { "cuda" }
    }

    /// Element type of everything but the weights of linear layers.
    pub fn dtype(&self) -> DType {
        self.text.dtype()
    }
}
