//! The inverse DCT of 8 × 8 coefficients: libjpeg's "islow" (`jidctint.c`), all eight columns at once.
//!
//! Columns first, then rows; the result of the first pass keeps two fractional bits. Other fast DCTs
//! differ by one level here and there, which chroma upsampling and colour conversion then spread.

use std::ops::{Add, Mul, Sub};

/// Fractional bits of the constants.
const CONST_BITS: u32 = 13;
/// Fractional bits kept between the passes.
const PASS1_BITS: u32 = 2;

/// Eight numbers computed side by side. Arithmetic wraps: only damaged files come near the limits.
#[derive(Clone, Copy)]
struct Lanes([i32; 8]);

impl Add for Lanes {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].wrapping_add(other.0[i])))
    }
}

impl Sub for Lanes {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].wrapping_sub(other.0[i])))
    }
}

impl Mul<i32> for Lanes {
    type Output = Self;
    #[inline(always)]
    fn mul(self, factor: i32) -> Self {
        let mut product = self.0;
        for x in &mut product {
            *x = x.wrapping_mul(factor);
        }
        Self(product)
    }
}

impl Lanes {
    /// Divides by `2^bits`, rounding half up.
    #[inline(always)]
    fn descale(self, bits: u32) -> Self {
        let mut rounded = self.0;
        for x in &mut rounded {
            *x = x.wrapping_add(1 << (bits - 1)) >> bits;
        }
        Self(rounded)
    }
}

/// Turns dequantised coefficients (row-major) into samples: `rows[y][x]`, 0 to 255.
pub(super) fn inverse_dct(coefficients: &[i16; 64], quantisation: &[u16; 64]) -> [[u8; 8]; 8] {
    if coefficients[1..] == [0; 63] {
        let dc = i32::from(coefficients[0]).wrapping_mul(i32::from(quantisation[0]));
        return [[sample((dc.wrapping_shl(PASS1_BITS).wrapping_add(16)) >> 5); 8]; 8];
    }
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || both_passes(coefficients, quantisation),
    )
}

#[inline(always)]
fn both_passes(coefficients: &[i16; 64], quantisation: &[u16; 64]) -> [[u8; 8]; 8] {
    let row = |y: usize| {
        Lanes(std::array::from_fn(|x| {
            i32::from(coefficients[y * 8 + x]).wrapping_mul(i32::from(quantisation[y * 8 + x]))
        }))
    };
    let columns = pass([0, 1, 2, 3, 4, 5, 6, 7].map(row), CONST_BITS - PASS1_BITS);
    let rows = pass(transposed(columns), CONST_BITS + PASS1_BITS + 3);
    let mut samples = [[0; 8]; 8];
    // Loops, because `map` of arrays would be called where it must be inlined to be vectorised.
    for (samples, row) in samples.iter_mut().zip(transposed(rows)) {
        for (out, value) in samples.iter_mut().zip(row.0) {
            *out = sample(value);
        }
    }
    samples
}

/// Centres and limits.
#[inline(always)]
fn sample(value: i32) -> u8 {
    value.saturating_add(128).clamp(0, 255) as u8
}

#[inline(always)]
fn transposed(rows: [Lanes; 8]) -> [Lanes; 8] {
    std::array::from_fn(|x| Lanes(std::array::from_fn(|y| rows[y].0[x])))
}

/// One pass over eight columns; `input[k]` holds frequency k of each, the result position k of each.
#[inline(always)]
fn pass(input: [Lanes; 8], descale_bits: u32) -> [Lanes; 8] {
    let [i0, i1, i2, i3, i4, i5, i6, i7] = input;
    // Even part.
    let shared = (i2 + i6) * 4433;
    let even_2 = shared - i6 * 15_137;
    let even_3 = shared + i2 * 6270;
    let even_0 = (i0 + i4) * (1 << CONST_BITS);
    let even_1 = (i0 - i4) * (1 << CONST_BITS);
    let (e0, e3) = (even_0 + even_3, even_0 - even_3);
    let (e1, e2) = (even_1 + even_2, even_1 - even_2);
    // Odd part.
    let z5 = (i7 + i3 + (i5 + i1)) * 9633;
    let z1 = (i7 + i1) * -7373;
    let z2 = (i5 + i3) * -20_995;
    let z3 = (i7 + i3) * -16_069 + z5;
    let z4 = (i5 + i1) * -3196 + z5;
    let o3 = i7 * 2446 + z1 + z3;
    let o2 = i5 * 16_819 + z2 + z4;
    let o1 = i3 * 25_172 + z2 + z3;
    let o0 = i1 * 12_299 + z1 + z4;
    let mut positions = [e0 + o0, e1 + o1, e2 + o2, e3 + o3, e3 - o3, e2 - o2, e1 - o1, e0 - o0];
    for position in &mut positions {
        *position = position.descale(descale_bits);
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::inverse_dct;

    #[test]
    fn a_flat_block_is_flat_by_either_path() {
        let mut coefficients = [0i16; 64];
        coefficients[0] = 40;
        let flat = inverse_dct(&coefficients, &[4; 64]);
        assert_eq!(flat, [[148; 8]; 8]);
        // A coefficient that quantises to nothing takes the long path.
        coefficients[63] = 1;
        let mut quantisation = [4; 64];
        quantisation[63] = 0;
        assert_eq!(inverse_dct(&coefficients, &quantisation), flat);
    }

    #[test]
    fn one_frequency_is_its_cosine() {
        let mut coefficients = [0i16; 64];
        coefficients[1] = 100;
        let rows = inverse_dct(&coefficients, &[1; 64]);
        for (x, &got) in rows[5].iter().enumerate() {
            let angle = (2.0 * x as f64 + 1.0) * std::f64::consts::PI / 16.0;
            let want = 128.0 + 100.0 / 4.0 / 2f64.sqrt() * angle.cos();
            assert!((f64::from(got) - want).abs() <= 0.6, "{x}: {got} for {want}");
        }
    }

    #[test]
    fn extreme_coefficients_do_not_panic() {
        inverse_dct(&[i16::MIN; 64], &[u16::MAX; 64]);
        inverse_dct(&[i16::MAX; 64], &[u16::MAX; 64]);
    }
}
