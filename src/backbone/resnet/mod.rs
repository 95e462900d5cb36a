//! OpenAI's ModifiedResNet (RN50 family): convolutions and an attention pool, pixels to pooled features.
//!
//! It has no tokens that prompts could be put among: what methods get of it is the pooled feature. Everything is
//! frozen, computed in f32, and batch normalisation is folded into the convolutions when the weights are read.

mod convolution;
mod names;
mod pool;
mod tower;

pub use names::resnet_tensors;
pub use tower::ResNetTower;
