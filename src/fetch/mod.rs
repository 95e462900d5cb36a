//! Downloads of models and data: the only code in this program that opens a connection, and only for `model fetch`
//! and `data fetch`.
//!
//! A file is written beside its final name, checked for length and digest, and renamed: nothing half-written ever
//! stands under its final name. The pieces: `http` asks, `download` gets one file right, `hub` fills HuggingFace's
//! cache, `unpack` takes archives apart, `dataset` follows a manifest, `place` puts its folders where they belong.

#![expect(clippy::disallowed_types, reason = "the one place that opens connections")]

pub mod dataset;
pub mod download;
pub mod error;
pub mod http;
pub mod hub;
mod into_folder;
pub mod space;
pub mod unpack;

pub use error::FetchError;
pub use http::{Client, Patience};
