//! The whole tower: stem, four stages, attention pool.

use candle_core::{DType, Result, Tensor, bail};

use super::convolution::Convolution;
use super::names::{blocks, stem};
use super::pool::AttentionPool;
use crate::backbone::config::{ClipConfig, ResNetConfig};
use crate::backbone::files::weights::{Weights, WeightsError};

/// A bottleneck block. Its convolutions have no stride: where the map shrinks, an average pool stands for it.
#[derive(Clone, Debug)]
struct Block {
    reduce: Convolution,
    spatial: Convolution,
    expand: Convolution,
    shortcut: Option<Convolution>,
    shrinks: bool,
}

/// OpenAI's ModifiedResNet.
#[derive(Clone, Debug)]
pub struct ResNetTower {
    stem: Vec<Convolution>,
    blocks: Vec<Block>,
    pool: AttentionPool,
    image_size: usize,
}

impl ResNetTower {
    /// Reads `visual.*`.
    ///
    /// # Errors
    /// A missing tensor or one whose shape the configuration does not imply.
    pub fn load(
        weights: &Weights,
        config: &ClipConfig,
        resnet: &ResNetConfig,
    ) -> std::result::Result<Self, WeightsError> {
        let stem = stem(resnet.width).into_iter().enumerate().map(|(at, (outputs, inputs))| {
            let names = (format!("visual.conv{}", at + 1), format!("visual.bn{}", at + 1));
            Convolution::load(weights, (&names.0, &names.1), (outputs, inputs, 3))
        });
        let stem = stem.collect::<std::result::Result<_, _>>()?;
        let load =
            |(name, inputs, planes): &(String, usize, usize)| Block::load(weights, name, *inputs, *planes);
        let blocks = blocks(resnet).iter().map(load).collect::<std::result::Result<_, _>>()?;
        Ok(Self { stem, blocks, pool: AttentionPool::load(weights, config)?, image_size: config.image_size })
    }

    /// Pixels `[batch, 3, side, side]`, normalised, to features `[batch, joint]`, not l2-normalised.
    ///
    /// # Errors
    /// Pixels of another side; whatever candle reports.
    pub fn encode(&self, pixels: &Tensor) -> Result<Tensor> {
        let side = self.image_size;
        if pixels.dims()[1..] != [3, side, side] {
            bail!("a ResNet of {side} px got pixels of shape {:?}", pixels.dims());
        }
        let mut x = pixels.clone();
        for (at, convolution) in self.stem.iter().enumerate() {
            x = convolution.forward(&x, if at == 0 { 2 } else { 1 })?.relu()?;
        }
        x = x.avg_pool2d(2)?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        self.pool.forward(&x)
    }

    /// The same tower computing in `dtype`.
    ///
    /// # Errors
    /// For anything but the type it has: it computes in f32 only.
    pub fn rounded(&self, dtype: DType) -> Result<Self> {
        if dtype != DType::F32 {
            bail!("a ResNet's image tower computes in f32 only; leave --dtype at f32");
        }
        Ok(self.clone())
    }
}

impl Block {
    fn load(
        weights: &Weights,
        name: &str,
        inputs: usize,
        planes: usize,
    ) -> std::result::Result<Self, WeightsError> {
        let load = |convolution: &str, norm: &str, shape: (usize, usize, usize)| {
            let names = (format!("{name}.{convolution}"), format!("{name}.{norm}"));
            Convolution::load(weights, (&names.0, &names.1), shape)
        };
        let first = name.ends_with(".0");
        let shortcut =
            first.then(|| load("downsample.0", "downsample.1", (4 * planes, inputs, 1))).transpose()?;
        Ok(Self {
            reduce: load("conv1", "bn1", (planes, inputs, 1))?,
            spatial: load("conv2", "bn2", (planes, planes, 3))?,
            expand: load("conv3", "bn3", (4 * planes, planes, 1))?,
            shortcut,
            shrinks: first && !name.contains(".layer1."),
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let pooled = |x: Tensor| if self.shrinks { x.avg_pool2d(2) } else { Ok(x) };
        let inner = self.reduce.forward(x, 1)?.relu()?;
        let inner = pooled(self.spatial.forward(&inner, 1)?.relu()?)?;
        let inner = self.expand.forward(&inner, 1)?;
        let outer = match &self.shortcut {
            Some(shortcut) => shortcut.forward(&pooled(x.clone())?, 1)?,
            None => x.clone(),
        };
        (inner + outer)?.relu()
    }
}
