//! The fixed point of the inverse DCT, which its plain and its vector form share.

/// Fractional bits of the constants.
pub(super) const CONST_BITS: u32 = 13;
/// Fractional bits kept between the passes.
pub(super) const PASS1_BITS: u32 = 2;
