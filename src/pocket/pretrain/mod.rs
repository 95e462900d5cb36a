//! Contrastive pretraining of the pocket CLIP from nothing, on rendered pictures and their captions.
//!
//! The towers are the backbone's own, given variables for weights. Deterministic on one kind of
//! machine: every draw is a seeded stream, and a checkpoint holds everything the next step needs.

mod adamw;
mod checkpoint;
mod error;
mod log;
mod model;
mod training;

pub use error::PretrainError;
pub use model::pocket_config;
pub use training::{PretrainProgress, PretrainSettings, pretrain};
