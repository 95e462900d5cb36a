//! Files written by `torch.save`, read without running anything in them.

mod archive;
mod legacy;
mod machine;
mod open;
mod pickle;
mod script;

pub use archive::TorchArchive;
pub use legacy::LegacyTorchFile;
pub use machine::unpickle;
pub use open::open_torch;
pub use pickle::{Node, NodeId, Pickle, PickleError};
