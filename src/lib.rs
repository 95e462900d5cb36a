//! Reproducible few-shot adaptation of CLIP.

pub mod backbone;
pub mod data;
pub mod method;
pub mod parity;
pub mod pocket;
pub mod frame;
pub mod preprocess;
pub mod pretrain;
pub mod record;
pub mod report;
pub mod rng;
pub mod train;
pub mod stats;
