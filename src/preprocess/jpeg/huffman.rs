//! Huffman tables: from the counts and symbols of a file to a lookup.
//!
//! A file's table is judged only when a scan uses it, as in libjpeg. Easy to get wrong: a code of all ones is
//! not allowed, and a file without tables means the standard's own, as Motion-JPEG frames do.

use super::bits::BitReader;

/// Codes up to this long are found in one lookup.
const LOOKUP_BITS: u32 = 10;

/// A table as a file states it.
#[derive(Clone)]
pub(super) struct HuffmanSpec {
    /// Number of codes of each length, 1 to 16.
    pub(super) counts: [u8; 16],
    /// Symbols in code order, as many as there are codes.
    pub(super) symbols: Vec<u8>,
}

/// A decoding table.
pub(super) struct HuffmanTable {
    /// By the next bits: code length × 256 + symbol, or 0 if the code is longer.
    lookup: Vec<u16>,
    /// By code length: the largest code of that length, or -1 if there is none.
    max_code: [i32; 17],
    /// By code length: what to add to a code to get its symbol's position.
    offset: [i32; 17],
    symbols: Vec<u8>,
    /// By the next bits, where an AC code and its value lie within them: the whole step, else 0.
    steps: Vec<u32>,
}

/// An AC coefficient that one lookup gave.
pub(super) struct Step {
    /// Zeros in front of it.
    pub(super) run: usize,
    pub(super) value: i16,
}

impl HuffmanTable {
    /// Builds a table from the number of codes of each length (1 to 16) and the symbols in code order.
    ///
    /// # Errors
    /// A reason, if the counts overfill the code space or do not match the symbols.
    pub(super) fn new(counts: [u8; 16], symbols: &[u8]) -> Result<Self, String> {
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        if total > 256 || total != symbols.len() {
            return Err(format!("a Huffman table states {total} codes and holds {}", symbols.len()));
        }
        let mut table = Self {
            lookup: vec![0; 1 << LOOKUP_BITS],
            max_code: [-1; 17],
            offset: [0; 17],
            symbols: symbols.to_vec(),
            steps: Vec::new(),
        };
        let (mut code, mut position) = (0i32, 0i32);
        for (length, &count) in (1u32..).zip(&counts) {
            table.offset[length as usize] = position - code;
            for _ in 0..count {
                table.enter(length, code as usize, symbols[position as usize]);
                table.max_code[length as usize] = code;
                code += 1;
                position += 1;
                // All ones must stay free.
                if code >= 1 << length {
                    return Err(format!("a Huffman table has too many codes of {length} bits"));
                }
            }
            code <<= 1;
        }
        Ok(table)
    }

    /// Adds a lookup of whole AC coefficients, which most of a sequential scan's are short enough for.
    pub(super) fn with_steps(mut self) -> Self {
        let step = |(index, &entry): (usize, &u16)| {
            let (length, run, size) =
                (u32::from(entry >> 8), u32::from(entry >> 4 & 15), u32::from(entry & 15));
            if entry == 0 || size == 0 || length + size > LOOKUP_BITS {
                return 0;
            }
            let bits = (index >> (LOOKUP_BITS - length - size)) as i32 & ((1 << size) - 1);
            let value = if bits < 1 << (size - 1) { bits - (1 << size) + 1 } else { bits };
            (value as u32) << 16 | run << 8 | (length + size)
        };
        self.steps = self.lookup.iter().enumerate().map(step).collect();
        self
    }

    /// The next AC coefficient, if one lookup gives it; needs [`with_steps`](Self::with_steps).
    #[inline]
    pub(super) fn step(&self, bits: &mut BitReader<'_>) -> Option<Step> {
        bits.refill();
        let entry = *self.steps.get(bits.peek(LOOKUP_BITS) as usize)?;
        if entry == 0 {
            return None;
        }
        bits.skip(entry & 0xff);
        Some(Step { run: (entry >> 8 & 15) as usize, value: (entry >> 16) as i16 })
    }

    /// Fills every lookup that starts with this code.
    fn enter(&mut self, length: u32, code: usize, symbol: u8) {
        if length <= LOOKUP_BITS {
            let free = LOOKUP_BITS - length;
            let entry = (length as u16) << 8 | u16::from(symbol);
            self.lookup[code << free..(code + 1) << free].fill(entry);
        }
    }

    /// Whether every symbol is a DC category (0 to 15); others must not be used for DC.
    pub(super) fn fits_dc(&self) -> bool {
        self.symbols.iter().all(|&symbol| symbol <= 15)
    }

    /// Decodes one symbol. Bits that are no code give 0, as in libjpeg.
    #[inline]
    pub(super) fn decode(&self, bits: &mut BitReader<'_>) -> u8 {
        bits.refill();
        let entry = self.lookup[bits.peek(LOOKUP_BITS) as usize];
        if entry != 0 {
            bits.skip(u32::from(entry >> 8));
            return entry as u8;
        }
        self.decode_long(bits)
    }

    fn decode_long(&self, bits: &mut BitReader<'_>) -> u8 {
        for length in LOOKUP_BITS + 1..=16 {
            let code = bits.peek(length) as i32;
            if code <= self.max_code[length as usize] {
                bits.skip(length);
                let position = code + self.offset[length as usize];
                return self.symbols.get(position as usize).copied().unwrap_or(0);
            }
        }
        bits.skip(17);
        0
    }
}

#[cfg(test)]
mod tests {
    use super::{BitReader, HuffmanTable};

    fn counts(pairs: &[(usize, u8)]) -> [u8; 16] {
        let mut counts = [0; 16];
        for &(length, count) in pairs {
            counts[length - 1] = count;
        }
        counts
    }

    #[test]
    fn short_and_long_codes_are_told_apart() {
        // 0 → 7, 10 → 8, and the 12-bit code 1100 0000 0000 → 9.
        let table = HuffmanTable::new(counts(&[(1, 1), (2, 1), (12, 1)]), &[7, 8, 9]).unwrap();
        let mut bits = BitReader::new(&[0b1011_0000, 0b0000_0000, 0, 0], 0);
        assert_eq!([(); 3].map(|()| table.decode(&mut bits)), [8, 9, 7]);
    }

    #[test]
    fn steps_give_what_code_and_value_give_apart() {
        // Codes of two bits: 00 → one bit behind no zero, 01 → three bits behind two, 10 → end of block.
        let table = HuffmanTable::new(counts(&[(2, 3)]), &[0x01, 0x23, 0]).unwrap().with_steps();
        let mut bits = BitReader::new(&[0b0000_1010, 0b0110_1100, 0, 0], 0);
        let mut next = || table.step(&mut bits).map(|step| (step.run, step.value));
        assert_eq!([next(), next(), next(), next()], [Some((0, -1)), Some((2, -5)), Some((2, 5)), None]);
    }

    #[test]
    fn impossible_tables_are_refused() {
        assert!(HuffmanTable::new(counts(&[(1, 3)]), &[0, 1, 2]).is_err());
        assert!(HuffmanTable::new(counts(&[(2, 2)]), &[0]).is_err());
    }

    #[test]
    fn bits_without_a_code_give_zero() {
        let table = HuffmanTable::new(counts(&[(2, 1)]), &[5]).unwrap();
        assert_eq!(table.decode(&mut BitReader::new(&[0xfe; 8], 0)), 0);
    }
}
