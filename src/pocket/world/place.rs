//! Places and weather: their words, their skies, and what weather does to a colour.
//!
//! Owns no landscape: those are drawn in daylight by [`super::landscape`], whose every colour passes
//! through the weather before it is painted.

use super::palette::{Rgb, byte, luma, mix};

/// A kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Sea and sand.
    Beach,
    /// Rows of firs.
    Forest,
    /// Peaks with snow caps.
    Mountain,
    /// A skyline.
    City,
    /// Dunes and cactuses.
    Desert,
    /// Water among hills.
    Lake,
    /// A straight road to the horizon.
    Road,
    /// Crops in rows.
    Farm,
}

/// Light and weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Blue sky and sun.
    Sunny,
    /// Orange sky, low sun.
    Sunset,
    /// Night and a moon.
    Moonlit,
    /// Snow on the ground and in the air.
    Snowy,
    /// Everything pale.
    Foggy,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 8] = [
        Self::Beach,
        Self::Forest,
        Self::Mountain,
        Self::City,
        Self::Desert,
        Self::Lake,
        Self::Road,
        Self::Farm,
    ];

    /// The noun.
    pub fn word(self) -> &'static str {
        match self {
            Self::Beach => "beach",
            Self::Forest => "forest",
            Self::Mountain => "mountain",
            Self::City => "city",
            Self::Desert => "desert",
            Self::Lake => "lake",
            Self::Road => "road",
            Self::Farm => "farm",
        }
    }
}

impl Weather {
    /// Every weather.
    pub const ALL: [Self; 5] = [Self::Sunny, Self::Sunset, Self::Moonlit, Self::Snowy, Self::Foggy];

    /// The adjective.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sunny => "sunny",
            Self::Sunset => "sunset",
            Self::Moonlit => "moonlit",
            Self::Snowy => "snowy",
            Self::Foggy => "foggy",
        }
    }

    /// Sky colours at the top and at the horizon.
    pub(super) fn sky(self) -> [Rgb; 2] {
        match self {
            Self::Sunny => [[84, 156, 232], [190, 222, 246]],
            Self::Sunset => [[150, 84, 140], [252, 168, 84]],
            Self::Moonlit => [[12, 18, 48], [44, 56, 100]],
            Self::Snowy => [[176, 188, 204], [222, 228, 236]],
            Self::Foggy => [[188, 194, 198], [206, 210, 212]],
        }
    }

    /// What the weather makes of a daylight colour.
    pub(super) fn tone(self, rgb: Rgb) -> Rgb {
        match self {
            Self::Sunny => rgb,
            Self::Sunset => scale(rgb, [1.02, 0.68, 0.58]),
            Self::Moonlit => scale(rgb, [0.34, 0.42, 0.62]),
            Self::Snowy => mix(rgb, [240, 244, 250], ((luma(rgb) - 60.0) / 90.0).clamp(0.15, 0.8)),
            Self::Foggy => mix(rgb, [200, 204, 206], 0.55),
        }
    }
}

fn scale(rgb: Rgb, by: [f64; 3]) -> Rgb {
    std::array::from_fn(|c| byte(f64::from(rgb[c]) * by[c]))
}
