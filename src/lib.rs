//! Reproducible few-shot adaptation of CLIP: RPO, the methods it is compared with and zero-shot over one shared frozen
//! backbone.
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
//! To read it from the top: [`cli`] is what a person types, a file a command. [`suite`] plans and runs the flow above:
//! [`suite::Plan`] is what a suite file comes to, [`suite::World`] the model and the data, [`suite::run()`] the work.
//! [`method`] is the seam between what is compared ([`method::Method`], a file each) and what is shared: the frozen towers
//! of [`backbone`] and the loop of [`train`]. What comes out is a [`record`] a cell; [`frame`] makes rows of records,
//! [`stats`] numbers of rows, [`report`] pages of all three. [`protocol`] is the table of what differs from the papers.
//!
//! Beside the flow lie [`fetch`], which downloads, [`check`], which holds the program against golden numbers, its own records
//! and the clock, [`handout`] and [`import`], the way to and from programs in other languages, [`cluster`], the scheduler
//! Slurm, [`pocket`], the embedded world with its CLIP, and [`util`].
//!
//! ```no_run
//! use rpo_bench::suite::{Plan, RunOptions, SuiteFile, World, run};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let world = World::open(None, None, &candle_core::Device::Cpu)?;
//! let suite = SuiteFile::find("smoke")?.for_profile(world.settings_profile);
//! let plan = Plan::new(suite, &[], None)?;
//! let summary = run(&world, &plan, &RunOptions::quiet("out".as_ref()))?;
//! println!("{} cells run, {} failed", summary.done, summary.failed);
//! # Ok(())
//! # }
//! ```

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
