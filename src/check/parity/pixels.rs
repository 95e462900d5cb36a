//! Decoding, resizing, cropping and flipping against Pillow's and torchvision's bytes.

use std::path::Path;

use serde::Deserialize;

use super::check::{Check, ParityError, ParityReport};
use crate::preprocess::{CropBox, Rgb8, decode, test_transform, train_transform};

/// `pixels/cases.json`.
#[derive(Deserialize)]
pub(super) struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Case {
    /// Short side to `size`, centre crop.
    Test { source: String, size: usize, expected: String },
    /// `crop` = [top, left, height, width] to `size`², then `flip`.
    Train { source: String, size: usize, crop: [usize; 4], flip: bool, expected: String },
    /// To RGB.
    Decode { source: String, expected: String },
}

/// Checks every case for equality of every byte; the difference shown is in 8-bit levels.
pub(super) fn check_pixels(dir: &Path, cases: &Cases, report: &mut ParityReport) -> Result<(), ParityError> {
    let image = |name: &str| -> Result<Rgb8, ParityError> {
        let path = dir.join(name);
        let bytes = std::fs::read(&path).map_err(|error| ParityError::read(&path, error))?;
        decode(&bytes).map_err(|error| ParityError::read(&path, error))
    };
    for case in &cases.cases {
        let (ours, expected) = match case {
            Case::Test { source, size, expected } => (test_transform(&image(source)?, *size), expected),
            Case::Train { source, size, crop: [top, left, height, width], flip, expected } => {
                let crop = CropBox { top: *top, left: *left, height: *height, width: *width };
                let cut = train_transform(&image(source)?, crop, *flip, *size);
                (cut.map_err(|error| ParityError::read(&dir.join(source), error))?, expected)
            }
            Case::Decode { source, expected } => (image(source)?, expected),
        };
        let levels =
            |image: &Rgb8| -> Vec<f64> { image.data().iter().map(|byte| f64::from(*byte)).collect() };
        let golden = image(expected)?;
        report.checks.push(Check::numbers(
            &format!("pixels.{expected}"),
            &levels(&ours),
            &levels(&golden),
            |_| 0.0,
        ));
    }
    Ok(())
}
