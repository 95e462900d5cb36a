//! Reproducible few-shot adaptation of CLIP.

pub mod backbone;
pub mod data;
pub mod frame;
pub mod preprocess;
pub mod record;
pub mod report;
pub mod rng;
pub mod stats;
