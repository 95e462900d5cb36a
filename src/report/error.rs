//! Why a report could not be made.

use std::path::PathBuf;

use crate::frame::FrameError;

/// Failure to render or write a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is nothing to report on.
    #[error("render a report: no record was given; run the suite first")]
    Empty,
    /// The records do not make a table.
    #[error("render a report: {0}")]
    Frame(#[from] FrameError),
    /// A picture could not be drawn.
    #[error("draw {picture}: {reason}")]
    Draw {
        /// File name without extension.
        picture: String,
        /// What the drawing library said.
        reason: String,
    },
    /// A file could not be written.
    #[error("write {file}: {source}; where runs/ cannot be written to, give `report` its folder and another --out: {}", path.display())]
    Write {
        /// Name of the file in the report.
        file: String,
        /// What the system said.
        source: std::io::Error,
        /// Where it was being written.
        path: PathBuf,
    },
    /// The records are not comparable with published figures.
    #[error("compare with published figures: {reason}")]
    NotComparable {
        /// Why not.
        reason: String,
    },
    /// A table of published figures is malformed.
    #[error("read published figures: line {line} of {file}: {reason}")]
    Published {
        /// File name.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}
