//! From a suite to cells with content keys: the same key means the same numbers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::data::Classes;
use crate::method;
use crate::preprocess::{DECODER, transforms};
use crate::protocol::switches;
use crate::record::Cell;
use crate::suite::error::SuiteError;
use crate::suite::spec::file::{Measure, SuiteFile};
use crate::suite::spec::overrides::{Resolved, Settings, method_id, method_key};
use crate::suite::spec::seeds::Seeds;
use crate::suite::spec::{prompt_files, variants};
use crate::suite::world::{BenchDataset, World};
use crate::train::{Recipe, Views};
use crate::util::hex;

/// Raised only when numbers can change for the same configuration.
pub const NUMERICS_VERSION: u32 = 4;

/// Everything a suite will do, resolved.
pub struct Plan {
    /// The suite, as its profile runs it, with every override.
    pub suite: SuiteFile,
    /// Settings after all overrides.
    pub settings: Settings,
    /// Methods in table order, each with its variants; behind them those with a dataset's own settings.
    pub methods: Vec<Resolved>,
    /// How many of them belong to no dataset.
    general: usize,
    /// By dataset: what takes the place of which general method.
    own_methods: BTreeMap<String, BTreeMap<usize, usize>>,
    /// `--limit`: at most this many test images a class.
    pub limit: Option<u32>,
    /// `--prompts`: the folder prompts are read from.
    pub prompts_dir: Option<PathBuf>,
}

/// Where the parameters of a cell come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The method trains nothing.
    Frozen,
    /// This program trains them.
    Trained,
    /// Nothing is evaluated, so nothing need be trained: measurements take initial values.
    Initial,
    /// The file that another cell of this run writes when it is trained.
    OwnFile,
    /// A file of the prompts folder.
    File(PathBuf),
    /// A file that is not there, and why.
    Missing(String),
}

/// One cell and its keys.
#[derive(Clone, Debug)]
pub struct CellPlan {
    /// Coordinates.
    pub cell: Cell,
    /// Index into [`Plan::methods`].
    pub method: usize,
    /// Where its parameters come from.
    pub origin: Origin,
    /// Settings that the suite gives this dataset alone, with the value its other datasets have.
    pub set_for_dataset: BTreeMap<String, String>,
    /// Key of the training alone; the same training serves many evaluations.
    pub training_key: String,
    /// Key of the whole cell.
    pub key: String,
    /// SHA-256 of the drawn training list, in drawing order.
    pub draw_sha256: Option<String>,
}

/// What the numbers of a training depend on, in a fixed order.
#[derive(Serialize)]
struct TrainingParts<'a> {
    numerics_version: u32,
    config: &'a std::collections::BTreeMap<String, String>,
    switches: &'a std::collections::BTreeMap<String, String>,
    /// What trains it, the defaults that no file states among it.
    recipe: Option<&'a Recipe>,
    /// Configuration, tokenizer and weights.
    model_sha256: &'a str,
    /// What is done to pictures.
    transforms: &'a str,
    dataset: &'a str,
    split_sha256: &'a str,
    class_names: &'a [String],
    /// The sentence that is used.
    template: &'a str,
    /// The sentences of the further wordings that are used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wordings: Vec<&'a str>,
    train_classes: Classes,
    seed: Option<u64>,
    shots: Option<u32>,
    dtype: &'a str,
    device: &'a str,
    decoder: &'a str,
    /// Hash of a published draw; CoOp's own follows from the lists, shots and seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    published_draw: Option<&'a str>,
    /// Images per frozen pass, where fresh views are passed in chunks in item order and not batch by batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    views_grid: Option<usize>,
}

/// What the numbers of a cell depend on besides its training.
#[derive(Serialize)]
struct EvaluationParts<'a> {
    training: &'a str,
    classes: &'a [Classes],
    limit: Option<u32>,
    /// Digest of id, lists, class names and template of each other dataset tested on.
    others: Vec<String>,
    measure: &'a [Measure],
    /// SHA-256 of the prompts' file, `own` for the file of a training of this run.
    prompts: Option<String>,
}

fn digest(parts: &impl Serialize) -> Result<String, SuiteError> {
    let text =
        serde_json::to_string(parts).map_err(|error| SuiteError::Usage(format!("key a cell: {error}")))?;
    Ok(hex(&Sha256::digest(text)))
}

impl Plan {
    /// Resolves methods, variants and settings. `overrides` join the suite's own settings.
    ///
    /// # Errors
    /// An unknown method, or a setting a method refuses.
    pub fn new(
        mut suite: SuiteFile,
        overrides: &[(String, toml::Value)],
        limit: Option<u32>,
    ) -> Result<Self, SuiteError> {
        suite.limit = limit.or(suite.limit);
        suite.methods.iter_mut().for_each(|id| *id = method_id(id).to_owned());
        let from_suite = in_order(&suite.set).map(|(key, value)| (key.as_str(), value.clone()));
        let typed = overrides.iter().map(|(key, value)| (key.as_str(), value.clone()));
        let mut settings = Settings::new(from_suite.chain(typed))?;
        settings.globals.seeds = std::mem::take(&mut settings.globals.seeds).settle(&suite.seeds)?;
        join(&mut suite.set, overrides);
        variants::check(&settings, &suite.sweep)?;
        let mut methods = Vec::new();
        for id in &suite.methods {
            methods.extend(variants::variants(&settings, &suite.sweep, method::find(method_id(id))?.id)?);
        }
        let (limit, general) = (suite.limit, methods.len());
        let own_methods = dataset_methods(&mut suite, &settings, overrides, &mut methods)?;
        Ok(Self { suite, settings, methods, general, own_methods, limit, prompts_dir: None })
    }

    /// Indices of the methods a dataset runs, in table order.
    pub fn methods_of(&self, dataset: &str) -> Vec<usize> {
        let own = self.own_methods.get(dataset);
        (0..self.general).map(|at| own.and_then(|own| own.get(&at)).copied().unwrap_or(at)).collect()
    }

    /// The dataset a method belongs to alone.
    pub fn dataset_of(&self, index: usize) -> Option<&str> {
        let own = self.own_methods.iter().find(|(_, own)| own.values().any(|own| *own == index));
        own.map(|(dataset, _)| dataset.as_str())
    }

    /// Settings in which a dataset's own method departs from the general one, with the general value.
    fn set_for_dataset(&self, dataset: &str, index: usize) -> BTreeMap<String, String> {
        let own = self.own_methods.get(dataset).into_iter().flatten();
        let general =
            own.filter(|(_, own)| **own == index).map(|(general, _)| &self.methods[*general].config);
        let departs =
            |(key, value): &(&String, &String)| self.methods[index].config.get(*key) != Some(*value);
        general
            .flat_map(|config| config.iter().filter(departs))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// Reads the prompts of a suite that takes them from files from this folder.
    ///
    /// # Errors
    /// [`SuiteError::Usage`] for a folder where none is read, and for none where one is needed.
    pub fn with_prompts(mut self, dir: Option<PathBuf>) -> Result<Self, SuiteError> {
        let usage = |text: String| Err(SuiteError::Usage(text));
        let name = &self.suite.name;
        match (&mut self.suite.prompts, dir) {
            (None, Some(_)) => usage(format!("--prompts: suite {name} trains its prompts itself")),
            (Some(files), None) if !files.train_without_folder => usage(format!(
                "suite {name} needs --prompts DIR, a folder of prompt files named {}",
                files.names.join(" or ")
            )),
            (Some(files), Some(dir)) => {
                files.train_without_folder = false;
                Ok(Self { prompts_dir: Some(dir), ..self })
            }
            (_, None) => Ok(self),
        }
    }

    /// What keeps cells together on one machine and one thread: a draw, whose views they share, or all draws of as
    /// many shots where seeds share products.
    pub(in crate::suite) fn unit(&self, cell: &CellPlan) -> (Option<u32>, Option<u64>) {
        (cell.cell.shots, cell.cell.seed.filter(|_| self.settings.globals.seeds == Seeds::Apart))
    }

    /// The coordinates of every cell, without opening a dataset.
    pub fn coordinates(&self, profile: &str) -> Vec<Cell> {
        let suite = &self.suite;
        let mut cells = Vec::new();
        for dataset in &suite.datasets {
            for index in self.methods_of(dataset) {
                let method = &self.methods[index];
                let cell = |draw: Option<(u64, u32)>, from_file: bool| Cell {
                    suite: suite.name.clone(),
                    profile: profile.to_owned(),
                    dataset: dataset.clone(),
                    method: method.id.to_owned(),
                    variant: variant_of(method, from_file),
                    seed: draw.map(|d| d.0),
                    shots: draw.map(|d| d.1),
                    train_classes: suite.train_classes,
                    limit: self.limit,
                };
                if !method.method.draws() {
                    cells.push(cell(None, false));
                    continue;
                }
                for shots in &suite.shots {
                    for seed in &suite.seeds {
                        let kinds: &[bool] = match &suite.prompts {
                            None => &[false],
                            Some(files) if files.train_without_folder => &[false, true],
                            Some(_) => &[true],
                        };
                        cells.extend(kinds.iter().map(|from_file| cell(Some((*seed, *shots)), *from_file)));
                    }
                }
            }
        }
        cells
    }

    /// The cells of one dataset, in table order. `others` are the further datasets tested on.
    ///
    /// # Errors
    /// A prompts file that is there but cannot be read, a published draw that does not fit.
    pub fn cells(
        &self,
        world: &World,
        dataset: &BenchDataset,
        others: &[Arc<BenchDataset>],
    ) -> Result<Vec<CellPlan>, SuiteError> {
        let mut cells = Vec::new();
        let draws = Draws::default();
        for index in self.methods_of(&dataset.id) {
            let method = &self.methods[index];
            if !method.method.draws() {
                cells.push(self.cell((world, dataset, others), index, None, Origin::Frozen)?);
                continue;
            }
            for shots in &self.suite.shots {
                for seed in &self.suite.seeds {
                    for origin in self.origins(&dataset.id, *seed, *shots) {
                        let hash = draws.hash(dataset, *seed, *shots)?;
                        let draw = Some((*seed, *shots, hash));
                        cells.push(self.cell((world, dataset, others), index, draw, origin)?);
                    }
                }
            }
        }
        Ok(cells)
    }

    /// Where the parameters of a trained method come from in this suite, at one draw.
    fn origins(&self, dataset: &str, seed: u64, shots: u32) -> Vec<Origin> {
        if self.suite.evaluate.is_empty() {
            return vec![Origin::Initial];
        }
        match (&self.suite.prompts, &self.prompts_dir) {
            (None, _) => vec![Origin::Trained],
            (Some(_), None) => vec![Origin::Trained, Origin::OwnFile],
            (Some(files), Some(dir)) => vec![match files.find(dir, dataset, seed, shots) {
                Ok(path) => Origin::File(path),
                Err(error) => Origin::Missing(error.to_string()),
            }],
        }
    }

    fn cell(
        &self,
        (world, dataset, others): (&World, &BenchDataset, &[Arc<BenchDataset>]),
        index: usize,
        draw: Option<(u64, u32, String)>,
        origin: Origin,
    ) -> Result<CellPlan, SuiteError> {
        let method = &self.methods[index];
        let (draw, drawn) = draw.map(|(seed, shots, hash)| ((seed, shots), hash)).unzip();
        let training_key = self.training_key(world, dataset, method, draw, drawn.as_deref())?;
        let prompts = match &origin {
            Origin::Frozen | Origin::Trained | Origin::Initial => None,
            Origin::OwnFile => Some("own".to_owned()),
            Origin::File(path) => Some(file_sha256(path)?),
            Origin::Missing(reason) => Some(reason.clone()),
        };
        let variant = variant_of(method, prompts.is_some());
        let identity = |set: &'_ Arc<BenchDataset>| {
            let sentence = method.style.own_sentence(&set.template);
            let wordings = method.style.wordings(&set.id, &set.template);
            let parts = (&set.id, &set.split_sha256, &set.class_names, sentence);
            if wordings.is_empty() { digest(&parts) } else { digest(&(parts, wordings)) }
        };
        let key = digest(&EvaluationParts {
            training: &training_key,
            classes: &self.suite.evaluate,
            limit: self.limit,
            others: others.iter().map(identity).collect::<Result<_, _>>()?,
            measure: &self.suite.measure,
            prompts,
        })?;
        let draw_sha256 = drawn.filter(|_| matches!(origin, Origin::Trained | Origin::OwnFile));
        let cell = Cell {
            suite: self.suite.name.clone(),
            profile: world.profile.clone(),
            dataset: dataset.id.clone(),
            method: method.id.to_owned(),
            variant,
            seed: draw.map(|d| d.0),
            shots: draw.map(|d| d.1),
            train_classes: self.suite.train_classes,
            limit: self.limit,
        };
        let set_for_dataset = self.set_for_dataset(&dataset.id, index);
        Ok(CellPlan { cell, method: index, origin, set_for_dataset, training_key, key, draw_sha256 })
    }

    fn training_key(
        &self,
        world: &World,
        dataset: &BenchDataset,
        method: &Resolved,
        draw: Option<(u64, u32)>,
        draw_sha256: Option<&str>,
    ) -> Result<String, SuiteError> {
        digest(&TrainingParts {
            numerics_version: NUMERICS_VERSION,
            config: &method.config,
            switches: &method.switches,
            recipe: method.recipe.as_ref(),
            model_sha256: &world.identity.sha256(),
            transforms: &transforms(world.clip.config.image_size),
            dataset: &dataset.id,
            split_sha256: &dataset.split_sha256,
            class_names: &dataset.class_names,
            template: method.style.own_sentence(&dataset.template),
            wordings: method.style.wordings(&dataset.id, &dataset.template),
            train_classes: self.suite.train_classes,
            seed: draw.map(|d| d.0),
            shots: draw.map(|d| d.1),
            dtype: world.clip.precision().as_str(),
            device: world.clip.device_kind(),
            decoder: DECODER,
            published_draw: dataset.draw_files.as_ref().and(draw_sha256),
            views_grid: (self.settings.globals.views == Views::Fresh
                && method.method.draws()
                && method.method.needs().only_pooled())
            .then_some(self.settings.globals.images),
        })
    }
}

/// Paths of a training's parameters and of their note, relative to the run directory.
pub(in crate::suite) fn trained_paths(training_key: &str) -> [String; 2] {
    [format!("trained/{training_key}.safetensors"), format!("trained/{training_key}.json")]
}

/// Adds typed settings to a suite's so that the suite alone gives the same again: one name a setting, and what a typed
/// `protocol` or `raw_class_names` decides for all is dropped where the suite said it singly.
fn join(set: &mut BTreeMap<String, toml::Value>, typed: &[(String, toml::Value)]) {
    let whole =
        |key: &str| method_key(key).map_or_else(|| key.to_owned(), |(id, field)| format!("{id}.{field}"));
    *set = std::mem::take(set).into_iter().map(|(key, value)| (whole(&key), value)).collect();
    for (key, value) in typed {
        match (key.as_str(), value.as_str()) {
            ("protocol", Some("published")) => {
                set.retain(|own, _| switches().iter().all(|switch| switch.key != *own));
            }
            ("raw_class_names", _) => set.retain(|own, _| !own.ends_with(".raw_class_names")),
            _ => {}
        }
        set.insert(whole(key), value.clone());
    }
}

/// Hashes of a dataset's draws: methods share them, and a draw of many images takes its time.
#[derive(Default)]
struct Draws(RefCell<BTreeMap<(u64, u32), String>>);

impl Draws {
    fn hash(&self, dataset: &BenchDataset, seed: u64, shots: u32) -> Result<String, SuiteError> {
        if let Some(hash) = self.0.borrow().get(&(seed, shots)) {
            return Ok(hash.clone());
        }
        let hash = draw_hash(dataset, seed, shots)?;
        self.0.borrow_mut().insert((seed, shots), hash.clone());
        Ok(hash)
    }
}

/// Appends the methods that a dataset's own settings change, and says what takes whose place. A setting that was typed
/// holds for every dataset.
fn dataset_methods(
    suite: &mut SuiteFile,
    settings: &Settings,
    typed: &[(String, toml::Value)],
    methods: &mut Vec<Resolved>,
) -> Result<BTreeMap<String, BTreeMap<usize, usize>>, SuiteError> {
    suite.drop_for_datasets(typed.iter().map(|(key, _)| key.as_str()));
    let (general, mut own_methods) = (methods.len(), BTreeMap::new());
    for (dataset, changes) in &suite.dataset {
        let mut own = settings.clone();
        for (key, value) in &changes.set {
            if method_key(key).is_none() {
                let reason = "only settings of a method can be set for one dataset".to_owned();
                return Err(SuiteError::Override { key: key.clone(), value: value.to_string(), reason });
            }
            own = own.with(key, value)?;
        }
        let mut found = Vec::new();
        for id in &suite.methods {
            found.extend(variants::variants(&own, &suite.sweep, method::find(method_id(id))?.id)?);
        }
        if found.len() != general {
            let reason =
                "a sweep and these settings name the same variant twice; sweep other values".to_owned();
            let (key, value) = (format!("dataset.{dataset}.set"), format!("{:?}", changes.set));
            return Err(SuiteError::Override { key, value, reason });
        }
        let mut places = BTreeMap::new();
        for (at, resolved) in found.into_iter().enumerate() {
            if methods[at].config != resolved.config {
                places.insert(at, methods.len());
                methods.push(resolved);
            }
        }
        own_methods.insert(dataset.clone(), places);
    }
    Ok(own_methods)
}

/// The variant's name of a cell.
fn variant_of(method: &Resolved, from_file: bool) -> BTreeMap<String, String> {
    let mut variant = method.variant.clone();
    if from_file {
        variant.insert(prompt_files::VARIANT.to_owned(), prompt_files::FROM_FILE.to_owned());
    }
    variant
}

/// Settings in the order they are applied: those that change several others come first.
pub(in crate::suite) fn in_order(
    set: &BTreeMap<String, toml::Value>,
) -> impl Iterator<Item = (&String, &toml::Value)> {
    let (single, wide): (Vec<_>, Vec<_>) = set.iter().partition(|(key, _)| key.contains('.'));
    let (other, protocol): (Vec<_>, Vec<_>) = wide.into_iter().partition(|(key, _)| *key != "protocol");
    protocol.into_iter().chain(other).chain(single)
}

/// SHA-256 of a prompts file.
fn file_sha256(path: &Path) -> Result<String, SuiteError> {
    let bytes = std::fs::read(path).map_err(|error| SuiteError::Prompts {
        what: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        reason: error.to_string(),
    })?;
    Ok(hex(&Sha256::digest(bytes)))
}

/// SHA-256 over path and label of every drawn item, in drawing order.
fn draw_hash(dataset: &BenchDataset, seed: u64, shots: u32) -> Result<String, SuiteError> {
    let mut hash = Sha256::new();
    for position in dataset.training_draw(shots, seed)? {
        let item = &dataset.split.train[position];
        hash.update(format!("{}\t{}\n", item.path, item.label));
    }
    Ok(hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(texts: &[&str]) -> Vec<(String, toml::Value)> {
        texts.iter().map(|text| Settings::parse_assignment(text).unwrap()).collect()
    }

    /// The suite beside the records must plan the cells that were run.
    #[test]
    fn a_stored_suite_gives_the_settings_that_were_run() {
        for texts in [
            &["protocol=published"] as &[_],
            &["linear_probe.epochs=5"],
            &["rpo.raw_class_names=false", "protocol=published"],
            &["protocol=published", "rpo.raw_class_names=false", "views_bank=3"],
            &["rpo.raw_class_names=false", "raw_class_names=true"],
            &["coop.epochs=7"],
        ] {
            for profile in ["", "pocket"] {
                for name in ["smoke", "base2new"] {
                    let suite = SuiteFile::find(name).unwrap().for_profile(profile);
                    let ran = Plan::new(suite, &typed(texts), None).unwrap();
                    let text = toml::to_string(&ran.suite).unwrap();
                    let again = Plan::new(SuiteFile::parse(name, &text).unwrap(), &[], None).unwrap();
                    assert_eq!(again.methods.len(), ran.methods.len(), "{name} {texts:?}");
                    for (ran, again) in ran.methods.iter().zip(&again.methods) {
                        assert_eq!(ran.config, again.config, "{name} {texts:?}");
                        assert_eq!(ran.switches, again.switches, "{name} {texts:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_dataset_s_own_settings_hold_for_it_alone_and_give_way_to_what_is_typed() {
        let epochs = |plan: &Plan, dataset: &str| -> Vec<String> {
            let coop = plan.methods_of(dataset).into_iter().map(|at| &plan.methods[at]);
            coop.filter(|method| method.id == "coop")
                .map(|method| method.config["coop.epochs"].clone())
                .collect()
        };
        let suite = || SuiteFile::find("base2new").unwrap();
        let plan = Plan::new(suite(), &[], None).unwrap();
        assert_eq!(
            (epochs(&plan, "imagenet"), epochs(&plan, "dtd")),
            (vec!["50".into()], vec!["200".into()])
        );
        let index =
            plan.methods_of("imagenet").into_iter().find(|at| plan.methods[*at].id == "coop").unwrap();
        let elsewhere = plan.set_for_dataset("imagenet", index);
        assert_eq!(elsewhere, BTreeMap::from([("coop.epochs".to_owned(), "200".to_owned())]));
        assert!(plan.set_for_dataset("dtd", 0).is_empty());
        for plan in [
            Plan::new(suite(), &typed(&["coop.epochs=9"]), None).unwrap(),
            Plan::new(suite().for_profile("pocket"), &[], None).unwrap(),
        ] {
            assert_eq!(epochs(&plan, "imagenet"), epochs(&plan, "dtd"));
        }
        let mut wrong = suite();
        let own = wrong.dataset.get_mut("imagenet").unwrap();
        own.set.insert("views_bank".to_owned(), toml::Value::Integer(2));
        let error = Plan::new(wrong, &[], None).err().unwrap().to_string();
        assert!(error.contains("views_bank") && error.contains("one dataset"), "{error}");
    }
}
