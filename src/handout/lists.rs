//! The lists of one dataset without a model: of the pocket pictures, or of a data root.

use std::sync::Arc;

use super::error::HandoutError;
use crate::data::{Catalog, Classes, DataError, DataRoot, Item, LabelMap, Split, embedded, lists_sha256};
use crate::pocket;

/// The lists and words of one dataset.
#[derive(Clone, Debug)]
pub struct DatasetLists {
    /// Dataset id.
    pub id: String,
    /// Class names by full label.
    pub class_names: Vec<String>,
    /// The lists.
    pub split: Split,
    /// SHA-256 of the lists in their order.
    pub split_sha256: String,
    /// Hand-written zero-shot template.
    pub template: String,
}

impl DatasetLists {
    /// Opens dataset `id` of `--data`, or of the pocket pictures without one. No image is opened.
    ///
    /// # Errors
    /// [`HandoutError::Unknown`], or what is wrong with the data.
    pub fn open(data: Option<&str>, id: &str) -> Result<Self, HandoutError> {
        if let Some(data) = data {
            let dataset = Catalog::new(&DataRoot::parse(data)?)?.open(id)?;
            return Ok(Self {
                id: id.to_owned(),
                template: dataset.template().as_str().to_owned(),
                class_names: dataset.class_names,
                split: Arc::unwrap_or_clone(dataset.split),
                split_sha256: dataset.split_sha256,
            });
        }
        let unknown = || HandoutError::Unknown { id: id.to_owned(), known: pocket::datasets().join(", ") };
        let dataset = pocket::dataset(id).ok_or_else(unknown)?;
        let manifest = embedded::manifest(id).map_err(DataError::from)?;
        Ok(Self {
            id: id.to_owned(),
            class_names: dataset.class_names,
            split_sha256: lists_sha256(&dataset.split),
            split: dataset.split,
            template: manifest.prompt.template.as_str().to_owned(),
        })
    }

    /// The map from full to local labels of a half.
    pub fn labels(&self, classes: Classes) -> LabelMap {
        LabelMap::new(classes, 0..self.class_names.len() as u32)
    }

    /// Names of the classes of a half, by local label.
    pub fn names(&self, classes: Classes) -> Vec<String> {
        self.labels(classes).labels().iter().map(|label| self.class_names[*label as usize].clone()).collect()
    }

    /// The test images of a half in test order, with their local labels.
    pub fn test(&self, classes: Classes) -> Vec<(&Item, u32)> {
        let map = self.labels(classes);
        map.filter(&self.split.test).into_iter().map(|local| (local.item, local.local_label)).collect()
    }
}
