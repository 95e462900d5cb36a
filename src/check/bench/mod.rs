//! Timings of training steps and evaluation on random weights of a real model's shape, and of reports on made-up records.
//!
//! Nothing here trains for a result: the numbers say what a machine does with the engine, beside the
//! floating-point operations that cannot be skipped and the machine's own matrix-product rate.

mod error;
mod inference;
mod launches;
mod made_up;
mod meter;
mod pieces;
mod report;
mod scale;
mod shape;
mod step;

pub use error::BenchError;
pub use inference::{EvaluateBench, EvaluateReport, bench_evaluate};
pub use launches::{LaunchBench, LaunchReport, bench_launches};
pub use meter::BenchDevice;
pub use pieces::{Pieces, PiecesAt};
pub use report::{ReportBench, ReportCost, ReportCosts, bench_report};
pub use scale::{ScaleBench, ScaleReport, bench_scale};
pub use shape::{ModelShape, SHAPES, class_prompts, random_clip};
pub use step::{StepBench, StepReport, bench_step};
