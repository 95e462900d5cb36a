//! CPython's `random.Random`, bit for bit: MT19937 seeded from an integer, and the draws built on it.
//!
//! It owns the generator only; what is drawn from it is [`super::fewshot`]'s business. Everything but
//! few-shot draws uses [`crate::util::rng::Stream`]. Easy to get wrong: `sample` runs one of two algorithms,
//! and which one depends on the population's and the sample's size (Lib/random.py, Python 3.11).

use std::collections::BTreeSet;

use rand_mt::Mt;

/// A `random.Random` after `seed(n)` for a non-negative integer `n`.
///
/// ```
/// use rpo_bench::data::PyRandom;
/// // >>> random.seed(1); random.sample(range(1000), 3)
/// let population: Vec<u32> = (0..1000).collect();
/// assert_eq!(PyRandom::from_u64(1).sample(&population, 3), Some(vec![137, 582, 867]));
/// ```
#[derive(Clone, Debug)]
pub struct PyRandom {
    twister: Mt,
}

/// Why a decimal seed was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// No digit at all.
    #[error("read seed: it is empty, expected decimal digits")]
    Empty,
    /// Something other than the digits 0 to 9; signs, spaces and underscores are refused too.
    #[error("read seed: {found:?} at character {position}, expected decimal digits only")]
    NotADigit {
        /// The offending character.
        found: char,
        /// Its position in characters, from 0.
        position: usize,
    },
}

impl PyRandom {
    /// `random.Random(seed)`. Zero is a seed like any other.
    pub fn from_u64(seed: u64) -> Self {
        let (low, high) = (seed as u32, (seed >> 32) as u32);
        let words = [low, high];
        Self::from_words(if high == 0 { &words[..1] } else { &words })
    }

    /// `random.Random(int(digits))` for an integer of any length; time grows with the square of it.
    ///
    /// # Errors
    /// [`SeedError`] unless `digits` is one or more of the digits 0 to 9.
    pub fn from_decimal(digits: &str) -> Result<Self, SeedError> {
        let mut words = vec![0u32];
        for (position, found) in digits.chars().enumerate() {
            let digit = found.to_digit(10).ok_or(SeedError::NotADigit { found, position })?;
            let mut carry = u64::from(digit);
            for word in &mut words {
                carry += u64::from(*word) * 10;
                *word = carry as u32;
                carry >>= 32;
            }
            if carry > 0 {
                words.push(carry as u32);
            }
        }
        if digits.is_empty() { Err(SeedError::Empty) } else { Ok(Self::from_words(&words)) }
    }

    /// CPython's `random_seed`: the integer's 32-bit words, least significant first and without
    /// leading zero words (zero is one zero word), are the key of `init_by_array`.
    fn from_words(words: &[u32]) -> Self {
        Self { twister: Mt::new_with_key(words.iter().copied()) }
    }

    /// `getrandbits(bits)` for up to 64 bits; `None` above, which nothing here needs.
    pub fn getrandbits(&mut self, bits: u32) -> Option<u64> {
        (bits <= 64).then(|| self.bits(bits))
    }

    /// The low word is drawn first, whole; the last word drawn is shifted down to the bits left over.
    fn bits(&mut self, bits: u32) -> u64 {
        let mut word = |bits: u32| u64::from(self.twister.next_u32() >> (32 - bits));
        match bits {
            0 => 0,
            1..=32 => word(bits),
            _ => word(32) | word(bits - 32) << 32,
        }
    }

    /// `random()`: uniform in [0, 1) with 53 bits.
    pub fn random(&mut self) -> f64 {
        let high = f64::from(self.twister.next_u32() >> 5);
        let low = f64::from(self.twister.next_u32() >> 6);
        (high * 67_108_864.0 + low) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// `_randbelow(n)`: uniform in 0..n by rejection; 0 for n = 0, drawing nothing.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let bits = u64::BITS - n.leading_zeros();
        loop {
            let drawn = self.bits(bits);
            if drawn < n {
                return drawn;
            }
        }
    }

    /// An index below `n`, which is at least 1 wherever this is called.
    fn index_below(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }

    /// `sample(items, k)`: `k` items without replacement, in drawing order; `None` if there are fewer
    /// than `k`, where Python raises `ValueError`.
    pub fn sample<T: Clone>(&mut self, items: &[T], k: usize) -> Option<Vec<T>> {
        if k > items.len() {
            return None;
        }
        Some(if items.len() <= set_size(k) {
            self.sample_by_pool(items, k)
        } else {
            self.sample_by_set(items, k)
        })
    }

    /// `choices(items, k=k)`: `k` items with replacement; none of none, where Python raises `IndexError`.
    pub fn choices<T: Clone>(&mut self, items: &[T], k: usize) -> Vec<T> {
        if items.is_empty() {
            return Vec::new();
        }
        (0..k).map(|_| items[(self.random() * items.len() as f64) as usize].clone()).collect()
    }

    /// Small populations: each drawn item is replaced in a copy by the last one not yet drawn.
    fn sample_by_pool<T: Clone>(&mut self, items: &[T], k: usize) -> Vec<T> {
        let mut pool = items.to_vec();
        (0..k).map(|_| pool.swap_remove(self.index_below(pool.len()))).collect()
    }

    /// Large populations: positions already drawn are drawn again.
    fn sample_by_set<T: Clone>(&mut self, items: &[T], k: usize) -> Vec<T> {
        let mut selected = BTreeSet::new();
        let mut drawn = Vec::with_capacity(k);
        while drawn.len() < k {
            let position = self.index_below(items.len());
            if selected.insert(position) {
                drawn.push(items[position].clone());
            }
        }
        drawn
    }

    /// `shuffle(items)`, in place.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index_below(last + 1));
        }
    }
}

/// The largest population that `sample` copies: 21, plus for k > 5 the least power of four that is at
/// least 3k. Python takes the power from a floating-point logarithm; the two agree up to k = 2^40.
fn set_size(k: usize) -> usize {
    let mut table = 1usize;
    if k > 5 {
        while table < k.saturating_mul(3) {
            table = table.saturating_mul(4);
        }
        table.saturating_add(21)
    } else {
        21
    }
}

#[cfg(test)]
mod tests {
    use super::{PyRandom, SeedError, set_size};

    #[test]
    fn the_branch_limit_is_pythons() {
        // >>> [21 + (4 ** ceil(log(k * 3, 4)) if k > 5 else 0) for k in (0, 5, 6, 21, 22, 85, 86)]
        let limits = [0, 5, 6, 21, 22, 85, 86].map(set_size);
        assert_eq!(limits, [21, 21, 85, 85, 277, 277, 1045]);
    }

    #[test]
    fn decimal_and_machine_seeds_are_the_same_seed() {
        for seed in [0, 1, 4_294_967_295, 4_294_967_296, u64::MAX] {
            let mut by_digits = PyRandom::from_decimal(&format!("00{seed}")).unwrap();
            let mut by_value = PyRandom::from_u64(seed);
            assert!((0..700).all(|_| by_digits.getrandbits(32) == by_value.getrandbits(32)), "{seed}");
        }
    }

    #[test]
    fn other_seeds_are_refused() {
        assert_eq!(PyRandom::from_decimal("").unwrap_err(), SeedError::Empty);
        let minus = SeedError::NotADigit { found: '-', position: 0 };
        assert_eq!(PyRandom::from_decimal("-1").unwrap_err(), minus);
        let arabic = SeedError::NotADigit { found: '٣', position: 1 };
        assert_eq!(PyRandom::from_decimal("1٣").unwrap_err(), arabic);
    }

    #[test]
    fn sizes_at_the_edge() {
        let mut random = PyRandom::from_u64(7);
        assert_eq!(random.getrandbits(65), None);
        assert_eq!(random.getrandbits(0), Some(0));
        assert_eq!(random.sample(&[1, 2], 3), None);
        assert_eq!(random.sample(&[0u8; 0], 0), Some(vec![]));
        assert_eq!(random.below(0), 0);
    }
}
