//! A card, opened so that an operation costs its host as little as it can.
//!
//! A training step of a small batch is thousands of short operations: the host that asks for them is what is waited for. Two
//! defaults cost it more than the launches themselves. cudarc makes and destroys two events a tensor, which order
//! several streams; here everything goes through one. And the driver's memory pool gives what is free back to the system
//! whenever the host waits for the card, which every step does once, so that the next step's memory is mapped again.

use candle_core::Device;

/// Card `index`, with one stream for all threads: whoever opens it again gets the same.
///
/// # Errors
/// What the driver says; without the feature `cuda`, that there is no support.
pub fn open_card(index: usize) -> candle_core::Result<Device> {
    #[cfg(feature = "cuda")]
    return card::open(index);
    #[cfg(not(feature = "cuda"))]
    Device::new_cuda(index)
}

#[cfg(feature = "cuda")]
#[expect(unsafe_code, reason = "the driver's own functions, and a promise to use one stream")]
mod card {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, PoisonError};

    use candle_core::cuda_backend::cudarc::driver::{result, sys};
    use candle_core::{Device, Error};

    static OPEN: Mutex<BTreeMap<usize, Device>> = Mutex::new(BTreeMap::new());

    /// The card, opened by whoever comes first.
    pub(super) fn open(index: usize) -> candle_core::Result<Device> {
        let mut all = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(device) = all.get(&index) {
            return Ok(device.clone());
        }
        let device = first(index)?;
        all.insert(index, device.clone());
        Ok(device)
    }

    fn first(index: usize) -> candle_core::Result<Device> {
        let device = Device::new_cuda_with_stream(index)?;
        if let Device::Cuda(card) = &device {
            // SAFETY: the device has one stream, and nothing here makes another, nor the device again: operations run in
            // the order they are asked for, whichever thread asks.
            unsafe { card.disable_event_tracking() };
            keep_freed_memory(index).map_err(|error| Error::Cuda(Box::new(error)))?;
        }
        Ok(device)
    }

    /// Lets the pool that tensors come from keep what they give back.
    fn keep_freed_memory(index: usize) -> Result<(), result::DriverError> {
        let ordinal = i32::try_from(index).unwrap_or(i32::MAX);
        let card = result::device::get(ordinal)?;
        let mut pool = std::ptr::null_mut();
        let mut all = u64::MAX;
        // SAFETY: the driver is initialised and `card` is one of its own; the attribute is a 64-bit number, read before the
        // call returns.
        unsafe {
            sys::cuDeviceGetDefaultMemPool(&mut pool, card).result()?;
            let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
            sys::cuMemPoolSetAttribute(pool, attribute, (&raw mut all).cast()).result()
        }
    }
}
