//! The bit reader of entropy-coded data: unstuffs `FF 00` and stops at markers.
//!
//! Behind a marker it yields zero bits without end, as libjpeg does; [`BitReader::is_starved`] tells
//! whether any of those were consumed.

/// Reads bits, most significant first.
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    /// Next byte to load; never moves past a marker.
    at: usize,
    /// Loaded bits, left-aligned. Bits below `count` are either 0 or the true next bits.
    window: u64,
    /// Number of loaded bits.
    count: u32,
    /// How many zero bits behind a marker were ever loaded.
    padding: u32,
}

impl<'a> BitReader<'a> {
    /// Starts at byte `at` of `data`.
    pub(super) fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at, window: 0, count: 0, padding: 0 }
    }

    /// Where the next marker search must start. Every byte before it is used up or belongs to padding.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Drops all loaded bits and goes on at byte `at`.
    pub(super) fn restart(&mut self, at: usize) {
        *self = Self::new(self.data, at);
    }

    /// Whether bits behind a marker were consumed.
    pub(super) fn is_starved(&self) -> bool {
        self.padding > self.count
    }

    /// Loads until at least 32 bits are there. Enough for a Huffman code and the bits that follow it.
    #[inline]
    pub(super) fn refill(&mut self) {
        if self.count >= 32 {
            return;
        }
        if let Some(next) = self.data.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let next = u64::from_be_bytes(*next);
            if !has_byte_ff(next) {
                self.window |= next >> self.count;
                self.at += ((63 - self.count) / 8) as usize;
                self.count |= 56;
                return;
            }
        }
        self.refill_bytewise();
    }

    fn refill_bytewise(&mut self) {
        while self.count <= 56 {
            let byte = match (self.data.get(self.at), self.data.get(self.at + 1)) {
                (Some(0xff), Some(0)) => {
                    self.at += 2;
                    0xff
                }
                (None | Some(0xff), _) => {
                    self.padding = self.padding.saturating_add(8);
                    0
                }
                (Some(&byte), _) => {
                    self.at += 1;
                    byte
                }
            };
            self.window |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next `n` bits (1 to 16) without consuming them; needs a [`refill`](Self::refill) before.
    #[inline]
    pub(super) fn peek(&self, n: u32) -> u32 {
        (self.window >> (64 - n)) as u32
    }

    /// Consumes `n` bits; needs a [`refill`](Self::refill) before.
    #[inline]
    pub(super) fn skip(&mut self, n: u32) {
        self.window <<= n;
        self.count -= n;
    }

    /// Consumes and returns `n` bits (0 to 16).
    #[inline]
    pub(super) fn take(&mut self, n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        self.refill();
        let bits = self.peek(n);
        self.skip(n);
        bits
    }

    /// Consumes an `n`-bit (0 to 15) signed value in JPEG's code (`HUFF_EXTEND`). Needs a
    /// [`refill`](Self::refill) before; the one in front of a Huffman code of up to 17 bits serves both.
    #[inline]
    pub(super) fn take_signed(&mut self, n: u32) -> i32 {
        // Twice, because a shift by 64 is none.
        let bits = (self.window >> 1 >> (63 - n)) as i32;
        self.skip(n);
        let half = (1 << n) >> 1;
        bits - if bits < half { (1 << n) - 1 } else { 0 }
    }
}

/// Whether any byte of `word` is `FF` (the zero-byte test on its complement).
fn has_byte_ff(word: u64) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let complement = !word;
    complement.wrapping_sub(LOW) & word & (LOW << 7) != 0
}

#[cfg(test)]
mod tests {
    use super::{BitReader, has_byte_ff};

    #[test]
    fn stuffing_is_removed_and_markers_stop() {
        let data = [0xab, 0xff, 0x00, 0x12, 0xff, 0xd9, 0x77];
        let mut bits = BitReader::new(&data, 0);
        assert_eq!([bits.take(8), bits.take(4), bits.take(8), bits.take(4)], [0xab, 0xf, 0xf1, 2]);
        assert!(!bits.is_starved());
        assert_eq!(bits.take(16), 0);
        assert!(bits.is_starved());
        assert_eq!(bits.position(), 4);
    }

    #[test]
    fn fast_and_bytewise_loading_agree() {
        let data: Vec<u8> = (0..200u32).map(|i| (i * 73 % 255) as u8).collect();
        let mut bits = BitReader::new(&data, 0);
        let mut expected = 0usize;
        for n in (1..=16).cycle().take(150) {
            let want = (expected..expected + n as usize)
                .fold(0, |value, bit| value << 1 | u32::from(data[bit / 8] >> (7 - bit % 8) & 1));
            assert_eq!(bits.take(n), want, "{n} bits at {expected}");
            expected += n as usize;
        }
    }

    #[test]
    fn signed_values_follow_the_standard() {
        let mut bits = BitReader::new(&[0b0100_1110, 0], 0);
        bits.refill();
        assert_eq!(bits.take_signed(2), -2);
        assert_eq!(bits.take_signed(3), -6);
        assert_eq!(bits.take_signed(2), 3);
        assert_eq!(bits.take_signed(0), 0);
    }

    #[test]
    fn ff_is_found_in_any_byte() {
        assert!((0..8).all(|i| has_byte_ff(0xff << (8 * i))));
        assert!(!has_byte_ff(0xfe7f_00fe_8081_01fe));
    }
}
