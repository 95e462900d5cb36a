//! The seam between methods and everything that runs them.
//!
//! method + class prompts → head; head + parameters → classifier; classifier + images → logits. With
//! tracked parameters the logits carry a graph (training), with plain tensors none (evaluation), so
//! the code that trains is the code that is evaluated.

use std::sync::Arc;

use candle_core::Tensor;

use super::error::MethodError;
use super::parameters::{Named, Parameters};
use super::sets::{ClassifierSet, OneByOne};
use super::token_rows::{TokenRows, Untouched, frozen_rows};
use super::work::{Shape, Work};
use crate::backbone::{Clip, FrozenImages, TokenCache};
use crate::util::rng::Stream;

/// What a method reads of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageNeed {
    /// The pooled feature.
    Features,
    /// Every layer's frozen keys and values as well.
    Tokens,
    /// The pixels: the method runs the tower itself.
    Pixels,
}

/// A batch of images after the frozen pass.
#[derive(Clone, Debug)]
pub struct ImageBatch {
    /// Features, and the cache where some method needs [`ImageNeed::Tokens`].
    pub frozen: FrozenImages,
    /// Normalised pixels `[batch, 3, side, side]`, where some method needs [`ImageNeed::Pixels`].
    pub pixels: Option<Tensor>,
}

impl ImageBatch {
    /// Several batches, one after another. They must have been prepared for the same need.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn cat(parts: &[&Self]) -> Result<Self, MethodError> {
        let features: Vec<_> = parts.iter().map(|part| &part.frozen.features).collect();
        let caches: Option<Vec<_>> = parts.iter().map(|part| part.frozen.cache.as_ref()).collect();
        let pixels: Option<Vec<_>> = parts.iter().map(|part| part.pixels.as_ref()).collect();
        let frozen = FrozenImages {
            features: Tensor::cat(&features, 0)?,
            cache: caches.map(|caches| TokenCache::cat(&caches)).transpose()?,
            tokens: parts.first().map_or(0, |part| part.frozen.tokens),
        };
        Ok(Self { frozen, pixels: pixels.map(|pixels| Tensor::cat(&pixels, 0)).transpose()? })
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
        let tokens = self.frozen.tokens;
        let narrow = |cache: &TokenCache| cache.narrow(start * tokens, count * tokens);
        let frozen = FrozenImages {
            features: self.frozen.features.narrow(0, start, count)?,
            cache: self.frozen.cache.as_ref().map(narrow).transpose()?,
            tokens,
        };
        Ok(Self { frozen, pixels: self.pixels.as_ref().map(|p| p.narrow(0, start, count)).transpose()? })
    }
}

/// A method with its hyper-parameters. It holds no tensor.
pub trait Method: Send + Sync {
    /// The name in files and on the command line.
    fn id(&self) -> &'static str;

    /// What it reads of an image.
    fn needs(&self) -> ImageNeed {
        ImageNeed::Features
    }

    /// Initial trained parameters for these class prompts (token ids BOS … EOS, one per class). The
    /// order of the parameters is the order of the draws and of every file. Empty: nothing to train.
    ///
    /// # Errors
    /// [`MethodError`] when the prompts do not allow it.
    fn init(&self, clip: &Clip, prompts: &[Vec<u32>], stream: &mut Stream)
    -> Result<Parameters, MethodError>;

    /// What it computes and keeps for a class set.
    fn work(&self, shape: &Shape<'_>) -> Work;

    /// The towers whose tokens it cannot touch, whatever is trained: a claim that measurements check.
    fn untouched(&self) -> Untouched {
        Untouched::BOTH
    }

    /// Token features with `parameters` in place, for class prompts and images (with pixels). `None` stands for
    /// no prompts at all, or, where prompts take the place of words, for these words.
    ///
    /// # Errors
    /// [`MethodError`] as for [`Method::bind`], and [`MethodError::Images`] without pixels.
    fn token_rows(
        &self,
        clip: &Arc<Clip>,
        prompts: &[Vec<u32>],
        _parameters: Option<&Named>,
        images: &ImageBatch,
    ) -> Result<TokenRows, MethodError> {
        // A method that overrides nothing has no prompts: its parameters lie behind the towers.
        frozen_rows(clip, prompts, images)
    }

    /// Binds the method to a class set and computes what is frozen about it.
    ///
    /// # Errors
    /// [`MethodError`] when the prompts cannot be laid out.
    fn bind(&self, clip: &Arc<Clip>, prompts: &[Vec<u32>]) -> Result<Box<dyn Head>, MethodError>;
}

/// A method bound to a class set.
pub trait Head: Send + Sync {
    /// Computes the text side once for these parameters.
    ///
    /// # Errors
    /// [`MethodError::Parameter`] for a missing parameter or a wrong shape.
    fn classifier(&self, parameters: &Named) -> Result<Box<dyn Classifier>, MethodError>;

    /// The text sides of several parameters of one shape together. A method that can share products among them
    /// overrides this.
    ///
    /// # Errors
    /// As [`Head::classifier`].
    fn classifiers(&self, parameters: &[Named]) -> Result<Box<dyn ClassifierSet>, MethodError> {
        let each = parameters.iter().map(|parameters| self.classifier(parameters));
        Ok(Box::new(OneByOne(each.collect::<Result<_, _>>()?)))
    }
}

/// A method bound to a class set and to parameters.
pub trait Classifier: Send + Sync {
    /// Logits `[batch, classes]`.
    ///
    /// # Errors
    /// [`MethodError::Images`] when the batch lacks what the method reads.
    fn logits(&self, images: &ImageBatch) -> Result<Tensor, MethodError>;
}
