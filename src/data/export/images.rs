//! Encodes and writes the images of an export.
//!
//! File names keep the published ending whatever the encoding: like three of the published datasets,
//! a `.jpg` may hold a PNG, and readers decide by content.

use std::path::Path;

use image::ImageEncoder;
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use rayon::prelude::*;

use super::error::ExportError;
use crate::data::{ImageSource, Item};
use crate::preprocess::Rgb8;

/// How exported images are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// JPEG of quality 95; every fortieth file holds a PNG under its JPEG name, as files of OxfordPets, SUN397 and
    /// ImageNet do.
    Published,
    /// Lossless: results on the copy equal results on the original.
    Png,
    /// As most published datasets are, at a quality of 1 to 100.
    Jpeg {
        /// The encoder's quality.
        quality: u8,
    },
}

/// Of so many files one holds a PNG.
const PNG_EVERY: usize = 40;

impl Encoding {
    /// The encoding of the file at a position of its list: PNG or JPEG.
    fn of_file(self, position: usize) -> Self {
        match self {
            Encoding::Published if position % PNG_EVERY == PNG_EVERY - 1 => Encoding::Png,
            Encoding::Published => Encoding::Jpeg { quality: 95 },
            other => other,
        }
    }
}

/// Writes `items` of `images` to the paths of `placed` below `root`; returns the bytes written.
pub(super) fn write(
    images: &dyn ImageSource,
    items: &[Item],
    placed: &[Item],
    root: &Path,
    encoding: Encoding,
) -> Result<u64, ExportError> {
    items
        .par_iter()
        .zip(placed)
        .enumerate()
        .map(|(position, (item, target))| {
            let encoded = encode(&images.image(item)?, encoding.of_file(position))
                .map_err(|reason| ExportError::Encode { path: item.path.clone(), reason })?;
            write_file(root, &target.path, &encoded)
        })
        .sum()
}

/// Writes one file below `root`, making its folders; returns its length.
pub(super) fn write_file(root: &Path, path: &str, bytes: &[u8]) -> Result<u64, ExportError> {
    let full = root.join(path);
    let made = match full.parent() {
        Some(folder) => std::fs::create_dir_all(folder),
        None => Ok(()),
    };
    let failed = |e: std::io::Error| ExportError::Write { file: path.to_owned(), reason: e.to_string() };
    made.and_then(|()| std::fs::write(&full, bytes)).map_err(failed)?;
    Ok(bytes.len() as u64)
}

fn encode(image: &Rgb8, encoding: Encoding) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let side = |n: usize| u32::try_from(n).map_err(|e| format!("side of {n} pixels: {e}"));
    let (width, height) = (side(image.width())?, side(image.height())?);
    let colour = image::ExtendedColorType::Rgb8;
    let written = match encoding {
        Encoding::Png => PngEncoder::new(&mut bytes).write_image(image.data(), width, height, colour),
        Encoding::Published => return encode(image, encoding.of_file(0)),
        Encoding::Jpeg { quality } => JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100))
            .write_image(image.data(), width, height, colour),
    };
    written.map_err(|e| e.to_string())?;
    Ok(bytes)
}
