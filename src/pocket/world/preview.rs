//! Contact sheets: what the pocket world looks like, for people.
//!
//! Owns the layout of large sheets to look at and of small ones to keep beside the weights. Sheets show
//! test items; nothing is trained or measured on them.

use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::dataset::{PocketDataset, PocketImages, dataset, datasets};
use super::font::{ADVANCE, HEIGHT, glyph};
use super::grammar::PretrainSource;
use super::raster::SIDE;
use crate::data::{ImageSource, Item, PixelError};
use crate::preprocess::Rgb8;

/// Why a preview could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PocketError {
    /// No dataset has this id.
    #[error("find pocket dataset {id:?}: choose one of {}", datasets().join(", "))]
    UnknownDataset {
        /// What was asked for.
        id: String,
    },
    /// An item could not be drawn.
    #[error("draw a preview")]
    Pixels(#[from] PixelError),
    /// The folder could not be made.
    #[error("create preview folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A sheet could not be written.
    #[error("write preview {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the encoder said.
        source: ImageError,
    },
}

/// How much a sheet shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Magnification of the pictures.
    zoom: usize,
    /// Pictures of a class.
    samples: usize,
    /// Classes beside each other.
    columns: usize,
    /// Bits kept of each channel.
    bits: u32,
}

impl Sheet {
    /// Six pictures of each class at twice their size.
    pub const LARGE: Self = Self { zoom: 2, samples: 6, columns: 2, bits: 8 };
    /// Two pictures of each class in 4 bits a channel: noise compresses badly.
    pub const SMALL: Self = Self { zoom: 1, samples: 2, columns: 5, bits: 4 };

    fn tile(self) -> usize {
        SIDE * self.zoom
    }

    fn page(self, width: usize, height: usize) -> Page {
        Page { width, height, zoom: self.zoom, bits: self.bits, bytes: vec![255; width * height * 3] }
    }
}

/// Space between things.
const GAP: usize = 6;
/// Width of a caption beside its picture, in characters.
const CAPTION: usize = 36;
/// Pretraining pairs on their sheet.
const PAIRS: u64 = 48;

/// Test pictures of each class with the class names: width, height and RGB bytes.
///
/// # Errors
/// [`PocketError::UnknownDataset`] for an id that is not one of [`datasets`].
pub fn contact_sheet(id: &str, sheet: Sheet) -> Result<(usize, usize, Vec<u8>), PocketError> {
    let set = dataset(id).ok_or_else(|| PocketError::UnknownDataset { id: id.into() })?;
    let rows = set.class_names.len().div_ceil(sheet.columns);
    let tile = sheet.tile();
    let name_width = set.class_names.iter().map(|name| name.len() * ADVANCE).max().unwrap_or(0);
    let cell_width = (sheet.samples * (tile + 2)).max(name_width) + 2 * GAP;
    let cell_height = tile + 2 * HEIGHT + GAP;
    let mut page = sheet.page(sheet.columns * cell_width, rows * cell_height + GAP);
    for (label, name) in set.class_names.iter().enumerate() {
        let (left, top) = (label / rows * cell_width + GAP, label % rows * cell_height + GAP);
        page.text(left, top, name);
        for (k, item) in samples(&set, label).take(sheet.samples).enumerate() {
            page.tile(left + k * (tile + 2), top + HEIGHT + 4, &PocketImages.image(item)?);
        }
    }
    Ok((page.width, page.height, page.bytes))
}

fn samples(set: &PocketDataset, label: usize) -> impl Iterator<Item = &Item> {
    set.split.test.iter().filter(move |item| item.label as usize == label)
}

/// A sheet of pretraining pairs, pictures with their captions: width, height and RGB bytes.
pub fn pretrain_sheet(source: &PretrainSource) -> (usize, usize, Vec<u8>) {
    const COLUMNS: usize = 3;
    let tile = Sheet::LARGE.tile();
    let cell_width = tile + CAPTION * ADVANCE + 3 * GAP;
    let rows = (PAIRS as usize).div_ceil(COLUMNS);
    let mut page = Sheet::LARGE.page(COLUMNS * cell_width, rows * (tile + GAP) + GAP);
    for (k, index) in (0..PAIRS).enumerate() {
        let (image, caption) = source.pair(index);
        let (left, top) = (k % COLUMNS * cell_width + GAP, k / COLUMNS * (tile + GAP) + GAP);
        page.tile(left, top, &image);
        for (row, line) in wrap(&caption).iter().enumerate() {
            page.text(left + tile + GAP, top + 8 + row * (HEIGHT + 4), line);
        }
    }
    (page.width, page.height, page.bytes)
}

/// Writes one PNG a dataset into `dir`, which is made if absent; with the large ones, another of
/// pretraining pairs.
///
/// # Errors
/// [`PocketError::Folder`] or [`PocketError::Write`] naming what could not be written.
pub fn write_previews(dir: &Path, sheet: Sheet) -> Result<Vec<PathBuf>, PocketError> {
    let failed = |source| PocketError::Folder { path: dir.into(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let mut paths = Vec::new();
    for id in datasets() {
        paths.push(write(dir, id, contact_sheet(id, sheet)?)?);
    }
    if sheet == Sheet::LARGE {
        paths.push(write(dir, "pretrain", pretrain_sheet(&PretrainSource::new(0)))?);
    }
    Ok(paths)
}

fn write(
    dir: &Path,
    name: &str,
    (width, height, bytes): (usize, usize, Vec<u8>),
) -> Result<PathBuf, PocketError> {
    let path = dir.join(format!("{name}.png"));
    let mut png = Vec::new();
    // Filters predict a pixel from its neighbours; noise cannot be predicted.
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::NoFilter);
    let encoded = encoder.write_image(&bytes, width as u32, height as u32, ExtendedColorType::Rgb8);
    match encoded.and_then(|()| std::fs::write(&path, &png).map_err(ImageError::IoError)) {
        Ok(()) => Ok(path),
        Err(source) => Err(PocketError::Write { path, source }),
    }
}

/// The level in `bits` bits that is nearest to `level`, spread over 0..=255 again.
fn coarse(level: u8, bits: u32) -> u8 {
    let top = (1u32 << bits) - 1;
    let step = (u32::from(level) * top + 127) / 255;
    (step * 255 / top) as u8
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= CAPTION => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

/// A white page.
struct Page {
    width: usize,
    height: usize,
    zoom: usize,
    bits: u32,
    bytes: Vec<u8>,
}

impl Page {
    fn dot(&mut self, x: usize, y: usize, rgb: &[u8]) {
        if x < self.width && y < self.height {
            let at = (y * self.width + x) * 3;
            self.bytes[at..at + 3].copy_from_slice(rgb);
        }
    }

    fn tile(&mut self, left: usize, top: usize, image: &Rgb8) {
        let zoom = self.zoom;
        for y in 0..image.height() * zoom {
            for x in 0..image.width() * zoom {
                let at = (y / zoom * image.width() + x / zoom) * 3;
                let rgb = [at, at + 1, at + 2].map(|k| coarse(image.data()[k], self.bits));
                self.dot(left + x, top + y, &rgb);
            }
        }
    }

    fn text(&mut self, left: usize, top: usize, text: &str) {
        for (k, character) in text.chars().enumerate() {
            for (y, row) in glyph(character).into_iter().enumerate() {
                for x in (0..5).filter(|x| row >> (4 - x) & 1 == 1) {
                    self.dot(left + k * ADVANCE + x, top + y, &[20, 20, 24]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_have_the_size_they_say() {
        for sheet in [Sheet::LARGE, Sheet::SMALL] {
            let (width, height, bytes) = contact_sheet("eurosat", sheet).unwrap();
            assert_eq!(bytes.len(), width * height * 3);
            assert!(bytes.iter().any(|byte| *byte < 40), "labels are dark");
        }
    }

    #[test]
    fn fewer_bits_keep_both_ends_and_the_order() {
        let levels = || (0..=255u8).map(|level| coarse(level, 4));
        assert_eq!((coarse(0, 4), coarse(255, 4)), (0, 255));
        assert!(levels().zip(levels().skip(1)).all(|(a, b)| a <= b));
        assert!((0..=255u8).all(|level| coarse(level, 8) == level && coarse(level, 4).abs_diff(level) <= 9));
    }

    #[test]
    fn an_unknown_dataset_is_refused_with_the_choices() {
        let error = contact_sheet("mnist", Sheet::LARGE).unwrap_err();
        assert!(error.to_string().contains("\"mnist\": choose one of imagenet, caltech101"));
    }

    #[test]
    fn captions_wrap_between_words() {
        let lines = wrap("a photo of a red striped kite on a green checkered background.");
        assert!(lines.len() == 2 && lines.iter().all(|line| line.len() <= CAPTION), "{lines:?}");
    }
}
