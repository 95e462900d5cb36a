//! Reading numbers and packed samples out of bytes.

/// The little-endian number of `N` bytes at `at`.
pub(super) fn little<const N: usize>(bytes: &[u8], at: usize) -> Option<u32> {
    let found = bytes.get(at..)?.first_chunk::<N>()?;
    Some(found.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte)))
}

/// The big-endian number of four bytes at `at`.
pub(super) fn big32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|found| u32::from_be_bytes(*found))
}

/// The first `count` samples of `bits` (1, 2, 4 or 8) bits each, most significant first; `row` holds them all.
pub(super) fn unpacked(row: &[u8], bits: u32, count: usize) -> impl Iterator<Item = u8> + '_ {
    let per_byte = (8 / bits) as usize;
    let mask = (0xffu16 >> (8 - bits)) as u8;
    let sample = move |i: usize| row[i / per_byte] >> (8 - bits - (i % per_byte) as u32 * bits) & mask;
    (0..count).map(sample)
}

/// What to multiply a grey sample of `bits` bits by, so that its largest value is white.
pub(super) fn grey_scale(bits: u32) -> u8 {
    match bits {
        1 => 255,
        2 => 85,
        4 => 17,
        _ => 1,
    }
}

/// Pillow's `I;16` to `RGB`: values beyond a byte are white.
pub(super) fn clipped(sample: u16) -> u8 {
    u8::try_from(sample).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::{clipped, grey_scale, little, unpacked};

    #[test]
    fn samples_come_most_significant_first() {
        assert_eq!(unpacked(&[0b1100_0101, 0x80], 1, 9).collect::<Vec<u8>>(), [1, 1, 0, 0, 0, 1, 0, 1, 1]);
        assert_eq!(unpacked(&[0b1100_0110], 2, 3).collect::<Vec<u8>>(), [3, 0, 1]);
        assert_eq!(unpacked(&[0xa5, 0x30], 4, 3).collect::<Vec<u8>>(), [10, 5, 3]);
        assert_eq!(unpacked(&[7, 8], 8, 2).collect::<Vec<u8>>(), [7, 8]);
        assert_eq!([1u32, 2, 4, 8].map(|bits| u32::from(grey_scale(bits)) * ((1 << bits) - 1)), [255; 4]);
    }

    #[test]
    fn numbers_are_read_inside_the_bytes_only() {
        assert_eq!((little::<2>(&[1, 2], 0), little::<4>(&[1, 2, 3], 0)), (Some(0x201), None));
        assert_eq!((clipped(255), clipped(256)), (255, 255));
    }
}
