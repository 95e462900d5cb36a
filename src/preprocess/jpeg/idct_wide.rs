//! The inverse DCT with AVX2, where the processor has it: [`super::idct`]'s arithmetic, eight columns in one register.
//!
//! Products of two inputs with their factors are summed by one instruction (`pmaddwd`), which is what the vectoriser
//! does not find by itself.

use super::idct_bits::{CONST_BITS, PASS1_BITS};
use std::arch::x86_64::{__m128i, __m256i};

use pulp::bytemuck::cast;
use pulp::x86::V3;

/// As [`super::idct::inverse_dct`]; call it inside `simd.vectorize`.
#[inline(always)]
pub(super) fn both_passes(simd: V3, coefficients: &[i16; 64], quantisation: &[u16; 64]) -> [[u8; 8]; 8] {
    let (coefficients, quantisation): (&[[i16; 8]; 8], &[[u16; 8]; 8]) =
        (pulp::bytemuck::cast_ref(coefficients), pulp::bytemuck::cast_ref(quantisation));
    let scaled = |y: usize| simd.sse2._mm_mullo_epi16(cast(coefficients[y]), cast(quantisation[y]));
    let columns = if coefficients[1..] == [[0; 8]; 7] {
        [simd.sse2._mm_slli_epi16::<{ PASS1_BITS as i32 }>(scaled(0)); 8]
    } else {
        let rows = [scaled(0), scaled(1), scaled(2), scaled(3), scaled(4), scaled(5), scaled(6), scaled(7)];
        pass::<{ (CONST_BITS - PASS1_BITS) as i32 }>(simd, rows)
    };
    let rows = pass::<{ (CONST_BITS + PASS1_BITS + 3) as i32 }>(simd, transposed(simd, columns));
    let rows = transposed(simd, rows);
    let centre: __m128i = cast([0x80u8; 16]);
    let bytes = |y: usize| {
        let both = simd.sse2._mm_packs_epi16(rows[y], rows[y + 1]);
        cast::<__m128i, [[u8; 8]; 2]>(simd.sse2._mm_xor_si128(both, centre))
    };
    cast([bytes(0), bytes(2), bytes(4), bytes(6)])
}

/// Pairs of 16-bit numbers of two rows, column by column.
#[inline(always)]
fn pair(simd: V3, a: __m128i, b: __m128i) -> __m256i {
    let (low, high) = (simd.sse2._mm_unpacklo_epi16(a, b), simd.sse2._mm_unpackhi_epi16(a, b));
    simd.avx._mm256_set_m128i(high, low)
}

/// One pass over eight columns, as in [`super::idct`].
#[inline(always)]
fn pass<const DESCALE: i32>(simd: V3, input: [__m128i; 8]) -> [__m128i; 8] {
    let [i0, i1, i2, i3, i4, i5, i6, i7] = input;
    let weighed =
        |pairs: __m256i, by_a: i16, by_b: i16| simd.avx2._mm256_madd_epi16(pairs, cast([[by_a, by_b]; 8]));
    let add = |a: __m256i, b: __m256i| simd.avx2._mm256_add_epi32(a, b);
    let subtract = |a: __m256i, b: __m256i| simd.avx2._mm256_sub_epi32(a, b);
    let zero: __m128i = cast([0u8; 16]);
    let widened =
        |row: __m128i| simd.avx2._mm256_srai_epi32::<{ 16 - CONST_BITS as i32 }>(pair(simd, zero, row));
    // Even part.
    let i26 = pair(simd, i2, i6);
    let even_3 = weighed(i26, 4433 + 6270, 4433);
    let even_2 = weighed(i26, 4433, 4433 - 15_137);
    let even_0 = widened(simd.sse2._mm_add_epi16(i0, i4));
    let even_1 = widened(simd.sse2._mm_sub_epi16(i0, i4));
    let (e0, e3) = (add(even_0, even_3), subtract(even_0, even_3));
    let (e1, e2) = (add(even_1, even_2), subtract(even_1, even_2));
    // Odd part.
    let z34 = pair(simd, simd.sse2._mm_add_epi16(i7, i3), simd.sse2._mm_add_epi16(i5, i1));
    let (z3, z4) = (weighed(z34, 9633 - 16_069, 9633), weighed(z34, 9633, 9633 - 3196));
    let (i71, i53) = (pair(simd, i7, i1), pair(simd, i5, i3));
    let o3 = add(weighed(i71, 2446 - 7373, -7373), z3);
    let o2 = add(weighed(i53, 16_819 - 20_995, -20_995), z4);
    let o1 = add(weighed(i53, -20_995, 25_172 - 20_995), z3);
    let o0 = add(weighed(i71, -7373, 12_299 - 7373), z4);
    let half: __m256i = cast([1i32 << (DESCALE - 1); 8]);
    let down = |value: __m256i| simd.avx2._mm256_srai_epi32::<DESCALE>(add(value, half));
    let rows = |a: __m256i, b: __m256i| {
        let packed = simd.avx2._mm256_packs_epi32(down(a), down(b));
        cast::<__m256i, [__m128i; 2]>(simd.avx2._mm256_permute4x64_epi64::<0b11_01_10_00>(packed))
    };
    cast([
        rows(add(e0, o0), add(e1, o1)),
        rows(add(e2, o2), add(e3, o3)),
        rows(subtract(e3, o3), subtract(e2, o2)),
        rows(subtract(e1, o1), subtract(e0, o0)),
    ])
}

/// Exchanges rows and columns.
#[inline(always)]
fn transposed(simd: V3, rows: [__m128i; 8]) -> [__m128i; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    let words = |a, b| (simd.sse2._mm_unpacklo_epi16(a, b), simd.sse2._mm_unpackhi_epi16(a, b));
    let longs = |a, b| (simd.sse2._mm_unpacklo_epi32(a, b), simd.sse2._mm_unpackhi_epi32(a, b));
    let halves = |a, b| [simd.sse2._mm_unpacklo_epi64(a, b), simd.sse2._mm_unpackhi_epi64(a, b)];
    let ((ab0, ab1), (cd0, cd1), (ef0, ef1), (gh0, gh1)) =
        (words(a, b), words(c, d), words(e, f), words(g, h));
    let ((top0, top1), (top2, top3)) = (longs(ab0, cd0), longs(ab1, cd1));
    let ((low0, low1), (low2, low3)) = (longs(ef0, gh0), longs(ef1, gh1));
    cast([halves(top0, low0), halves(top1, low1), halves(top2, low2), halves(top3, low3)])
}
