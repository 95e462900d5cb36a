//! The datasets of a world: which there are, which can be opened, and the opened ones, whose lists are read once.

use std::sync::{Arc, PoisonError};

use super::dataset::BenchDataset;
use super::open::{Data, World};
use crate::data::{Availability, DataError, DrawFiles, embedded, lists_sha256};
use crate::pocket::{self, PocketImages};
use crate::suite::error::SuiteError;
use crate::util::nearest;

impl World {
    fn draw_files(&self, id: &str, folder: &str) -> Option<DrawFiles> {
        self.draws_dir.as_deref().and_then(|dir| DrawFiles::find(dir, id, folder))
    }

    /// `pocket`, `pocket_files` (an export of it), `coop` or `folder`.
    pub fn data_kind(&self) -> &'static str {
        match &self.data {
            Data::Pocket => "pocket",
            Data::Files { kind, .. } => kind,
        }
    }

    /// The one dataset of a `folder:` root, which replaces a suite's own list.
    pub fn own_datasets(&self) -> Option<Vec<String>> {
        match &self.data {
            Data::Files { catalog, kind: "folder" } => {
                Some(catalog.ids().into_iter().map(str::to_owned).collect())
            }
            _ => None,
        }
    }

    /// Ids this world can name.
    pub fn known(&self) -> Vec<String> {
        match &self.data {
            Data::Pocket => pocket::datasets().into_iter().map(str::to_owned).collect(),
            Data::Files { catalog, .. } => catalog.ids().into_iter().map(str::to_owned).collect(),
        }
    }

    /// Checks that every dataset can be opened, before any work is done.
    ///
    /// # Errors
    /// [`SuiteError::Data`] listing what is missing and what would run.
    pub fn check(&self, ids: &[String]) -> Result<(), SuiteError> {
        if let Data::Files { catalog, .. } = &self.data {
            catalog.open_all(&ids.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// What a reader of results should be told about these copies of the data: skipped files, other class names,
    /// classes with fewer training images than one of `shots`. A dataset that cannot be opened says nothing here.
    ///
    /// # Errors
    /// An unknown id.
    pub fn notes(&self, ids: &[String], shots: &[u32]) -> Result<Vec<String>, SuiteError> {
        let mut notes = Vec::new();
        if let Data::Files { catalog, .. } = &self.data {
            for id in ids {
                catalog.manifest(id)?;
                let Ok(dataset) = self.dataset(id) else { continue };
                notes.extend(dataset.notes.iter().map(|note| format!("{id}: {note}")));
                let short = shots.iter().filter_map(|shots| dataset.short_note(*shots));
                notes.extend(short.map(|note| format!("{id}: {note}")));
            }
        }
        Ok(notes)
    }

    /// The datasets among `ids` that can be opened, and one line on each of the others.
    ///
    /// # Errors
    /// An unknown id.
    pub fn available(&self, ids: &[String]) -> Result<(Vec<String>, Vec<String>), SuiteError> {
        let (mut ready, mut missing) = (Vec::new(), Vec::new());
        let Data::Files { catalog, .. } = &self.data else { return Ok((ids.to_vec(), missing)) };
        let names: Vec<&str> = ids.iter().map(String::as_str).collect();
        for state in catalog.availability(&names)? {
            match state {
                Availability::Ready { id, .. } => ready.push(id),
                Availability::Missing { id, what, .. } => missing.push(format!("{id}: {what} is missing")),
                Availability::Unreadable { id, reason } => missing.push(format!("{id}: {reason}")),
            }
        }
        Ok((ready, missing))
    }

    /// A dataset, opened when it is first asked for: reads its lists, no image.
    ///
    /// # Errors
    /// [`SuiteError::Data`], or an id the pocket world does not have.
    pub fn dataset(&self, id: &str) -> Result<Arc<BenchDataset>, SuiteError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dataset) = opened.get(id) {
            return Ok(Arc::clone(dataset));
        }
        let dataset = Arc::new(self.read(id)?);
        opened.insert(id.to_owned(), Arc::clone(&dataset));
        Ok(dataset)
    }

    /// The datasets of these ids, in their order.
    ///
    /// # Errors
    /// As [`World::dataset`].
    pub(in crate::suite) fn datasets(&self, ids: &[String]) -> Result<Vec<Arc<BenchDataset>>, SuiteError> {
        ids.iter().map(|id| self.dataset(id)).collect()
    }

    fn read(&self, id: &str) -> Result<BenchDataset, SuiteError> {
        match &self.data {
            Data::Pocket => {
                let pocket = pocket::dataset(id).ok_or_else(|| SuiteError::Dataset {
                    id: id.to_owned(),
                    reason: format!(
                        "unknown; did you mean {}?",
                        nearest(id, self.known().iter().map(String::as_str)).unwrap_or_default()
                    ),
                })?;
                let manifest = embedded::manifest(id).map_err(DataError::from)?;
                Ok(BenchDataset {
                    id: id.to_owned(),
                    class_names: pocket.class_names,
                    split_sha256: lists_sha256(&pocket.split),
                    split: Arc::new(pocket.split),
                    template: manifest.prompt.template.as_str().to_owned(),
                    source: Arc::new(PocketImages),
                    draw_files: self.draw_files(id, id),
                    notes: Vec::new(),
                    draws: Arc::default(),
                })
            }
            Data::Files { catalog, .. } => {
                let dataset = catalog.open(id)?;
                Ok(BenchDataset {
                    id: id.to_owned(),
                    template: dataset.template().as_str().to_owned(),
                    source: Arc::new(dataset.source()),
                    draw_files: self.draw_files(id, dataset.manifest.folder.as_str()),
                    class_names: dataset.class_names,
                    split: dataset.split,
                    split_sha256: dataset.split_sha256,
                    notes: dataset.notes,
                    draws: Arc::default(),
                })
            }
        }
    }
}
