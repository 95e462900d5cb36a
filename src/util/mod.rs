//! What several rooms need and none of them owns: files replaced in one step, named streams of random
//! numbers, facts about the machine.

pub mod atomic_file;
mod hex;
pub mod machine;
mod nearest;
pub mod rng;

pub use hex::hex;
pub use nearest::{likely, nearest};
