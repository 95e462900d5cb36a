//! Small pictures for a report's explorer: of the embedded pictures always, of a data folder where one is named.

use std::cell::RefCell;
use std::collections::BTreeMap;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::data::{Catalog, ImageSource, Item};
use crate::pocket::PocketImages;
use crate::preprocess::resample::resize;
use crate::record::RunRecord;

/// Longer side in pixels.
const SIDE: usize = 84;
const QUALITY: u8 = 72;

/// Where pictures come from.
pub enum Pictures {
    /// Nobody named a folder.
    None,
    /// The embedded world draws them again.
    Pocket,
    /// A data folder; sources are opened when first asked for.
    Files(Catalog, RefCell<BTreeMap<String, Option<Box<dyn ImageSource>>>>),
}

impl Pictures {
    /// The embedded world's where every record is about it, else those of `catalog`.
    pub fn of(records: &[RunRecord], catalog: Option<Catalog>) -> Self {
        let is_pocket = |record: &RunRecord| record.provenance.data_kind == "pocket";
        match catalog {
            _ if records.iter().all(is_pocket) => Self::Pocket,
            Some(catalog) => Self::Files(catalog, RefCell::default()),
            None => Self::None,
        }
    }

    /// A small JPEG of an image; `None` where it cannot be had, since a report does not fail for a picture.
    pub fn thumbnail(&self, dataset: &str, path: &str) -> Option<Vec<u8>> {
        let item = Item { path: path.to_owned(), label: 0 };
        let image = match self {
            Self::None => None,
            Self::Pocket => PocketImages.image(&item).ok(),
            Self::Files(catalog, sources) => {
                let mut sources = sources.borrow_mut();
                let source = sources.entry(dataset.to_owned()).or_insert_with(|| {
                    catalog.open(dataset).ok().map(|opened| Box::new(opened.source()) as Box<dyn ImageSource>)
                });
                source.as_ref().and_then(|source| source.image(&item).ok())
            }
        }?;
        let longer = image.width().max(image.height()).max(SIDE);
        let scaled = |side: usize| (side * SIDE / longer).max(1);
        let small = match longer > SIDE {
            true => resize(&image, scaled(image.width()), scaled(image.height())),
            false => image,
        };
        let size = (u32::try_from(small.width()).ok()?, u32::try_from(small.height()).ok()?);
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        encoder.encode(small.data(), size.0, size.1, ExtendedColorType::Rgb8).ok()?;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_pictures_are_small_and_unknown_ones_none() {
        let world = crate::pocket::dataset("eurosat").unwrap();
        let path = &world.split.test[0].path;
        let bytes = Pictures::Pocket.thumbnail("eurosat", path).unwrap();
        let read = image::load_from_memory(&bytes).unwrap();
        assert!(bytes.len() < 4096 && read.width() <= 84 && read.height() <= 84, "{}", bytes.len());
        assert_eq!(Pictures::Pocket.thumbnail("eurosat", "nowhere"), None);
        assert_eq!(Pictures::None.thumbnail("eurosat", path), None);
    }
}
