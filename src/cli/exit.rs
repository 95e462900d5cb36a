//! Exit codes, and the one error type commands return.

use crate::backbone::{LoadError, TokenizerError, WeightsError};
use crate::check::bench::BenchError;
use crate::check::parity::ParityError;
use crate::data::DataError;
use crate::method::MethodError;
use crate::pocket::pretrain::PretrainError;
use crate::report::ReportError;
use crate::suite::SuiteError;
use crate::train::TrainError;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything asked for was done.
    Ok = 0,
    /// A bug of this program, or a system it does not understand.
    Internal = 1,
    /// The command line or a setting is wrong; nothing was done.
    Usage = 2,
    /// Data, model or record files are missing or malformed.
    Data = 3,
    /// A run failed, wholly or in some cells; what was finished is kept.
    RunFailed = 4,
    /// A check against golden numbers or records found a difference.
    Differs = 5,
    /// The run was interrupted; the same command goes on.
    Interrupted = 130,
}

/// A failed command: what to print and how to end.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What is printed behind `error: failed to`, or alone.
    pub message: String,
}

impl Failure {
    /// A failure with its own words.
    pub fn new(exit: Exit, message: impl ToString) -> Self {
        Self { exit, message: message.to_string() }
    }
}

impl From<SuiteError> for Failure {
    fn from(error: SuiteError) -> Self {
        let exit = match &error {
            SuiteError::Unknown { .. } | SuiteError::Override { .. } | SuiteError::Usage(_) => Exit::Usage,
            SuiteError::Method(MethodError::Unknown { .. } | MethodError::Setting { .. }) => Exit::Usage,
            SuiteError::File { .. } | SuiteError::Prompts { .. } | SuiteError::NothingFinished { .. } => {
                Exit::Data
            }
            SuiteError::Report(error) => of_report(error),
            SuiteError::Dataset { .. } => Exit::Usage,
            SuiteError::Train(TrainError::Recipe { .. }) | SuiteError::Memory { .. } => Exit::Usage,
            SuiteError::Train(TrainError::Interrupted) => Exit::Interrupted,
            SuiteError::Data(DataError::Manifest(crate::data::ManifestError::Unknown { .. })) => Exit::Usage,
            SuiteError::Data(_) | SuiteError::Load(_) | SuiteError::Weights(_) | SuiteError::Tokenizer(_) => {
                Exit::Data
            }
            SuiteError::Train(TrainError::Pixels(_) | TrainError::Checkpoint { .. })
            | SuiteError::Store(_) => Exit::Data,
            _ => Exit::RunFailed,
        };
        let hint = match (&error, exit) {
            (SuiteError::Train(TrainError::Pixels(_)), _) => {
                "; what is finished is kept. Put a sound file there (`data verify` finds all such images), or leave \
                 them out with --set data.broken_images=skip"
            }
            (_, Exit::Interrupted) => {
                "; finished cells, finished trainings and the step of running ones are kept; the same command goes on from there"
            }
            _ => "",
        };
        Self::new(exit, format!("{error}{hint}"))
    }
}

macro_rules! from_error {
    ($($error:ty => $exit:expr),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new($exit, error)
            }
        })+
    };
}

from_error! {
    DataError => Exit::Data,
    LoadError => Exit::Data,
    WeightsError => Exit::Data,
    TokenizerError => Exit::Data,
    ParityError => Exit::Data,
    candle_core::Error => Exit::Internal,
    crate::data::verify::VerifyError => Exit::Data,
    crate::fetch::FetchError => Exit::Data,
    crate::pocket::PocketError => Exit::Internal,
    crate::record::StoreError => Exit::Data,
    std::io::Error => Exit::Internal,
    serde_json::Error => Exit::Internal,
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Self::new(of_report(&error), error)
    }
}

fn of_report(error: &ReportError) -> Exit {
    match error {
        ReportError::Empty
        | ReportError::Frame(_)
        | ReportError::NotComparable { .. }
        | ReportError::Write { .. } => Exit::Data,
        ReportError::Draw { .. } | ReportError::Published { .. } => Exit::Internal,
    }
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        let exit = match &error {
            BenchError::Shape { .. } | BenchError::Setting { .. } => Exit::Usage,
            BenchError::Method(MethodError::Unknown { .. } | MethodError::Setting { .. }) => Exit::Usage,
            _ => Exit::RunFailed,
        };
        Self::new(exit, error)
    }
}

impl From<PretrainError> for Failure {
    fn from(error: PretrainError) -> Self {
        let exit =
            if matches!(error, PretrainError::Interrupted) { Exit::Interrupted } else { Exit::RunFailed };
        Self::new(exit, error)
    }
}
