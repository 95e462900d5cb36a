//! What a frozen pass over images leaves behind.

use candle_core::Tensor;

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
