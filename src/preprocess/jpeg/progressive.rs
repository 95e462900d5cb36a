//! One block of a progressive scan (`jdphuff.c`): coefficients arrive by band and by bit.

use super::bits::BitReader;
use super::huffman::HuffmanTable;
use super::marker::NATURAL_ORDER;

/// Which coefficients and which bits of them a scan brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Band {
    /// First and last zigzag position.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Bits already known below the top, 0 for a first scan.
    pub(super) known_bits: u8,
    /// Place of the lowest bit this scan brings.
    pub(super) shift: u8,
}

impl Band {
    /// Whether libjpeg takes such a scan: DC or AC, not both, and bits one at a time.
    pub(super) fn is_valid(self, components: usize) -> bool {
        let positions = if self.first == 0 {
            self.last == 0
        } else {
            self.first <= self.last && self.last < 64 && components == 1
        };
        positions && self.shift <= 13 && (self.known_bits == 0 || self.known_bits == self.shift + 1)
    }

    /// The first AC scan of a band.
    pub(super) fn first_ac(
        self,
        bits: &mut BitReader<'_>,
        table: &HuffmanTable,
        end_of_band_run: &mut u32,
        block: &mut [i16; 64],
    ) {
        if *end_of_band_run > 0 {
            *end_of_band_run -= 1;
            return;
        }
        let mut k = self.first;
        while k <= self.last {
            let symbol = table.decode(bits);
            let (run, size) = (symbol >> 4, u32::from(symbol & 15));
            if size > 0 {
                k += usize::from(run);
                block[usize::from(NATURAL_ORDER[k])] = (bits.take_signed(size) << self.shift) as i16;
            } else if run == 15 {
                k += 15;
            } else {
                *end_of_band_run = run_length(run, bits) - 1;
                return;
            }
            k += 1;
        }
    }

    /// A scan that adds one bit to every coefficient of a band. New coefficients are placed after a run
    /// of positions that are still zero; every known one on the way takes its bit.
    pub(super) fn refine_ac(
        self,
        bits: &mut BitReader<'_>,
        table: &HuffmanTable,
        end_of_band_run: &mut u32,
        block: &mut [i16; 64],
    ) {
        let bit = 1i16 << self.shift;
        let mut k = self.first;
        while k <= self.last && *end_of_band_run == 0 {
            let symbol = table.decode(bits);
            let run = symbol >> 4;
            let new = match symbol & 15 {
                0 if run < 15 => {
                    *end_of_band_run = run_length(run, bits);
                    break;
                }
                0 => 0,
                _ if bits.take(1) == 1 => bit,
                _ => -bit,
            };
            k = self.pass_zeros(k, run, bits, block);
            if new != 0 {
                block[usize::from(NATURAL_ORDER[k])] = new;
            }
            k += 1;
        }
        if *end_of_band_run > 0 {
            for &position in NATURAL_ORDER.get(k..=self.last).unwrap_or(&[]) {
                refine(&mut block[usize::from(position)], bit, bits);
            }
            *end_of_band_run -= 1;
        }
    }

    /// Refines known coefficients from `k` on, up to the zero after `run` zeros; returns its position, or
    /// the one behind the band.
    fn pass_zeros(self, mut k: usize, run: u8, bits: &mut BitReader<'_>, block: &mut [i16; 64]) -> usize {
        let mut zeros_left = run;
        while k <= self.last {
            let coefficient = &mut block[usize::from(NATURAL_ORDER[k])];
            if *coefficient != 0 {
                refine(coefficient, 1 << self.shift, bits);
            } else if zeros_left == 0 {
                break;
            } else {
                zeros_left -= 1;
            }
            k += 1;
        }
        k
    }
}

/// How many blocks, this one included, end here: `2^run` plus `run` further bits.
fn run_length(run: u8, bits: &mut BitReader<'_>) -> u32 {
    (1 << run) + bits.take(u32::from(run))
}

/// Takes the correction bit of a known coefficient; one that has the bit already keeps it.
fn refine(coefficient: &mut i16, bit: i16, bits: &mut BitReader<'_>) {
    if *coefficient != 0 && bits.take(1) == 1 && *coefficient & bit == 0 {
        let away_from_zero = if *coefficient > 0 { bit } else { -bit };
        *coefficient = coefficient.wrapping_add(away_from_zero);
    }
}

#[cfg(test)]
mod tests {
    use super::Band;

    #[test]
    fn bands_are_dc_or_one_component_of_ac() {
        let band = |first, last, known_bits, shift| Band { first, last, known_bits, shift };
        assert!(band(0, 0, 0, 1).is_valid(3));
        assert!(band(1, 63, 2, 1).is_valid(1));
        assert!(!band(1, 63, 0, 0).is_valid(2));
        assert!(!band(0, 5, 0, 0).is_valid(1));
        assert!(!band(1, 64, 0, 0).is_valid(1));
        assert!(!band(5, 4, 0, 0).is_valid(1));
        assert!(!band(1, 5, 3, 1).is_valid(1));
        assert!(!band(1, 5, 0, 14).is_valid(1));
    }
}
