//! Files written by `torch.save`, read without running anything in them.

mod archive;
mod machine;
mod pickle;

pub use archive::TorchArchive;
pub use machine::unpickle;
pub use pickle::{Node, NodeId, Pickle, PickleError};
