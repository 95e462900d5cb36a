//! What is done to a picture between its decoding and the model, in words: part of every key.
//!
//! The words are made of the constants themselves, so that a changed constant is another key.

use super::augment::{RATIO, TRIES};
use super::normalize::{MEAN, STD};

/// The training and the test transform of pictures for an input of `side` by `side` pixels, with training crops of at
/// least `crop_scale` of the area.
pub fn transforms(side: usize, crop_scale: f64) -> String {
    let scale = (crop_scale, 1.0);
    format!(
        "train: crop of area {scale:?} and ratio {RATIO:?} in {TRIES} tries, resized to {side}, flip 0.5; test: short \
         side to {side}, central crop; resize: Pillow's 8-bit bicubic, antialiased; mean {MEAN:?}, std {STD:?}"
    )
}

#[cfg(test)]
mod tests {
    use super::transforms;

    #[test]
    fn the_input_size_and_every_constant_are_in_the_words() {
        assert_ne!(transforms(224, 0.08), transforms(336, 0.08));
        assert_ne!(transforms(224, 0.08), transforms(224, 0.5));
        for word in ["0.08", "1.3333", "10 tries", "0.4814", "0.2686", "224"] {
            assert!(transforms(224, 0.08).contains(word), "{word}: {}", transforms(224, 0.08));
        }
    }
}
