//! What lies beside the records while a run lasts: trained parameters, checkpoints, partial passes, claims.

pub(in crate::suite) mod checkpoint;
pub(in crate::suite) mod leftovers;
pub(in crate::suite) mod neighbours;
pub(in crate::suite) mod partial;
pub(in crate::suite) mod plans;
mod published_layout;
pub(in crate::suite) mod reuse;
pub(in crate::suite) mod saved;
pub(in crate::suite) mod trained;
