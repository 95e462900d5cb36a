//! From 8-bit RGB to the network's input: scaled to [0, 1], standardised, channels first.
//!
//! It owns CLIP's constants and the order of operations: `x / 255`, minus mean, divided by standard
//! deviation, each rounded to f32, as torchvision's `ToTensor` and `Normalize` do. Folding them into one
//! multiply-add would change last bits.

use super::Rgb8;

/// CLIP's channel means, red, green, blue.
pub const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
/// CLIP's channel standard deviations.
pub const STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// The standardised pixels of `image`, `3 × height × width`, row-major.
pub fn normalize(image: &Rgb8) -> Vec<f32> {
    let table = [0, 1, 2].map(channel_table);
    let pixels = image.data().as_chunks::<3>().0;
    let plane = |channel: usize| {
        let table = &table[channel];
        pixels.iter().map(move |pixel| table[usize::from(pixel[channel])])
    };
    plane(0).chain(plane(1)).chain(plane(2)).collect()
}

/// What each of the 256 byte values becomes in one channel.
fn channel_table(channel: usize) -> [f32; 256] {
    std::array::from_fn(|byte| (byte as f32 / 255.0 - MEAN[channel]) / STD[channel])
}

#[cfg(test)]
mod tests {
    use super::{Rgb8, normalize};

    /// Bits made by torchvision 0.29.2 (torch 2.15.0, CPU): `Normalize(mean, std)(ToTensor()(image))`.
    #[test]
    fn channels_come_first_and_bits_are_torchs() {
        let image = Rgb8::new(2, 1, vec![0, 1, 127, 128, 254, 255]).unwrap();
        let bits: Vec<u32> = normalize(&image).iter().map(|x| x.to_bits()).collect();
        assert_eq!(bits, [0xbfe568dc, 0x3d9c5620, 0xbfde58f1, 0x4003d502, 0x3ea6c5e6, 0x40095660]);
    }
}
