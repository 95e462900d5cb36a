//! How pictures of one kind look, whatever they show.
//!
//! Owns the knobs and the last steps on finished pixels (light, tint, noise). The values live with
//! the packs and the caption grammar. Lengths are pixels, colours 8-bit levels, angles full turns.

use super::backdrop::Backdrop;
use super::palette::{Colour, byte};
use super::raster::SIDE;
use crate::util::rng::Stream;

/// A range to draw from, low then high.
pub type Range = (f64, f64);

/// How the regions are put on paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// As they are.
    Photo,
    /// With thin dark outlines.
    Drawing,
    /// Dark outlines on white, colours faded to light greys.
    Sketch,
    /// Dark outlines on white, colours faded to tints that can still be told apart.
    Pencil,
    /// Few, strong colours with thick outlines.
    Cartoon,
    /// In square tiles of two pixels.
    Mosaic,
}

/// The look of a pack.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Grounds behind objects.
    pub grounds: &'static [Backdrop],
    /// Colours of those grounds that take one.
    pub ground_colours: &'static [Colour],
    /// How far ground colours are moved towards white (above 0) or black (below 0).
    pub ground_tone: Range,
    /// City-block distance a ground colour must keep from the object's.
    pub ground_distance: u32,
    /// Half of an object's size.
    pub half: Range,
    /// Largest distance of an object's centre from the middle, along each axis.
    pub offset: f64,
    /// Largest turn of an object.
    pub tilt: f64,
    /// Largest sideways shear.
    pub shear: f64,
    /// Number of bits of clutter.
    pub clutter: (u64, u64),
    /// How strong the clutter's colours are, 0 to 1.
    pub clutter_strength: f64,
    /// Finishes, equally likely.
    pub finishes: &'static [Finish],
    /// Length of one repeat of a pattern.
    pub grain: Range,
    /// Largest change of a colour word's levels.
    pub colour_jitter: f64,
    /// Factor of each channel.
    pub tint: [f64; 3],
    /// Factor of the distance from middle grey.
    pub contrast: Range,
    /// Levels added.
    pub brightness: Range,
    /// Largest pixel noise.
    pub noise: Range,
    /// Share of pictures that are blurred.
    pub blur: f64,
}

impl Style {
    /// The look the others are described by their difference from: clear, centred, little noise.
    pub const BASE: Self = Self {
        grounds: &[Backdrop::Plain, Backdrop::Gradient],
        ground_colours: &Colour::ALL,
        ground_tone: (0.2, 0.6),
        ground_distance: 170,
        half: (14.0, 19.0),
        offset: 4.0,
        tilt: 0.04,
        shear: 0.08,
        clutter: (0, 2),
        clutter_strength: 0.5,
        finishes: &[Finish::Photo],
        grain: (5.5, 7.5),
        colour_jitter: 20.0,
        tint: [1.0, 1.0, 1.0],
        contrast: (0.9, 1.08),
        brightness: (-12.0, 12.0),
        noise: (2.0, 10.0),
        blur: 0.1,
    };

    /// The last steps on `SIDE × SIDE × 3` bytes: blur, tint, contrast, brightness, noise.
    pub fn develop(&self, bytes: &mut [u8], blurred: bool, stream: &mut Stream) {
        if blurred {
            blur(bytes);
        }
        let contrast = stream.uniform_in(self.contrast.0, self.contrast.1);
        let brightness = stream.uniform_in(self.brightness.0, self.brightness.1);
        let noise = stream.uniform_in(self.noise.0, self.noise.1);
        let curves = self.tint.map(|tint| {
            let curve: [f64; 256] =
                std::array::from_fn(|level| (level as f64 * tint - 128.0) * contrast + 128.0 + brightness);
            curve
        });
        for quad in bytes.chunks_mut(12) {
            // Two uniform bytes a channel make triangular noise; 16 bits a channel, 4 channels a draw.
            let draws = [stream.bits(), stream.bits(), stream.bits()];
            for (k, channel) in quad.iter_mut().enumerate() {
                let bits = draws[k / 4] >> (16 * (k % 4));
                let swing = (bits & 255) as f64 - (bits >> 8 & 255) as f64;
                *channel = byte(curves[k % 3][usize::from(*channel)] + noise * swing / 255.0);
            }
        }
    }
}

/// Averages every pixel with its four neighbours, itself counted four times.
fn blur(bytes: &mut [u8]) {
    let before = bytes.to_vec();
    let row = SIDE * 3;
    let at = |index: usize| u16::from(before[index]);
    for y in 1..SIDE - 1 {
        let inner = y * row + 3..(y + 1) * row - 3;
        for (k, byte) in inner.clone().zip(&mut bytes[inner]) {
            let sum = 4 * at(k) + at(k - 3) + at(k + 3) + at(k - row) + at(k + row);
            *byte = ((sum + 4) / 8) as u8;
        }
    }
}

/// Gives every square of 2×2 pixels the mean of its colours.
pub(super) fn mosaic(bytes: &mut [u8]) {
    for y in (0..SIDE).step_by(2) {
        for x in (0..SIDE).step_by(2) {
            for c in 0..3 {
                let at =
                    [(y, x), (y, x + 1), (y + 1, x), (y + 1, x + 1)].map(|(y, x)| (y * SIDE + x) * 3 + c);
                let mean = (at.iter().map(|k| u16::from(bytes[*k])).sum::<u16>() + 2) / 4;
                at.iter().for_each(|k| bytes[*k] = mean as u8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neutral_style_changes_nothing() {
        let neutral =
            Style { contrast: (1.0, 1.0), brightness: (0.0, 0.0), noise: (0.0, 0.0), ..Style::BASE };
        let before: Vec<u8> = (0..SIDE * SIDE * 3).map(|k| (k % 251) as u8).collect();
        let mut after = before.clone();
        neutral.develop(&mut after, false, &mut Stream::new(&["neutral"]));
        assert_eq!(before, after);
    }

    #[test]
    fn noise_is_centred() {
        let noisy =
            Style { contrast: (1.0, 1.0), brightness: (0.0, 0.0), noise: (30.0, 30.0), ..Style::BASE };
        let mut bytes = vec![128; SIDE * SIDE * 3];
        noisy.develop(&mut bytes, false, &mut Stream::new(&["noisy"]));
        let mean = bytes.iter().map(|b| f64::from(*b)).sum::<f64>() / bytes.len() as f64;
        assert!((mean - 128.0).abs() < 1.0, "{mean}");
        assert!(bytes.iter().any(|b| *b > 140) && bytes.iter().all(|b| b.abs_diff(128) <= 31));
    }

    #[test]
    fn mosaic_makes_equal_squares() {
        let mut bytes: Vec<u8> = (0..SIDE * SIDE * 3).map(|k| (k * 7 % 255) as u8).collect();
        mosaic(&mut bytes);
        assert_eq!(bytes[..3], bytes[3..6]);
        assert_eq!(bytes[..6], bytes[SIDE * 3..SIDE * 3 + 6]);
    }
}
