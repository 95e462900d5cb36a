//! The colour words and what they look like.
//!
//! Owns the eleven words the captions and class names use. A word is a region, not a point: the
//! renderer jitters the colour given here, each style by its own amount.

use crate::util::rng::Stream;

/// An sRGB colour, 8 bits a channel.
pub type Rgb = [u8; 3];

/// A colour word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Red.
    Red,
    /// Orange.
    Orange,
    /// Yellow.
    Yellow,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Purple.
    Purple,
    /// Pink.
    Pink,
    /// Brown.
    Brown,
    /// Black.
    Black,
    /// White.
    White,
    /// Grey.
    Grey,
}

impl Colour {
    /// Every colour word.
    pub const ALL: [Self; 11] = [
        Self::Red,
        Self::Orange,
        Self::Yellow,
        Self::Green,
        Self::Blue,
        Self::Purple,
        Self::Pink,
        Self::Brown,
        Self::Black,
        Self::White,
        Self::Grey,
    ];

    /// The word itself.
    pub fn word(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Yellow => "yellow",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Purple => "purple",
            Self::Pink => "pink",
            Self::Brown => "brown",
            Self::Black => "black",
            Self::White => "white",
            Self::Grey => "grey",
        }
    }

    /// The middle of the region the word names.
    pub fn rgb(self) -> Rgb {
        match self {
            Self::Red => [208, 38, 40],
            Self::Orange => [240, 134, 28],
            Self::Yellow => [244, 212, 46],
            Self::Green => [48, 150, 62],
            Self::Blue => [42, 92, 204],
            Self::Purple => [124, 56, 168],
            Self::Pink => [240, 140, 180],
            Self::Brown => [126, 78, 42],
            Self::Black => [34, 34, 40],
            Self::White => [242, 242, 240],
            Self::Grey => [134, 138, 144],
        }
    }
}

/// The colour a fraction `t` of the way from `a` to `b`.
#[inline(always)]
pub fn mix(a: Rgb, b: Rgb, t: f64) -> Rgb {
    let at = |c: usize| byte(f64::from(a[c]) + (f64::from(b[c]) - f64::from(a[c])) * t);
    [at(0), at(1), at(2)]
}

/// Each channel moved by its own uniform draw of at most `amount` levels.
pub fn jitter(rgb: Rgb, amount: f64, stream: &mut Stream) -> Rgb {
    rgb.map(|c| byte(f64::from(c) + stream.uniform_in(-amount, amount)))
}

/// Perceived lightness, 0 to 255 (the ITU-R 601 weights).
pub fn luma(rgb: Rgb) -> f64 {
    0.299 * f64::from(rgb[0]) + 0.587 * f64::from(rgb[1]) + 0.114 * f64::from(rgb[2])
}

/// City-block distance between two colours, 0 to 765.
pub fn distance(a: Rgb, b: Rgb) -> u32 {
    (0..3).map(|c| u32::from(a[c].abs_diff(b[c]))).sum()
}

/// A colour that shows up on `rgb`: near black on light colours, near white on dark ones.
pub fn opposite(rgb: Rgb) -> Rgb {
    if luma(rgb) > 150.0 { [44, 44, 54] } else { [244, 242, 234] }
}

/// The nearest channel value, halves up, held inside 0..=255.
#[inline(always)]
pub fn byte(value: f64) -> u8 {
    (value + 0.5).clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lie_apart() {
        for a in Colour::ALL {
            for b in Colour::ALL.into_iter().filter(|b| *b != a) {
                assert!(distance(a.rgb(), b.rgb()) > 60, "{} and {}", a.word(), b.word());
            }
        }
    }

    #[test]
    fn mixing_reaches_both_ends() {
        let (a, b) = (Colour::Red.rgb(), Colour::Blue.rgb());
        assert_eq!(mix(a, b, 0.0), a);
        assert_eq!(mix(a, b, 1.0), b);
    }
}
