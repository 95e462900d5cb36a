//! Files written by `torch.save`, read without running anything in them, and checkpoints written for it.

mod archive;
mod described;
mod layout;
mod legacy;
mod machine;
mod open;
mod pickle;
mod script;
mod write;

pub use archive::TorchArchive;
pub use legacy::LegacyTorchFile;
pub use machine::unpickle;
pub use open::open_torch;
pub use pickle::{Node, NodeId, Pickle, PickleError};
pub use write::checkpoint_bytes;
