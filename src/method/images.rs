//! What methods read of images, and batches that hold just that.

use candle_core::Tensor;

use super::error::MethodError;
use crate::backbone::{EnteringTokens, FrozenImages, TokenCache};

/// What a method reads of an image: a set. Several methods that share a pass join theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The pooled feature of the frozen model.
    pub pooled: bool,
    /// Every layer's frozen keys and values.
    pub tokens: bool,
    /// The tokens before the first block: the method runs the blocks itself.
    pub entering: bool,
    /// The pixels: the method runs the tower itself.
    pub pixels: bool,
}

impl Needs {
    /// The pooled feature alone.
    pub const POOLED: Self = Self { pooled: true, ..Self::NOTHING };
    /// Keys and values alone.
    pub const TOKENS: Self = Self { tokens: true, ..Self::NOTHING };
    /// The tokens before the first block alone: no frozen pass is made.
    pub const ENTERING: Self = Self { entering: true, ..Self::NOTHING };
    /// The pixels alone: no frozen pass is made.
    pub const PIXELS: Self = Self { pixels: true, ..Self::NOTHING };
    const NOTHING: Self = Self { pooled: false, tokens: false, entering: false, pixels: false };

    /// Whatever one of the two reads.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            pooled: self.pooled || other.pooled,
            tokens: self.tokens || other.tokens,
            entering: self.entering || other.entering,
            pixels: self.pixels || other.pixels,
        }
    }

    /// Whether the frozen model has to see the image.
    pub fn frozen_pass(self) -> bool {
        self.pooled || self.tokens
    }

    /// Whether pooled features suffice: they can come from a store.
    pub fn only_pooled(self) -> bool {
        !self.tokens && !self.entering && !self.pixels
    }
}

/// A batch of images, prepared for some needs.
#[derive(Clone, Debug)]
pub struct ImageBatch {
    /// What the frozen pass left; absent where nobody reads it.
    pub frozen: Option<FrozenImages>,
    /// The tokens before the first block, where some method reads them.
    pub entering: Option<EnteringTokens>,
    /// Normalised pixels `[batch, 3, side, side]`, where some method reads them.
    pub pixels: Option<Tensor>,
}

impl ImageBatch {
    /// Number of images.
    pub fn len(&self) -> usize {
        let entering = self.entering.as_ref().map(EnteringTokens::len);
        let pixels = self.pixels.as_ref().map(|pixels| pixels.dims()[0]);
        self.frozen.as_ref().map(FrozenImages::len).or(entering).or(pixels).unwrap_or(0)
    }

    /// True when there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pooled features `[batch, joint]`, not l2-normalised.
    ///
    /// # Errors
    /// [`MethodError::Images`] where they were not kept.
    pub fn pooled(&self) -> Result<&Tensor, MethodError> {
        let frozen = self.frozen.as_ref().ok_or(MethodError::Images("pooled features"))?;
        Ok(&frozen.features)
    }

    /// Every layer's keys and values, and their rows an image.
    ///
    /// # Errors
    /// [`MethodError::Images`] where they were not kept.
    pub fn tokens(&self) -> Result<(&TokenCache, usize), MethodError> {
        let kept = self.frozen.as_ref().and_then(|frozen| Some((frozen.cache.as_ref()?, frozen.tokens)));
        kept.ok_or(MethodError::Images("frozen keys and values"))
    }

    /// The tokens before the first block.
    ///
    /// # Errors
    /// [`MethodError::Images`] where they were not kept.
    pub fn entering(&self) -> Result<&EnteringTokens, MethodError> {
        self.entering.as_ref().ok_or(MethodError::Images("tokens before the first block"))
    }

    /// Normalised pixels `[batch, 3, side, side]`.
    ///
    /// # Errors
    /// [`MethodError::Images`] where they were not kept.
    pub fn pixels(&self) -> Result<&Tensor, MethodError> {
        self.pixels.as_ref().ok_or(MethodError::Images("pixels"))
    }

    /// The batch without what these needs do not name (nothing is copied).
    #[must_use]
    pub fn only(&self, needs: Needs) -> Self {
        let frozen = self.frozen.as_ref().filter(|_| needs.frozen_pass());
        let cache = |frozen: &FrozenImages| frozen.cache.clone().filter(|_| needs.tokens);
        Self {
            frozen: frozen.map(|frozen| FrozenImages { cache: cache(frozen), ..frozen.clone() }),
            entering: self.entering.clone().filter(|_| needs.entering),
            pixels: self.pixels.clone().filter(|_| needs.pixels),
        }
    }

    /// Several batches, one after another. They must have been prepared for the same needs.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn cat(parts: &[&Self]) -> Result<Self, MethodError> {
        let frozen: Option<Vec<_>> = parts.iter().map(|part| part.frozen.as_ref()).collect();
        let entering: Option<Vec<_>> = parts.iter().map(|part| part.entering.as_ref()).collect();
        let pixels: Option<Vec<_>> = parts.iter().map(|part| part.pixels.as_ref()).collect();
        Ok(Self {
            frozen: frozen.map(|parts| cat_frozen(&parts)).transpose()?,
            entering: entering.map(|parts| EnteringTokens::cat(&parts)).transpose()?,
            pixels: pixels.map(|pixels| Tensor::cat(&pixels, 0)).transpose()?,
        })
    }

    /// Image `index` alone (views, nothing is copied).
    ///
    /// # Errors
    /// When there is no such image.
    pub fn single(&self, index: usize) -> Result<Self, MethodError> {
        self.narrow(index, 1)
    }

    /// `count` images from `start` on (views, nothing is copied).
    ///
    /// # Errors
    /// When they do not exist.
    pub fn narrow(&self, start: usize, count: usize) -> Result<Self, MethodError> {
        let frozen = self.frozen.as_ref().map(|frozen| -> candle_core::Result<_> {
            let tokens = frozen.tokens;
            let narrow = |cache: &TokenCache| cache.narrow(start * tokens, count * tokens);
            Ok(FrozenImages {
                features: frozen.features.narrow(0, start, count)?,
                cache: frozen.cache.as_ref().map(narrow).transpose()?,
                tokens,
            })
        });
        let entering = self.entering.as_ref().map(|entering| entering.narrow(start, count));
        let pixels = self.pixels.as_ref().map(|pixels| pixels.narrow(0, start, count));
        Ok(Self { frozen: frozen.transpose()?, entering: entering.transpose()?, pixels: pixels.transpose()? })
    }
}

fn cat_frozen(parts: &[&FrozenImages]) -> candle_core::Result<FrozenImages> {
    let features: Vec<_> = parts.iter().map(|part| &part.features).collect();
    let caches: Option<Vec<_>> = parts.iter().map(|part| part.cache.as_ref()).collect();
    Ok(FrozenImages {
        features: Tensor::cat(&features, 0)?,
        cache: caches.map(|caches| TokenCache::cat(&caches)).transpose()?,
        tokens: parts.first().map_or(0, |part| part.tokens),
    })
}
