//! The operations both towers are made of, each with a backward of its own.
//!
//! candle's fused LayerNorm and softmax drop gradients without an error, and its matrix product
//! collects gradients for frozen weights. So the engine owns these few operations: the gradient goes
//! to the input, and to a weight only where that weight is itself being trained.

mod activation;
mod attend;
mod attend_batched;
mod attend_blocks;
mod between;
#[cfg(feature = "cuda")]
mod card;
mod composed_attention;
mod composed_tower;
mod dense;
mod entering;
mod frozen_block;
mod frozen_tower;
pub(super) mod hand_over;
mod kernels;
mod layer_norm;
mod let_go;
mod linear;
mod loss;
mod multiply;
mod operations;
mod place;
mod plan;
mod product;
mod real;
mod recycled;
mod softmax;
mod uploaded;

pub use activation::activate;
pub use attend::attend;
pub use entering::{Beside, EnteringRows};
pub use frozen_block::{Block, BlockCall};
pub use frozen_tower::{enter, run_frozen};
pub use layer_norm::LayerNorm;
pub use linear::{DEEP, Linear, NARROW, OWN_WAY_BELOW};
pub use loss::{cross_entropy, l2_normalise, log_softmax};
pub use operations::{Operations, multiplied, multiply_adds_of, operations, tensor_number};
pub use place::{composed, is_fused};
pub use plan::{Attend, AttentionPlan, Group, SelfKeys};
pub use product::matmul;
pub use softmax::softmax;
