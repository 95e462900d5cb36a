//! What several rooms need and none of them owns: files replaced in one step, files that are not what they
//! should be, named streams of random numbers, times, facts about the machine.

pub mod atomic_file;
mod hex;
pub mod machine;
pub mod mistaken;
mod nearest;
pub mod rng;
pub mod utc;

pub use hex::hex;
pub use nearest::{likely, nearest};
