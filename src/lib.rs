//! Reproducible few-shot adaptation of CLIP.

pub mod backbone;
pub mod cli;
pub mod data;
pub mod frame;
pub mod method;
pub mod parity;
pub mod pocket;
pub mod preprocess;
pub mod pretrain;
pub mod record;
pub mod report;
pub mod rng;
pub mod stats;
pub mod suite;
pub mod train;
