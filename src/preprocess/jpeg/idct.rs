//! The inverse DCT of 8 × 8 coefficients: libjpeg's "islow" (`jidctint.c`), all eight columns at once.
//!
//! Columns first, then rows; the result of the first pass keeps two fractional bits. Other fast DCTs
//! differ by one level here and there, which chroma upsampling and colour conversion then spread. Where a damaged
//! file exceeds 16 bits, libjpeg-turbo's vector code (what Pillow runs) wraps and saturates, and so does this.

use super::idct_bits::{CONST_BITS, PASS1_BITS};
use crate::util::vectorised;

/// Eight numbers of 32 bits computed side by side.
type Wide = [i32; 8];
/// Eight numbers of 16 bits computed side by side.
type Narrow = [i16; 8];

/// Turns quantised coefficients (row-major) into samples: `rows[y][x]`, 0 to 255.
#[inline(always)]
pub(super) fn inverse_dct(coefficients: &[i16; 64], quantisation: &[u16; 64]) -> [[u8; 8]; 8] {
    if coefficients[1..] == [0; 63] {
        let dc = coefficients[0].wrapping_mul(quantisation[0] as i16);
        return [[centred((i32::from(dc.wrapping_shl(PASS1_BITS)) + 16) >> 5); 8]; 8];
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(crate::util::InPlace(
            #[inline(always)]
            || super::idct_wide::both_passes(simd, coefficients, quantisation),
        ));
    }
    vectorised(
        #[inline(always)]
        || both_passes(coefficients, quantisation),
    )
}

#[inline(always)]
fn both_passes(coefficients: &[i16; 64], quantisation: &[u16; 64]) -> [[u8; 8]; 8] {
    let mut rows = [[0i16; 8]; 8];
    let pairs = coefficients.as_chunks::<8>().0.iter().zip(quantisation.as_chunks::<8>().0);
    for (row, (coefficients, quantisation)) in rows.iter_mut().zip(pairs) {
        for x in 0..8 {
            row[x] = coefficients[x].wrapping_mul(quantisation[x] as i16);
        }
    }
    // Without rows to add, the first pass is a shift: another result where 16 bits overflow.
    let columns = if coefficients[8..] == [0; 56] {
        [rows[0].map(|dc| dc.wrapping_shl(PASS1_BITS)); 8]
    } else {
        pass::<{ CONST_BITS - PASS1_BITS }>(rows)
    };
    let rows = transposed(pass::<{ CONST_BITS + PASS1_BITS + 3 }>(transposed(columns)));
    let mut samples = [[0; 8]; 8];
    // Loops, because `map` of arrays would be called where it must be inlined to be vectorised.
    for (samples, row) in samples.iter_mut().zip(rows) {
        for (out, value) in samples.iter_mut().zip(row) {
            *out = (value.clamp(-128, 127) + 128) as u8;
        }
    }
    samples
}

/// Centres and limits.
#[inline(always)]
fn centred(value: i32) -> u8 {
    (value.clamp(-128, 127) + 128) as u8
}

#[inline(always)]
fn transposed(rows: [Narrow; 8]) -> [Narrow; 8] {
    let mut out = [[0; 8]; 8];
    for x in 0..8 {
        for y in 0..8 {
            out[x][y] = rows[y][x];
        }
    }
    out
}

/// One pass over eight columns; `input[k]` holds frequency k of each, the result position k of each. As in
/// libjpeg-turbo's vector code sums of two inputs wrap at 16 bits, and results saturate there.
#[inline(always)]
fn pass<const DESCALE: u32>(input: [Narrow; 8]) -> [Narrow; 8] {
    let [i0, i1, i2, i3, i4, i5, i6, i7] = input;
    // Even part.
    let even_3 = weighed(i2, 4433 + 6270, i6, 4433);
    let even_2 = weighed(i2, 4433, i6, 4433 - 15_137);
    let even_0 = each(|x| i32::from(i0[x].wrapping_add(i4[x])) << CONST_BITS);
    let even_1 = each(|x| i32::from(i0[x].wrapping_sub(i4[x])) << CONST_BITS);
    let (e0, e3) = (add(even_0, even_3), subtract(even_0, even_3));
    let (e1, e2) = (add(even_1, even_2), subtract(even_1, even_2));
    // Odd part.
    let z3: Narrow = std::array::from_fn(|x| i7[x].wrapping_add(i3[x]));
    let z4: Narrow = std::array::from_fn(|x| i5[x].wrapping_add(i1[x]));
    let (z3, z4) = (weighed(z3, 9633 - 16_069, z4, 9633), weighed(z3, 9633, z4, 9633 - 3196));
    let o3 = add(weighed(i7, 2446 - 7373, i1, -7373), z3);
    let o2 = add(weighed(i5, 16_819 - 20_995, i3, -20_995), z4);
    let o1 = add(weighed(i5, -20_995, i3, 25_172 - 20_995), z3);
    let o0 = add(weighed(i7, -7373, i1, 12_299 - 7373), z4);
    let down = descale::<DESCALE>;
    [
        down(add(e0, o0)),
        down(add(e1, o1)),
        down(add(e2, o2)),
        down(add(e3, o3)),
        down(subtract(e3, o3)),
        down(subtract(e2, o2)),
        down(subtract(e1, o1)),
        down(subtract(e0, o0)),
    ]
}

#[inline(always)]
fn each(value: impl Fn(usize) -> i32) -> Wide {
    let mut out = [0; 8];
    for (x, out) in out.iter_mut().enumerate() {
        *out = value(x);
    }
    out
}

#[inline(always)]
fn add(a: Wide, b: Wide) -> Wide {
    each(|x| a[x].wrapping_add(b[x]))
}

#[inline(always)]
fn subtract(a: Wide, b: Wide) -> Wide {
    each(|x| a[x].wrapping_sub(b[x]))
}

/// `a · by_a + b · by_b`, exact: the factors have 15 bits.
#[inline(always)]
fn weighed(a: Narrow, by_a: i32, b: Narrow, by_b: i32) -> Wide {
    each(|x| i32::from(a[x]) * by_a + i32::from(b[x]) * by_b)
}

/// Divides by `2^BITS`, rounding half up, and saturates.
#[inline(always)]
fn descale<const BITS: u32>(value: Wide) -> Narrow {
    let mut out = [0; 8];
    for (out, value) in out.iter_mut().zip(value) {
        let value = value.wrapping_add(1 << (BITS - 1)) >> BITS;
        *out = value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
    }
    out
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

    #[test]
    fn wide_and_plain_arithmetic_agree_beyond_all_limits() {
        let mut stream = crate::util::rng::Stream::new(&["inverse dct"]);
        for case in 0..20_000 {
            // From sparse and small, as in photographs, to anything at all.
            let (shift, keep) = (case % 16, 1 + case / 16 % 64);
            let coefficients: [i16; 64] = std::array::from_fn(|i| {
                let value = stream.bits() as i16 >> shift;
                if i < keep { value } else { 0 }
            });
            let quantisation: [u16; 64] = std::array::from_fn(|_| stream.bits() as u16 >> (case % 13));
            let plain = super::both_passes(&coefficients, &quantisation);
            if coefficients[1..] != [0; 63] {
                assert_eq!(inverse_dct(&coefficients, &quantisation), plain, "case {case}");
            }
        }
    }

    #[test]
    fn a_first_pass_of_one_row_wraps() {
        let mut coefficients = [0i16; 64];
        coefficients[0] = 2047;
        // 2047 · 8 is 16 376; shifted by two bits it is 65 504, which 16 bits hold as -32.
        assert_eq!(inverse_dct(&coefficients, &[8; 64]), [[127; 8]; 8]);
        coefficients[1] = 1;
        let mut quantisation = [0; 64];
        quantisation[0] = 8;
        assert_eq!(inverse_dct(&coefficients, &quantisation), [[127; 8]; 8]);
        // With another row the first pass saturates instead.
        coefficients[8] = 1;
        assert_eq!(inverse_dct(&coefficients, &quantisation), [[255; 8]; 8]);
    }
}
