//! Why a draw cannot be handed out.

use crate::data::{Classes, DataError};

/// Failure to hand out a draw.
#[derive(Debug, thiserror::Error)]
pub enum HandoutError {
    /// A dataset id that is not among those that can be opened.
    #[error("find dataset {id:?} among the pocket pictures ({known}); pass --data DIR for your own")]
    Unknown {
        /// The id.
        id: String,
        /// The ids there are.
        known: String,
    },
    /// What is wrong with the data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A format that has no place for class halves.
    #[error(
        "write {format}: it holds the whole draw, the program that reads it takes the half itself; leave --classes \
         {classes} out"
    )]
    WholeOnly {
        /// The format.
        format: &'static str,
        /// The half that was asked for.
        classes: Classes,
    },
}
