//! What several rooms need and none of them owns: files replaced in one step, named streams of random
//! numbers, facts about the machine.

pub mod atomic_file;
pub mod machine;
pub mod rng;
