//! Contact sheets: what the pocket world looks like, for people.
//!
//! Owns the layout: two columns, one class a row, pictures at twice their size. Sheets show test
//! items; nothing is trained or measured on them.

use std::path::{Path, PathBuf};

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
        source: image::ImageError,
    },
}

/// Magnification of the pictures.
const ZOOM: usize = 2;
/// Side of a magnified picture.
const TILE: usize = SIDE * ZOOM;
/// Space between things.
const GAP: usize = 6;
/// Pictures of a class.
const SAMPLES: usize = 6;
/// Width of a caption beside its picture, in characters.
const CAPTION: usize = 36;
/// Pretraining pairs on their sheet.
const PAIRS: u64 = 48;

/// A sheet of `SAMPLES` test pictures of each class with the class names: width, height and RGB bytes.
///
/// # Errors
/// [`PocketError::UnknownDataset`] for an id that is not one of [`datasets`].
pub fn contact_sheet(id: &str) -> Result<(usize, usize, Vec<u8>), PocketError> {
    let set = dataset(id).ok_or_else(|| PocketError::UnknownDataset { id: id.into() })?;
    let rows = set.class_names.len().div_ceil(2);
    let (cell_width, cell_height) = (SAMPLES * (TILE + 2) + 2 * GAP, TILE + 2 * HEIGHT + GAP);
    let mut page = Page::new(2 * cell_width, rows * cell_height + GAP);
    for (label, name) in set.class_names.iter().enumerate() {
        let (left, top) = (label / rows * cell_width + GAP, label % rows * cell_height + GAP);
        page.text(left, top, name);
        for (k, item) in samples(&set, label).enumerate() {
            page.tile(left + k * (TILE + 2), top + HEIGHT + 4, &PocketImages.image(item)?);
        }
    }
    Ok((page.width, page.height, page.bytes))
}

fn samples(set: &PocketDataset, label: usize) -> impl Iterator<Item = &Item> {
    set.split.test.iter().filter(move |item| item.label as usize == label).take(SAMPLES)
}

/// A sheet of pretraining pairs, pictures with their captions: width, height and RGB bytes.
pub fn pretrain_sheet(source: &PretrainSource) -> (usize, usize, Vec<u8>) {
    const COLUMNS: usize = 3;
    let cell_width = TILE + CAPTION * ADVANCE + 3 * GAP;
    let rows = (PAIRS as usize).div_ceil(COLUMNS);
    let mut page = Page::new(COLUMNS * cell_width, rows * (TILE + GAP) + GAP);
    for (k, index) in (0..PAIRS).enumerate() {
        let (image, caption) = source.pair(index);
        let (left, top) = (k % COLUMNS * cell_width + GAP, k / COLUMNS * (TILE + GAP) + GAP);
        page.tile(left, top, &image);
        for (row, line) in wrap(&caption).iter().enumerate() {
            page.text(left + TILE + GAP, top + 8 + row * (HEIGHT + 4), line);
        }
    }
    (page.width, page.height, page.bytes)
}

/// Writes one PNG a dataset, and one of pretraining pairs, into `dir`, which is made if absent.
///
/// # Errors
/// [`PocketError::Folder`] or [`PocketError::Write`] naming what could not be written.
pub fn write_previews(dir: &Path) -> Result<Vec<PathBuf>, PocketError> {
    let failed = |source| PocketError::Folder { path: dir.into(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let mut paths = Vec::new();
    for id in datasets() {
        paths.push(write(dir, id, contact_sheet(id)?)?);
    }
    paths.push(write(dir, "pretrain", pretrain_sheet(&PretrainSource::new(0)))?);
    Ok(paths)
}

fn write(
    dir: &Path,
    name: &str,
    (width, height, bytes): (usize, usize, Vec<u8>),
) -> Result<PathBuf, PocketError> {
    let path = dir.join(format!("{name}.png"));
    let saved = image::save_buffer(&path, &bytes, width as u32, height as u32, image::ColorType::Rgb8);
    match saved {
        Ok(()) => Ok(path),
        Err(source) => Err(PocketError::Write { path, source }),
    }
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
    bytes: Vec<u8>,
}

impl Page {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, bytes: vec![255; width * height * 3] }
    }

    fn dot(&mut self, x: usize, y: usize, rgb: &[u8]) {
        if x < self.width && y < self.height {
            let at = (y * self.width + x) * 3;
            self.bytes[at..at + 3].copy_from_slice(rgb);
        }
    }

    fn tile(&mut self, left: usize, top: usize, image: &Rgb8) {
        for y in 0..image.height() * ZOOM {
            for x in 0..image.width() * ZOOM {
                let at = (y / ZOOM * image.width() + x / ZOOM) * 3;
                self.dot(left + x, top + y, &image.data()[at..at + 3]);
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
        let (width, height, bytes) = contact_sheet("eurosat").unwrap();
        assert_eq!(bytes.len(), width * height * 3);
        assert!(bytes.iter().any(|byte| *byte < 40), "labels are dark");
    }

    #[test]
    fn an_unknown_dataset_is_refused_with_the_choices() {
        let error = contact_sheet("mnist").unwrap_err();
        assert!(error.to_string().contains("\"mnist\": choose one of imagenet, caltech101"));
    }

    #[test]
    fn captions_wrap_between_words() {
        let lines = wrap("a photo of a red striped kite on a green checkered background.");
        assert!(lines.len() == 2 && lines.iter().all(|line| line.len() <= CAPTION), "{lines:?}");
    }
}
