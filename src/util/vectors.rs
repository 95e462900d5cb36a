//! Loops compiled for the widest vector instructions that the processor has.
//!
//! A closure that is handed to `pulp` itself goes through a call that the compiler need not inline; what it calls is then
//! compiled without those instructions, in silence. Here the closure is called in place. It has to be marked
//! `#[inline(always)]`, and so has whatever it calls.

use pulp::{Arch, NullaryFnOnce};

/// Runs `work`, compiled once for each level of vector instructions, at the processor's own.
#[inline(always)]
pub fn vectorised<R>(work: impl FnMut() -> R) -> R {
    Arch::new().dispatch(InPlace(work))
}

/// A closure that is called where it stands; for a level's own `vectorize`.
pub struct InPlace<F>(pub F);

impl<R, F: FnMut() -> R> NullaryFnOnce for InPlace<F> {
    type Output = R;

    #[inline(always)]
    fn call(mut self) -> R {
        (self.0)()
    }
}
