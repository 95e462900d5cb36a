//! Seeded random streams, one per purpose, drawn on the host in a fixed order.
//!
//! A stream is keyed by words (`["view", "dtd", "1", "0", "dtd/x.jpg"]`), so what one part draws
//! never shifts what another part sees. ChaCha8 keyed by SHA-256 of the words; the draws use only
//! integer and IEEE basic operations; [`Stream::normal`] takes `ln`, `sin` and `cos` from the `libm` crate, since a
//! platform's own may round differently. So a stream's bytes are the same on every machine.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// A deterministic stream of random numbers.
pub struct Stream {
    rng: ChaCha8Rng,
    spare_normal: Option<f64>,
}

impl Stream {
    /// The stream named by `words`. The words are length-prefixed before hashing, so
    /// `["ab", "c"]` and `["a", "bc"]` are different streams.
    pub fn new(words: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for word in words {
            hash.update((word.len() as u64).to_le_bytes());
            hash.update(word.as_bytes());
        }
        let seed: [u8; 32] = hash.finalize().into();
        Self { rng: ChaCha8Rng::from_seed(seed), spare_normal: None }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Uniform in [0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in [low, high).
    pub fn uniform_in(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform integer in 0..n, without modulo bias. `n` of 0 is taken as 1.
    pub fn below(&mut self, n: u64) -> u64 {
        let n = n.max(1);
        let zone = u64::MAX - u64::MAX % n;
        loop {
            let x = self.bits();
            if x < zone {
                return x % n;
            }
        }
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Standard normal (Box–Muller, both values used).
    pub fn normal(&mut self) -> f64 {
        if let Some(z) = self.spare_normal.take() {
            return z;
        }
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        let angle = std::f64::consts::TAU * self.uniform();
        self.spare_normal = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }

    /// Fisher–Yates shuffle in place.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Stream;

    /// Folded bits of 10 000 normal draws with libm 0.2.
    const GOLDEN_NORMALS: u64 = 0xa27c_2b6f_edaa_cc87;

    #[test]
    fn words_are_separated() {
        assert_ne!(Stream::new(&["ab", "c"]).bits(), Stream::new(&["a", "bc"]).bits());
        assert_eq!(Stream::new(&["ab", "c"]).bits(), Stream::new(&["ab", "c"]).bits());
    }

    /// Bits of the first draws, made once: another machine, or the platform's own functions, must not change them.
    #[test]
    fn normal_draws_are_these_bits_everywhere() {
        let mut s = Stream::new(&["golden"]);
        let digest = (0..10_000).fold(0u64, |hash, _| hash.rotate_left(7) ^ s.normal().to_bits());
        assert_eq!(digest, GOLDEN_NORMALS, "{digest:#x}");
    }

    #[test]
    fn uniform_and_normal_have_their_moments() {
        let mut s = Stream::new(&["test"]);
        let n = 100_000;
        let (mut sum, mut square, mut flat) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = s.normal();
            sum += z;
            square += z * z;
            flat += s.uniform();
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 0.02, "mean {}", sum / n);
        assert!((square / n - 1.0).abs() < 0.02, "variance {}", square / n);
        assert!((flat / n - 0.5).abs() < 0.01, "uniform mean {}", flat / n);
    }

    #[test]
    fn below_covers_its_range_evenly() {
        let mut s = Stream::new(&["below"]);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[s.below(7) as usize] += 1;
        }
        assert!(counts.iter().all(|c| (9_500..10_500).contains(c)), "{counts:?}");
    }
}
