//! The image side of a model: a vision transformer, or a ResNet, which gives pooled features and nothing else.

use candle_core::{DType, Result, Tensor, bail};

use super::config::ClipConfig;
use super::files::weights::{Weights, WeightsError};
use super::frozen_images::FrozenImages;
use super::parts::Cut;
use super::resnet::ResNetTower;
use super::vision::VisionTower;

/// Pixels to features.
#[derive(Clone, Debug)]
pub enum ImageTower {
    /// Has tokens that prompts can join.
    Transformer(Box<VisionTower>),
    /// Has pooled features only.
    ResNet(Box<ResNetTower>),
}

impl ImageTower {
    /// The tower the configuration says.
    ///
    /// # Errors
    /// A missing tensor or one whose shape the configuration does not imply.
    pub fn load(weights: &Weights, config: &ClipConfig) -> std::result::Result<Self, WeightsError> {
        Ok(match &config.resnet {
            Some(resnet) => Self::ResNet(Box::new(ResNetTower::load(weights, config, resnet)?)),
            None => Self::Transformer(Box::new(VisionTower::load(weights, config)?)),
        })
    }

    /// The frozen pass; see [`VisionTower::encode`].
    ///
    /// # Errors
    /// A ResNet asked to keep tokens; whatever candle reports.
    pub fn encode(&self, pixels: &Tensor, keep: bool) -> Result<FrozenImages> {
        match self {
            Self::Transformer(tower) => tower.encode(pixels, keep),
            Self::ResNet(_) if keep => bail!("{NO_TOKENS}"),
            Self::ResNet(tower) => {
                Ok(FrozenImages { features: tower.encode(pixels)?, cache: None, tokens: 0 })
            }
        }
    }

    /// The transformer, for what reads or changes its tokens.
    ///
    /// # Errors
    /// For a ResNet.
    pub fn transformer(&self) -> Result<&VisionTower> {
        match self {
            Self::Transformer(tower) => Ok(tower),
            Self::ResNet(_) => bail!("{NO_TOKENS}"),
        }
    }

    pub(super) fn rounded(&self, dtype: DType) -> Result<Self> {
        Ok(match self {
            Self::Transformer(tower) => Self::Transformer(Box::new(tower.rounded(dtype)?)),
            Self::ResNet(tower) => Self::ResNet(Box::new(tower.rounded(dtype)?)),
        })
    }

    pub(super) fn with_cut(self, change: impl Fn(Cut) -> Cut) -> Self {
        match self {
            Self::Transformer(tower) => Self::Transformer(Box::new(tower.with_cut(change))),
            resnet => resnet,
        }
    }
}

/// Why a method cannot run on a ResNet.
pub const NO_TOKENS: &str =
    "the image tower is a ResNet, which has no tokens: this needs a vision transformer";
