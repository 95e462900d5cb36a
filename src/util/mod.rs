//! What several rooms need and none of them owns: files replaced in one step, files that are not what they
//! should be, named streams of random numbers, times, facts about the machine,
//! loops over its vectors.

pub mod atomic_file;
mod hex;
pub mod machine;
pub mod mistaken;
mod nearest;
pub mod rng;
pub mod utc;
mod vectors;

pub use hex::hex;
pub use nearest::{likely, nearest};
pub use vectors::{InPlace, vectorised};
