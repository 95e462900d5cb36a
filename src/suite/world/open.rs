//! A world is opened here: which model, which data, and what of the user's takes the place of either's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use candle_core::{DType, Device};

use super::dataset::BenchDataset;
use super::pocket_model::{is_embedded, is_pocket, load_pocket};
use crate::backbone::{Clip, ClipSource, ClipTokenizer, LoadedClip, ModelIdentity, Precision};
use crate::data::export::is_pocket_export;
use crate::data::{Catalog, DataRoot};
use crate::suite::error::SuiteError;
use crate::suite::spec::globals::Globals;

/// Where datasets come from.
#[derive(Clone)]
pub(super) enum Data {
    Pocket,
    Files { catalog: Catalog, kind: &'static str },
}

/// Model and data.
#[derive(Clone)]
pub struct World {
    /// `pocket`, or the model folder's name.
    pub profile: String,
    /// The frozen model.
    pub clip: Arc<Clip>,
    /// Its tokenizer.
    pub tokenizer: ClipTokenizer,
    /// What decides the model's numbers.
    pub identity: ModelIdentity,
    /// The commit of a model in HuggingFace's cache.
    pub revision: Option<String>,
    /// Which profile's changes to a suite apply: `pocket` for the pocket model, wherever it was read from.
    pub settings_profile: &'static str,
    pub(super) data: Data,
    /// `--draws`.
    pub(super) draws_dir: Option<PathBuf>,
    /// Datasets that were asked for, by id: lists are read once, draws computed once. Shared by clones.
    pub(super) opened: Arc<Mutex<BTreeMap<String, Arc<BenchDataset>>>>,
}

impl World {
    /// Opens the world `--data` and `--clip` name; neither means the embedded pocket world.
    ///
    /// # Errors
    /// [`SuiteError::Usage`] for data without a model; what is wrong with a folder otherwise.
    pub fn open(data: Option<&str>, clip: Option<&Path>, device: &Device) -> Result<Self, SuiteError> {
        let loaded = match clip {
            Some(word) if is_embedded(word) => load_pocket()?,
            Some(dir) => ClipSource::open(dir)?.load()?,
            None if data.is_some() => {
                return Err(SuiteError::Usage(
                    "--data needs a model: add --clip MODEL, or to try your folder out --clip pocket, the embedded \
                     one, which knows the pocket pictures and nothing else"
                        .to_owned(),
                ));
            }
            None => load_pocket()?,
        };
        let data = match data {
            None => Data::Pocket,
            Some(value) => {
                let root = DataRoot::parse(value)?;
                let kind = match &root {
                    DataRoot::Coop(dir) if is_pocket_export(dir) => "pocket_files",
                    DataRoot::Coop(_) => "coop",
                    DataRoot::Folder(_) => "folder",
                };
                Data::Files { catalog: Catalog::new(&root)?.keeping(), kind }
            }
        };
        Self::new(loaded, data, device)
    }

    fn new(loaded: LoadedClip, data: Data, device: &Device) -> Result<Self, SuiteError> {
        let tokenizer = loaded.tokenizer()?.clone();
        let settings_profile = if is_pocket(&loaded)? { "pocket" } else { "" };
        let identity = ModelIdentity::new(&loaded.config, &tokenizer, &loaded.weights_sha256);
        let weights = loaded.weights.to(device, DType::F32)?;
        Ok(Self {
            clip: Arc::new(Clip::new(loaded.config.clone(), &weights)?),
            profile: loaded.short_name().to_owned(),
            revision: loaded.revision,
            tokenizer,
            identity,
            settings_profile,
            data,
            draws_dir: None,
            opened: Arc::default(),
        })
    }

    /// The same world whose model rounds products with frozen weights to `precision`.
    ///
    /// # Errors
    /// Whatever candle reports, for example a conversion the device does not know.
    pub fn rounded(self, precision: Precision) -> Result<Self, SuiteError> {
        let clip = self.clip.rounded(precision).map_err(crate::train::TrainError::from)?;
        Ok(Self { clip: Arc::new(clip), ..self })
    }

    /// The same world whose model computes in batches of the sizes set.
    pub(in crate::suite) fn with_sizes(&self, globals: &Globals) -> Self {
        let clip = Clip::clone(&self.clip).with_max_rows(globals.max_rows).with_grid(globals.images);
        Self { clip: Arc::new(clip), ..self.clone() }
    }

    /// Reads the lists of a dataset from a split file of the user's: `ID=FILE`, or `FILE` for the one
    /// dataset of a `folder:` root.
    ///
    /// # Errors
    /// [`SuiteError::Usage`] without `--data`, or where `ID=` is needed and absent.
    pub fn use_split_file(&mut self, value: &str) -> Result<(), SuiteError> {
        let usage = |reason: &str| SuiteError::Usage(format!("--split-file {value}: {reason}"));
        let Data::Files { catalog, .. } = &mut self.data else {
            return Err(usage("needs --data; the pocket datasets have their own lists"));
        };
        let (id, file) = match (value.split_once('='), catalog.ids().as_slice()) {
            (Some((id, file)), _) => (id.to_owned(), file),
            (None, [only]) => ((*only).to_owned(), value),
            (None, _) => return Err(usage("expected ID=FILE, for example oxford_pets=my_split.json")),
        };
        catalog.manifest(&id)?;
        *catalog = catalog.clone().with_split_file(&id, file.into());
        self.opened = Arc::default();
        Ok(())
    }

    /// Takes training draws from `dir/DATASET/shot_K-seed_S.json`; a dataset without a folder there keeps its own.
    ///
    /// # Errors
    /// [`SuiteError::Usage`] where no dataset has one.
    pub fn use_draws(&mut self, dir: &Path) -> Result<(), SuiteError> {
        let known = self.known();
        if !known.iter().any(|id| dir.join(id).is_dir()) {
            return Err(SuiteError::Usage(format!(
                "--draws {}: it holds no folder of a dataset; expected for example imagenet/shot_16-seed_1.json",
                dir.display()
            )));
        }
        self.draws_dir = Some(dir.to_owned());
        self.opened = Arc::default();
        Ok(())
    }
}
