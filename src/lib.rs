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
//! [`suite`] plans and runs it, [`cli`] is what a person types, [`parity`] holds it against golden
//! numbers, [`pocket`] is the embedded world and [`pretrain`] makes its CLIP.

pub mod atomic_file;
pub mod backbone;
pub mod bench;
pub mod cli;
pub mod data;
pub mod frame;
pub mod method;
pub mod parity;
pub mod pocket;
pub mod preprocess;
pub mod pretrain;
pub mod protocol;
pub mod record;
pub mod report;
pub mod rng;
pub mod stats;
pub mod suite;
pub mod train;
pub mod verify;
