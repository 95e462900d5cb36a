//! From `--data` and dataset ids to opened datasets, and what is missing before any work starts.
//!
//! Lists of a large dataset take seconds to read, and a run asks for them from several places: a catalog that keeps what
//! it opened ([`Catalog::keeping`]) reads them once. A catalog never writes under the data root. It enforces no published count: a subset opens;
//! [`data::verify`](crate::data::verify) is where differences are reported.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::dataset::{Dataset, ListCounts, lists_sha256};
use super::manifest::Manifest;
use super::verify::{FileCounts, count_files, misplaced};
use super::{DataError, embedded, layout};

/// What `--data` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataRoot {
    /// `folder:DIR`: one dataset, DIR/train/CLASS/* and DIR/test/CLASS/*.
    Folder(PathBuf),
    /// A CoOp `DATA` root: one folder a dataset.
    Coop(PathBuf),
}

impl DataRoot {
    /// Parses the value of `--data`; the folder must exist.
    ///
    /// # Errors
    /// [`DataError::Root`].
    pub fn parse(value: &str) -> Result<Self, DataError> {
        let (dir, root): (&str, fn(PathBuf) -> Self) = match value.strip_prefix("folder:") {
            Some(dir) => (dir, Self::Folder),
            None => (value, Self::Coop),
        };
        let bad = |reason: &str| Err(DataError::Root { value: value.to_owned(), reason: reason.to_owned() });
        if dir.is_empty() {
            return bad("expected DIR (a CoOp data root) or folder:DIR");
        }
        if !Path::new(dir).is_dir() {
            return bad("there is no such folder");
        }
        Ok(root(PathBuf::from(dir)))
    }

    /// The folder that item paths are relative to.
    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(dir) | Self::Coop(dir) => dir,
        }
    }
}

/// The datasets that a data root may hold.
#[derive(Clone, Debug)]
pub struct Catalog {
    root: PathBuf,
    manifests: Vec<Manifest>,
    split_overrides: BTreeMap<String, PathBuf>,
    /// What was opened, where it is kept; shared by clones.
    opened: Option<Arc<Mutex<BTreeMap<String, Dataset>>>>,
}

/// Whether one dataset can be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Availability {
    /// It opens, with these lengths.
    Ready {
        /// Dataset id.
        id: String,
        /// Lengths of the lists.
        counts: ListCounts,
        /// What a reader of results should be told about this copy.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
        /// Missing and unreadable files, where they were looked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        files: Option<FileCounts>,
    },
    /// Something is not there.
    Missing {
        /// Dataset id.
        id: String,
        /// The missing file or folder, relative to the data root.
        what: String,
        /// Where to get it and where to put it.
        how_to_get: String,
    },
    /// What is there cannot be read.
    Unreadable {
        /// Dataset id.
        id: String,
        /// The error.
        reason: String,
    },
}

impl Catalog {
    /// The embedded manifests over a CoOp root, or the one dataset of a user's folder.
    ///
    /// # Errors
    /// [`DataError`] for a user's folder without a usable name or with a malformed `classes.toml`.
    pub fn new(root: &DataRoot) -> Result<Self, DataError> {
        let manifests = match root {
            DataRoot::Coop(_) => embedded::manifests()?,
            DataRoot::Folder(dir) => vec![layout::folder_manifest(dir)?],
        };
        Ok(Self::with_manifests(root.path().to_owned(), manifests))
    }

    /// A catalog of the given manifests.
    pub fn with_manifests(root: PathBuf, manifests: Vec<Manifest>) -> Self {
        Self { root, manifests, split_overrides: BTreeMap::new(), opened: None }
    }

    /// The same catalog, that reads the lists of a dataset once: what happens to the files afterwards, it does not see.
    #[must_use]
    pub fn keeping(self) -> Self {
        Self { opened: Some(Arc::default()), ..self }
    }

    /// Reads the lists of dataset `id` from the user's `split_json` file instead of its own.
    #[must_use]
    pub fn with_split_file(mut self, id: &str, split_json: PathBuf) -> Self {
        self.split_overrides.insert(id.to_owned(), split_json);
        self.opened = self.opened.map(|_| Arc::default());
        self
    }

    /// The ids, in table order.
    pub fn ids(&self) -> Vec<&str> {
        self.manifests.iter().map(|manifest| manifest.id.as_str()).collect()
    }

    /// The data root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The manifest of a dataset.
    ///
    /// # Errors
    /// [`ManifestError::Unknown`](super::manifest::ManifestError::Unknown) with the nearest ids.
    pub fn manifest(&self, id: &str) -> Result<&Manifest, DataError> {
        let found = self.manifests.iter().find(|manifest| manifest.id.as_str() == id);
        found.ok_or_else(|| embedded::unknown(id, self.ids()).into())
    }

    /// Opens a dataset: reads its lists, no image.
    ///
    /// # Errors
    /// [`DataError`]; what is missing is named with where to get it.
    pub fn open(&self, id: &str) -> Result<Dataset, DataError> {
        let manifest = self.manifest(id)?;
        let Some(opened) = &self.opened else { return self.read(id, manifest) };
        let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dataset) = opened.get(id) {
            return Ok(dataset.clone());
        }
        let dataset = self.read(id, manifest)?;
        opened.insert(id.to_owned(), dataset.clone());
        Ok(dataset)
    }

    fn read(&self, id: &str, manifest: &Manifest) -> Result<Dataset, DataError> {
        let split_override = self.split_overrides.get(id).map(PathBuf::as_path);
        let lists = layout::read_lists(manifest, &self.root, split_override)?;
        Ok(Dataset {
            id: id.to_owned(),
            split_sha256: lists_sha256(&lists.split),
            class_names: lists.class_names,
            split: Arc::new(lists.split),
            root: self.root.clone(),
            split_file_sha256: lists.split_file_sha256,
            manifest: manifest.clone(),
            notes: lists.notes,
        })
    }

    /// Opens all of `ids`, or says what is missing of which and what would run. Of the images only the first few
    /// are looked for, so that a misplaced or renamed copy shows before any work.
    ///
    /// # Errors
    /// [`DataError::SomeUnavailable`] for missing or unreadable data; an unknown id at once.
    pub fn open_all(&self, ids: &[&str]) -> Result<Vec<Dataset>, DataError> {
        let (mut open, mut missing) = (Vec::new(), Vec::new());
        for id in ids {
            match self.open(id) {
                Ok(dataset) => match misplaced(&dataset) {
                    None => open.push(dataset),
                    Some(hint) => {
                        missing.push(format!("open dataset {id}: its images are not there: {hint}"))
                    }
                },
                Err(DataError::Manifest(error)) => return Err(error.into()),
                Err(error) => missing.push(error.to_string()),
            }
        }
        if missing.is_empty() {
            return Ok(open);
        }
        let available = open.into_iter().map(|dataset| dataset.id).collect();
        Err(DataError::SomeUnavailable { missing, available })
    }

    /// Whether each of `ids` can be opened, in their order.
    ///
    /// # Errors
    /// An unknown id.
    pub fn availability(&self, ids: &[&str]) -> Result<Vec<Availability>, DataError> {
        ids.iter().map(|id| self.availability_of(id)).collect()
    }

    /// As [`Catalog::availability`], and every listed file is looked at (its head, no pixel).
    ///
    /// # Errors
    /// An unknown id.
    pub fn availability_of_files(&self, ids: &[&str]) -> Result<Vec<Availability>, DataError> {
        let mut states = self.availability(ids)?;
        for state in &mut states {
            if let Availability::Ready { id, files, .. } = state {
                *files = Some(count_files(&self.open(id)?));
            }
        }
        Ok(states)
    }

    fn availability_of(&self, id: &str) -> Result<Availability, DataError> {
        self.manifest(id)?;
        let id = id.to_owned();
        Ok(match self.open(&id) {
            Ok(dataset) => {
                Availability::Ready { id, counts: dataset.counts(), notes: dataset.notes, files: None }
            }
            Err(DataError::Missing { what, how_to_get, .. }) => {
                Availability::Missing { id, what, how_to_get }
            }
            Err(error) => Availability::Unreadable { id, reason: error.to_string() },
        })
    }
}
