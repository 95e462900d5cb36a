//! Reproducible few-shot adaptation of CLIP: RPO, CoOp, CoCoOp, linear probing and zero-shot over one
//! shared frozen backbone.
//!
//! Data flows one way, and imports follow it:
//!
//! ```text
//! manifest → dataset → few-shot draw → preprocess → backbone (frozen, cached K/V) → method → train
//!   data       data        data        preprocess          backbone                 method   train
//!                                                                                              │
//!       report  ←  stats  ←  frame  ←  record  ←───────────────────────────────────────────────┘
//! ```
//!
//! [`suite`] plans and runs it, [`cli`] is what a person types, [`check`] holds it against golden numbers,
//! its own records and the clock, [`cluster`] is the scheduler Slurm, [`pocket`] is the embedded world with its CLIP.

pub mod backbone;
pub mod check;
pub mod cli;
pub mod cluster;
pub mod data;
pub mod fetch;
pub mod frame;
pub mod handout;
pub mod import;
pub mod method;
pub mod pocket;
pub mod preprocess;
pub mod protocol;
pub mod record;
pub mod report;
pub mod stats;
pub mod suite;
pub mod train;
pub mod util;
