//! From a suite to cells with content keys: the same key means the same numbers.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::SuiteError;
use super::file::SuiteFile;
use super::overrides::{Resolved, Settings};
use super::provenance::NUMERICS_VERSION;
use super::world::{BenchDataset, World};
use crate::data::Classes;
use crate::method;
use crate::preprocess::DECODER;
use crate::record::{Cell, hex};

/// Everything a suite will do, resolved.
pub struct Plan {
    /// The suite, as its profile runs it.
    pub suite: SuiteFile,
    /// Settings after all overrides.
    pub settings: Settings,
    /// Methods in table order.
    pub methods: Vec<Resolved>,
    /// `--limit`: at most this many test images a class.
    pub limit: Option<u32>,
}

/// One cell and its keys.
#[derive(Clone, Debug)]
pub struct CellPlan {
    /// Coordinates.
    pub cell: Cell,
    /// Index into [`Plan::methods`].
    pub method: usize,
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
    weights_sha256: &'a str,
    dataset: &'a str,
    split_sha256: &'a str,
    class_names: &'a [String],
    template: &'a str,
    train_classes: Classes,
    seed: Option<u64>,
    shots: Option<u32>,
    dtype: &'a str,
    device: &'a str,
    decoder: &'a str,
    /// Hash of a published draw; CoOp's own follows from the lists, shots and seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    published_draw: Option<&'a str>,
}

fn digest(parts: &impl Serialize) -> Result<String, SuiteError> {
    let text =
        serde_json::to_string(parts).map_err(|error| SuiteError::Usage(format!("key a cell: {error}")))?;
    Ok(hex(&Sha256::digest(text)))
}

impl Plan {
    /// Resolves methods and settings.
    ///
    /// # Errors
    /// An unknown method, or a setting a method refuses.
    pub fn new(
        suite: SuiteFile,
        overrides: &[(String, toml::Value)],
        limit: Option<u32>,
    ) -> Result<Self, SuiteError> {
        let from_suite = suite.set.iter().map(|(key, value)| (key.as_str(), value.clone()));
        let typed = overrides.iter().map(|(key, value)| (key.as_str(), value.clone()));
        let settings = Settings::new(from_suite.chain(typed))?;
        let methods = suite
            .methods
            .iter()
            .map(|id| settings.resolve(method::find(id)?))
            .collect::<Result<Vec<_>, SuiteError>>()?;
        Ok(Self { suite, settings, methods, limit })
    }

    /// The cells of one dataset, in table order.
    ///
    /// # Errors
    /// A published draw that does not fit.
    pub fn cells(&self, world: &World, dataset: &BenchDataset) -> Result<Vec<CellPlan>, SuiteError> {
        let mut cells = Vec::new();
        for (index, method) in self.methods.iter().enumerate() {
            if method.recipe.is_none() {
                cells.push(self.cell(world, dataset, index, None)?);
                continue;
            }
            for shots in &self.suite.shots {
                for seed in &self.suite.seeds {
                    cells.push(self.cell(world, dataset, index, Some((*seed, *shots)))?);
                }
            }
        }
        Ok(cells)
    }

    fn cell(
        &self,
        world: &World,
        dataset: &BenchDataset,
        index: usize,
        draw: Option<(u64, u32)>,
    ) -> Result<CellPlan, SuiteError> {
        let method = &self.methods[index];
        let (seed, shots) = (draw.map(|d| d.0), draw.map(|d| d.1));
        let drawn = draw.map(|(seed, shots)| draw_hash(dataset, seed, shots));
        let draw_sha256 = drawn.transpose()?;
        let training_key = digest(&TrainingParts {
            numerics_version: NUMERICS_VERSION,
            config: &method.config,
            switches: &method.switches,
            weights_sha256: &world.weights_sha256,
            dataset: &dataset.id,
            split_sha256: &dataset.split_sha256,
            class_names: &dataset.class_names,
            template: &dataset.template,
            train_classes: self.suite.train_classes,
            seed,
            shots,
            dtype: "f32",
            device: if world.clip.device().is_cpu() { "cpu" } else { "cuda" },
            decoder: DECODER,
            published_draw: dataset.draw_files.as_ref().and(draw_sha256.as_deref()),
        })?;
        let key = digest(&(&training_key, &self.suite.evaluate, self.limit))?;
        let cell = Cell {
            suite: self.suite.name.clone(),
            profile: world.profile.clone(),
            dataset: dataset.id.clone(),
            method: method.id.to_owned(),
            variant: Default::default(),
            seed,
            shots,
            train_classes: self.suite.train_classes,
            limit: self.limit,
        };
        Ok(CellPlan { cell, method: index, training_key, key, draw_sha256 })
    }
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
