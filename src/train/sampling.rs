//! Which images a method draws, and how its training views are cut: data, as its recipe is.

use serde::Deserialize;

use super::error::TrainError;
use crate::data::DrawRule;
use crate::preprocess::CROP_SCALE;

/// Which images a method draws from the lists, and how its training views are cut. Methods that say nothing share draws
/// and views.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sampling {
    /// The rule of the draw; published lists take its place.
    pub draw: DrawRule,
    /// The least share of an image's area that a crop covers, above 0 and up to 1.
    pub crop_scale: f64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { draw: DrawRule::Coop, crop_scale: CROP_SCALE }
    }
}

impl Sampling {
    /// What tells it from others, in an order.
    pub fn key(self) -> (DrawRule, u64) {
        (self.draw, self.crop_scale.to_bits())
    }

    /// Refuses what cuts no view.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] naming the key and its value.
    pub fn check(self, method: &str) -> Result<Self, TrainError> {
        if self.crop_scale > 0.0 && self.crop_scale <= 1.0 {
            return Ok(self);
        }
        let reason = format!("crop_scale is {}: expected a number above 0 and up to 1", self.crop_scale);
        Err(TrainError::Recipe { method: method.to_owned(), reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_covers_some_of_an_image_and_no_more_than_all_of_it() {
        let of = |crop_scale| Sampling { crop_scale, ..Sampling::default() }.check("m");
        assert!(of(0.5).is_ok() && of(1.0).is_ok());
        for wrong in [0.0, -0.1, 1.01, f64::NAN] {
            let said = of(wrong).unwrap_err().to_string();
            assert!(said.contains("crop_scale"), "{said}");
        }
    }
}
