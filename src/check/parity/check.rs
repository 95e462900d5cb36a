//! One comparison with golden numbers, and the report of all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use candle_core::{DType, Tensor};
use serde::Serialize;

use crate::backbone::WeightsError;
use crate::method::MethodError;
use crate::train::TrainError;

/// Tolerance of a tensor on the CPU in f32: this share of max(1, largest expected magnitude).
pub const RELATIVE_TOLERANCE: f64 = 1e-5;
/// The same on CUDA in f32, and on the CPU where each case names its own options: those fixtures are held to the
/// rounding between two programs' orders of summation.
pub const RELATIVE_TOLERANCE_WIDE: f64 = 1e-4;

/// Why a folder could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum ParityError {
    /// A file that cannot be read.
    #[error("read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing recognisable lies in the folder.
    #[error(
        "check {path}: nothing to check; expected parity.json, pixels/cases.json, python_random.json or lr_schedule.json"
    )]
    Nothing {
        /// The folder.
        path: PathBuf,
    },
    /// The model does not fit.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A method failed.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// A training step failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// candle refused an operation.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl ParityError {
    /// A read error.
    pub fn read(path: &Path, reason: impl ToString) -> Self {
        Self::Read { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// One comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The golden tensor's or case's name.
    pub name: String,
    /// Largest absolute difference.
    pub max_abs_diff: f64,
    /// Largest expected magnitude.
    pub scale: f64,
    /// What the difference may be.
    pub tolerance: f64,
    /// Whether it is within.
    pub pass: bool,
}

impl Check {
    /// Compares numbers with their golden values; another count, or a NaN, is a failure.
    pub fn numbers(name: &str, ours: &[f64], expected: &[f64], tolerance: impl Fn(f64) -> f64) -> Self {
        let scale = expected.iter().fold(0.0, |acc: f64, x| acc.max(x.abs()));
        let worst = |acc: f64, d: f64| if d.is_nan() || acc.is_nan() { f64::NAN } else { acc.max(d) };
        let difference = match ours.len() == expected.len() {
            true => ours.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, worst),
            false => f64::INFINITY,
        };
        let tolerance = tolerance(scale);
        Self {
            name: name.to_owned(),
            max_abs_diff: difference,
            scale,
            tolerance,
            pass: difference <= tolerance,
        }
    }

    /// A comparison that allows no difference: counts of unequal entries.
    pub fn exact<T: PartialEq>(name: &str, ours: &[T], expected: &[T]) -> Self {
        let unequal = ours.iter().zip(expected).filter(|(a, b)| a != b).count();
        let unequal = unequal + ours.len().abs_diff(expected.len());
        Self {
            name: name.to_owned(),
            max_abs_diff: unequal as f64,
            scale: expected.len() as f64,
            tolerance: 0.0,
            pass: unequal == 0,
        }
    }
}

/// Everything that was checked in a folder.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ParityReport {
    /// Comparisons, in order.
    pub checks: Vec<Check>,
    /// Methods the folder has numbers for but this program does not know, and tensors that nothing was compared with.
    pub skipped: Vec<String>,
    /// Registered methods the folder has no numbers for.
    pub without_numbers: Vec<String>,
    /// True when something was checked and everything passed.
    pub pass: bool,
    /// Our tensors under the golden names, for `--dump`.
    #[serde(skip)]
    pub tensors: BTreeMap<String, Tensor>,
    /// Golden names that were looked at.
    #[serde(skip)]
    pub seen: BTreeSet<String>,
    /// Whether cases are held to `RELATIVE_TOLERANCE_WIDE` on the CPU too.
    #[serde(skip)]
    pub wide: bool,
}

impl ParityReport {
    /// Compares a tensor with its golden value and remembers ours.
    ///
    /// # Errors
    /// Whatever candle reports.
    pub fn tensor(
        &mut self,
        name: &str,
        ours: &Tensor,
        expected: Option<&Tensor>,
    ) -> candle_core::Result<()> {
        self.tensors.insert(name.to_owned(), ours.detach().contiguous()?);
        let Some(expected) = expected else { return Ok(()) };
        self.seen.insert(name.to_owned());
        let flat = |t: &Tensor| t.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
        let wide = self.wide || !ours.device().is_cpu();
        let relative = if wide { RELATIVE_TOLERANCE_WIDE } else { RELATIVE_TOLERANCE };
        let mut check =
            Check::numbers(name, &flat(ours)?, &flat(expected)?, |scale| relative * scale.max(1.0));
        check.pass &= ours.dims() == expected.dims();
        self.checks.push(check);
        Ok(())
    }

    /// Sets the verdict.
    pub fn finish(mut self) -> Self {
        self.pass = !self.checks.is_empty() && self.checks.iter().all(|check| check.pass);
        self
    }
}
