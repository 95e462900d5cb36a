//! `parity.json`: which methods a folder has numbers for, with which options and which optimiser.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::check::ParityError;
use crate::method::{Entry, SettingsTable};
use crate::train::{OptimiserName, Recipe, Schedule};

/// The two forms of the file; keys it does not know belong to other programs.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum CaseFile {
    /// Each case says its method, options and optimiser.
    Named { model: String, steps: usize, methods: BTreeMap<String, Named> },
    /// One optimiser and two sizes serve every method; a case is called as its method.
    Common(Common),
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    method: String,
    options: toml::Table,
    optimizer: Option<OptimiserOptions>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Common {
    k: usize,
    n_ctx: usize,
    learning_rate: f64,
    momentum: f64,
    weight_decay: f64,
    steps: usize,
}

#[derive(Debug, Deserialize)]
struct OptimiserOptions {
    name: OptimiserName,
    learning_rate: f64,
    momentum: Option<f64>,
    beta1: Option<f64>,
    beta2: Option<f64>,
    eps: Option<f64>,
    weight_decay: f64,
}

/// Options of golden numbers that belong to the recipe: centre and width of its average.
const AVERAGE_OPTIONS: [&str; 2] = ["gpa_mean", "gpa_std"];

/// One method of a folder as it is to be run.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// The name in front of its tensors.
    pub name: String,
    /// Method id.
    pub method: String,
    /// Settings in place of the defaults; those of [`CaseFile::Common`] only where the method has them.
    options: toml::Table,
    strict: bool,
    /// How it is trained; absent for a case that is not.
    pub recipe: Option<Recipe>,
}

/// A constant rate; the number of epochs is that of the steps, each counted as one.
fn recipe(learning_rate: f64, steps: usize) -> Recipe {
    Recipe { schedule: Schedule::Constant, ..Recipe::common(learning_rate, 1, steps) }
}

impl CaseFile {
    /// The folder with model and inputs, relative to this one.
    pub fn model(&self) -> &str {
        if let Self::Named { model, .. } = self { model } else { "." }
    }

    /// The cases; `names` are those that have tensors.
    pub fn cases(&self, names: &[String]) -> Vec<Case> {
        match self {
            Self::Named { methods, steps, .. } => {
                methods.iter().map(|(name, named)| named.case(name, *steps)).collect()
            }
            Self::Common(common) => names.iter().map(|name| common.case(name)).collect(),
        }
    }
}

impl Named {
    fn case(&self, name: &str, steps: usize) -> Case {
        let mut options = self.options.clone();
        let recipe = self.optimizer.as_ref().map(|given| {
            let plain = recipe(given.learning_rate, steps);
            let mut number = |theirs: &str| options.remove(theirs).and_then(|value| value.as_float());
            let [average_mean, average_std] = AVERAGE_OPTIONS.map(|theirs| number(theirs).unwrap_or(0.0));
            Recipe {
                optimiser: given.name,
                momentum: given.momentum.unwrap_or(plain.momentum),
                beta1: given.beta1.unwrap_or(plain.beta1),
                beta2: given.beta2.unwrap_or(plain.beta2),
                eps: given.eps.unwrap_or(plain.eps),
                weight_decay: given.weight_decay,
                average_mean,
                average_std,
                ..plain
            }
        });
        Case { name: name.to_owned(), method: self.method.clone(), options, strict: true, recipe }
    }
}

impl Common {
    fn case(&self, name: &str) -> Case {
        let integer = |value: usize| toml::Value::Integer(value as i64);
        let sizes = [("k", self.k), ("context_tokens", self.n_ctx)];
        let recipe = Recipe {
            momentum: self.momentum,
            weight_decay: self.weight_decay,
            ..recipe(self.learning_rate, self.steps)
        };
        Case {
            name: name.to_owned(),
            method: name.to_owned(),
            options: sizes.map(|(key, value)| (key.to_owned(), integer(value))).into_iter().collect(),
            strict: false,
            recipe: Some(recipe),
        }
    }
}

impl Case {
    /// The method's own settings: its defaults with the case's options.
    pub fn table(&self, entry: &Entry) -> Result<toml::Table, ParityError> {
        let mut table = SettingsTable::split(entry.default_table()?).own;
        for (key, value) in &self.options {
            match table.get_mut(key) {
                Some(slot) => *slot = value.clone(),
                None if self.strict => {
                    let reason = format!("{}: {} has no setting {key}", self.name, entry.id);
                    return Err(ParityError::read(Path::new("parity.json"), reason));
                }
                None => {}
            }
        }
        Ok(table)
    }
}
