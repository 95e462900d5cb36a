//! What will be done: cells and their keys, shards, sizes, estimates of time and memory.

pub(in crate::suite) mod alike;
pub(in crate::suite) mod automatic;
pub(in crate::suite) mod cell;
pub(in crate::suite) mod departures;
pub(in crate::suite) mod estimate;
pub(in crate::suite) mod halves;
pub(in crate::suite) mod keys;
pub(in crate::suite) mod memory;
pub(in crate::suite) mod resolve;
pub(in crate::suite) mod scope;
pub(in crate::suite) mod shard;
pub(in crate::suite) mod sizes;
pub(in crate::suite) mod timing;
pub(in crate::suite) mod towers;
pub(in crate::suite) mod workload;
