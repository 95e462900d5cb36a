//! The model and the data a suite runs on: the embedded pocket world, or the user's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device};

use super::error::SuiteError;
use super::pocket_model::{is_embedded, is_pocket, load_pocket};
use super::spec::globals::Globals;
use crate::backbone::{Clip, ClipSource, ClipTokenizer, LoadedClip, ModelIdentity, Precision};
use crate::data::export::is_pocket_export;
use crate::data::{
    Availability, Catalog, Classes, DataError, DataRoot, DrawFiles, ImageSource, Item, LabelMap, Split,
    embedded, fewshot, lists_sha256,
};
use crate::method::{ClassTexts, PromptStyle};
use crate::pocket::{self, PocketImages};
use crate::util::nearest;

/// A dataset ready to run.
pub struct BenchDataset {
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
    /// Where pixels come from.
    pub source: Box<dyn ImageSource>,
    /// Draws that somebody published, in place of CoOp's own.
    pub draw_files: Option<DrawFiles>,
}

/// One sentence on the classes that have fewer training images than `shots`; none where all have enough.
fn short_note(split: &Split, shots: u32) -> Option<String> {
    let counts = fewshot::class_counts(&split.train);
    let fewest = counts.values().filter(|count| **count < shots as usize).min()?;
    let short = fewshot::short_classes(&split.train, shots);
    Some(format!(
        "{short} of {} classes have fewer than {shots} training images (the smallest {fewest}); all of theirs are used",
        counts.len()
    ))
}

impl BenchDataset {
    /// The map from full to local labels of a half.
    pub fn labels(&self, classes: Classes) -> LabelMap {
        LabelMap::new(classes, 0..self.class_names.len() as u32)
    }

    /// Positions in the training list that a seed draws, in drawing order.
    ///
    /// # Errors
    /// [`DataError::Draw`] for a published draw that does not fit; CoOp's own draw never fails.
    pub fn training_draw(&self, shots: u32, seed: u64) -> Result<Vec<usize>, DataError> {
        match &self.draw_files {
            Some(files) => Ok(files.draw(&self.split, shots, seed)?),
            None => Ok(fewshot::draw(&self.split, shots, seed).train),
        }
    }

    /// Items of a list that belong to a half, with their local labels; at most `limit` a class.
    pub fn of_half<'a>(
        &self,
        items: &'a [Item],
        classes: Classes,
        limit: Option<u32>,
    ) -> Vec<(&'a Item, u32)> {
        let map = self.labels(classes);
        let mut taken = vec![0u32; map.labels().len()];
        let mut kept = Vec::new();
        for local in map.filter(items) {
            let count = &mut taken[local.local_label as usize];
            if limit.is_none_or(|limit| *count < limit) {
                *count += 1;
                kept.push((local.item, local.local_label));
            }
        }
        kept
    }
}

#[derive(Clone)]
enum Data {
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
    data: Data,
    draws_dir: Option<PathBuf>,
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
                Data::Files { catalog: Catalog::new(&root)?, kind }
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
    pub(super) fn with_sizes(&self, globals: &Globals) -> Self {
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
        Ok(())
    }

    /// Token ids of the prompts of a half's classes in this wording, in label order.
    ///
    /// # Errors
    /// [`SuiteError::Tokenizer`] for a prompt that is too long.
    pub fn class_prompts(
        &self,
        dataset: &BenchDataset,
        style: &PromptStyle,
        classes: Classes,
    ) -> Result<Vec<Vec<u32>>, SuiteError> {
        self.each_class(dataset, classes, |name| style.prompt(name, &dataset.template))
    }

    /// The same with the further wordings that the style names.
    ///
    /// # Errors
    /// As [`World::class_prompts`].
    pub fn class_texts(
        &self,
        dataset: &BenchDataset,
        style: &PromptStyle,
        classes: Classes,
    ) -> Result<ClassTexts, SuiteError> {
        let wordings = style.wordings(&dataset.id, &dataset.template);
        let other = |wording: &&str| self.each_class(dataset, classes, |name| style.sentence(wording, name));
        let others = wordings.iter().map(other).collect::<Result<_, _>>()?;
        Ok(ClassTexts { prompts: self.class_prompts(dataset, style, classes)?, others })
    }

    fn each_class(
        &self,
        dataset: &BenchDataset,
        classes: Classes,
        text: impl Fn(&str) -> String,
    ) -> Result<Vec<Vec<u32>>, SuiteError> {
        let prompt = |label: &u32| Ok(self.tokenizer.encode(&text(&dataset.class_names[*label as usize]))?);
        dataset.labels(classes).labels().iter().map(prompt).collect()
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
        Ok(())
    }

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
                let Ok(dataset) = catalog.open(id) else { continue };
                notes.extend(dataset.notes.iter().map(|note| format!("{id}: {note}")));
                let short = shots.iter().filter_map(|shots| short_note(&dataset.split, *shots));
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

    /// Opens one dataset: reads its lists, no image.
    ///
    /// # Errors
    /// [`SuiteError::Data`], or an id the pocket world does not have.
    pub fn dataset(&self, id: &str) -> Result<BenchDataset, SuiteError> {
        match &self.data {
            Data::Pocket => {
                let pocket = pocket::dataset(id).ok_or_else(|| SuiteError::Dataset {
                    id: id.to_owned(),
                    reason: format!(
                        "unknown; did you mean {}?",
                        nearest(id, self.known().iter().map(String::as_str)).unwrap_or_default()
                    ),
                })?;
                let manifest = embedded::manifest(id).map_err(crate::data::DataError::from)?;
                Ok(BenchDataset {
                    id: id.to_owned(),
                    class_names: pocket.class_names,
                    split_sha256: lists_sha256(&pocket.split),
                    split: pocket.split,
                    template: manifest.prompt.template.as_str().to_owned(),
                    source: Box::new(PocketImages),
                    draw_files: self.draw_files(id, id),
                })
            }
            Data::Files { catalog, .. } => {
                let dataset = catalog.open(id)?;
                Ok(BenchDataset {
                    id: id.to_owned(),
                    template: dataset.template().as_str().to_owned(),
                    source: Box::new(dataset.source()),
                    draw_files: self.draw_files(id, dataset.manifest.folder.as_str()),
                    class_names: dataset.class_names,
                    split: dataset.split,
                    split_sha256: dataset.split_sha256,
                })
            }
        }
    }
}
