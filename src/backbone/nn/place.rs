//! Which of the two ways an operation is computed: our fused CPU kernels, or composed of candle's operations.
//!
//! GPUs have only the second. On the CPU [`composed`] runs it too, so that tests and counts reach every formula that a
//! GPU computes.

use std::cell::Cell;

use candle_core::{Device, Tensor};

thread_local! {
    static COMPOSED: Cell<bool> = const { Cell::new(false) };
}

/// Puts the way back that was in force, also when a test panics.
struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        COMPOSED.set(self.0);
    }
}

/// Runs `work` with every operation of this thread composed, as on a GPU. A backward pass belongs inside: chunks are
/// computed again there.
pub fn composed<R>(work: impl FnOnce() -> R) -> R {
    let _restore = Restore(COMPOSED.replace(true));
    work()
}

/// Whether operations on this device are our own kernels.
pub fn is_fused(device: &Device) -> bool {
    device.is_cpu() && !COMPOSED.get()
}

/// Whether this tensor's operations are our own kernels.
pub(super) fn fused(x: &Tensor) -> bool {
    is_fused(x.device())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_ends_with_the_work_even_when_it_panics() {
        assert!(is_fused(&Device::Cpu));
        composed(|| {
            assert!(!is_fused(&Device::Cpu));
            composed(|| assert!(!is_fused(&Device::Cpu)));
            assert!(!is_fused(&Device::Cpu), "the inner one leaves the outer one alone");
        });
        assert!(std::panic::catch_unwind(|| composed(|| panic!("as tests do"))).is_err());
        assert!(is_fused(&Device::Cpu));
    }
}
