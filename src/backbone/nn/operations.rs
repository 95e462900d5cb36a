//! The operations that frozen towers ask of a device, one function each, counted.
//!
//! Every function is one launch, or none where nothing has to be done (views, copies of what is contiguous already).
//! Tensors here carry no graph.

use std::cell::Cell;

/// What has been asked of devices on this thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Kernels launched.
    pub launches: u64,
    /// Transfers to the device.
    pub uploads: u64,
    /// Tensors created on the way, views among them.
    pub tensors: u64,
}

thread_local! {
    static DONE: Cell<Operations> = const { Cell::new(Operations { launches: 0, uploads: 0, tensors: 0 }) };
}

/// What this thread has asked so far.
pub fn operations() -> Operations {
    DONE.get()
}
