//! What a frozen pass over images leaves behind.

use candle_core::{Result, Tensor};

use super::nn::EnteringRows;
use super::tower::TokenCache;

/// What one frozen pass over a batch of images leaves behind.
#[derive(Clone, Debug)]
pub struct FrozenImages {
    /// Projected features `[batch, joint]`, NOT l2-normalised.
    pub features: Tensor,
    /// Every layer's keys and values, `batch · tokens` rows; absent where nobody reads them.
    pub cache: Option<TokenCache>,
    /// Rows of the cache per image.
    pub tokens: usize,
}

impl FrozenImages {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.features.dims()[0]
    }

    /// True when there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Images' tokens before the first block, with what it makes of them before anybody attends: the same whatever stands beside
/// them.
#[derive(Clone, Debug)]
pub struct EnteringTokens {
    /// `batch · tokens` rows.
    pub rows: EnteringRows,
    /// Rows per image.
    pub tokens: usize,
}

impl EnteringTokens {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.rows.count().checked_div(self.tokens).unwrap_or(0)
    }

    /// True when there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `count` images from `start` on (views, nothing is copied).
    ///
    /// # Errors
    /// When they do not exist.
    pub fn narrow(&self, start: usize, count: usize) -> Result<Self> {
        Ok(Self { rows: self.rows.narrow(start * self.tokens, count * self.tokens)?, tokens: self.tokens })
    }

    /// Several batches, one after another.
    ///
    /// # Errors
    /// When they come from towers of different width.
    pub fn cat(parts: &[&Self]) -> Result<Self> {
        let rows = EnteringRows::cat(&parts.iter().map(|part| &part.rows).collect::<Vec<_>>())?;
        Ok(Self { rows, tokens: parts.first().map_or(0, |part| part.tokens) })
    }
}
