//! Content keys: a hash over everything that a training's, or a cell's, numbers depend on. The same key means the same
//! numbers, wherever and whenever; what cannot change a number (paths, commands, the commit) is in none.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::cell::Origin;
use super::resolve::Plan;
use crate::data::Classes;
use crate::preprocess::{DECODER, transforms};
use crate::suite::error::SuiteError;
use crate::suite::spec::file::Measure;
use crate::suite::spec::overrides::Resolved;
use crate::suite::world::{BenchDataset, World};
use crate::train::{Recipe, Views};
use crate::util::hex;

/// Raised only when numbers can change for the same configuration.
pub const NUMERICS_VERSION: u32 = 5;

/// What the numbers of a training depend on, in a fixed order.
#[derive(Serialize)]
struct TrainingParts<'a> {
    numerics_version: u32,
    config: &'a BTreeMap<String, String>,
    switches: &'a BTreeMap<String, String>,
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
    /// The key of a training; `draw_sha256` is the draw's hash, which counts where the draw is a published one.
    pub(super) fn training_key(
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
            transforms: &transforms(world.clip.config.image_size, method.sampling.crop_scale),
            dataset: &dataset.id,
            split_sha256: &dataset.split_sha256,
            class_names: &dataset.class_names,
            template: method.style.own_sentence(&dataset.id, &dataset.template),
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

    /// The key of a cell: its training's, and all that its own numbers depend on besides. `others` are the further
    /// datasets it is tested on.
    pub(super) fn cell_key(
        &self,
        training: &str,
        method: &Resolved,
        origin: &Origin,
        others: &[Arc<BenchDataset>],
    ) -> Result<String, SuiteError> {
        let prompts = match origin {
            Origin::Frozen | Origin::Trained | Origin::Initial => None,
            Origin::OwnFile => Some("own".to_owned()),
            Origin::File(path) => Some(file_sha256(path)?),
            Origin::Missing(reason) => Some(reason.clone()),
        };
        let identity = |set: &'_ Arc<BenchDataset>| {
            let sentence = method.style.own_sentence(&set.id, &set.template);
            let wordings = method.style.wordings(&set.id, &set.template);
            let parts = (&set.id, &set.split_sha256, &set.class_names, sentence);
            if wordings.is_empty() { digest(&parts) } else { digest(&(parts, wordings)) }
        };
        digest(&EvaluationParts {
            training,
            classes: &self.suite.evaluate,
            limit: self.limit,
            others: others.iter().map(identity).collect::<Result<_, _>>()?,
            measure: &self.suite.measure,
            prompts,
        })
    }
}

/// Paths of a training's parameters and of their note, relative to the run directory.
pub(in crate::suite) fn trained_paths(training_key: &str) -> [String; 2] {
    [format!("trained/{training_key}.safetensors"), format!("trained/{training_key}.json")]
}

/// SHA-256 of a prompts file.
fn file_sha256(path: &Path) -> Result<String, SuiteError> {
    let bytes = std::fs::read(path).map_err(|error| SuiteError::Prompts {
        what: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        reason: error.to_string(),
    })?;
    Ok(hex(&Sha256::digest(bytes)))
}
