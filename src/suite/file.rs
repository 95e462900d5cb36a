//! Suite files: which datasets, methods, seeds and shots, and what a profile changes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::SuiteError;
use crate::data::Classes;
use crate::report::{Deviation, Section};

/// The suites in the binary: name and text. A new suite is a file and a line here.
pub const SUITES: &[(&str, &str)] = &[
    ("base2new", include_str!("../../suites/base2new.toml")),
    ("smoke", include_str!("../../suites/smoke.toml")),
];

/// One experiment, as its TOML states it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteFile {
    /// Name, as in `suites/NAME.toml`.
    #[serde(skip)]
    pub name: String,
    /// Title of the report.
    pub title: String,
    /// One paragraph for the report and `list suites`.
    pub description: String,
    /// Dataset ids, in table order.
    pub datasets: Vec<String>,
    /// Method ids, in table order.
    pub methods: Vec<String>,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Training images per class.
    pub shots: Vec<u32>,
    /// Classes trained on.
    pub train_classes: Classes,
    /// Class halves tested on, each among its own classes only.
    pub evaluate: Vec<Classes>,
    /// Parts of the report, in order.
    pub sections: Vec<Section>,
    /// Hyper-parameters this suite changes, dotted keys.
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    /// What a profile changes; `pocket` is the embedded one.
    #[serde(default)]
    pub profile: BTreeMap<String, ProfileChanges>,
}

/// Changes for one profile, each a named deviation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileChanges {
    /// Datasets, where the profile runs fewer.
    pub datasets: Option<Vec<String>>,
    /// Seeds, where the profile runs fewer.
    pub seeds: Option<Vec<u64>>,
    /// Hyper-parameters the profile changes, dotted keys.
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    /// Rows of the report's deviations table.
    #[serde(default)]
    pub deviations: Vec<Deviation>,
}

impl SuiteFile {
    /// The suite `name` of [`SUITES`].
    ///
    /// # Errors
    /// [`SuiteError::Unknown`], or [`SuiteError::File`] naming the key.
    pub fn find(name: &str) -> Result<Self, SuiteError> {
        let text = SUITES.iter().find(|(known, _)| *known == name).ok_or_else(|| SuiteError::Unknown {
            name: name.to_owned(),
            known: SUITES.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", "),
        })?;
        Self::parse(name, text.1)
    }

    /// Parses a suite file.
    ///
    /// # Errors
    /// [`SuiteError::File`] naming the key.
    pub fn parse(name: &str, text: &str) -> Result<Self, SuiteError> {
        let suite: Self = toml::from_str(text)
            .map_err(|error| SuiteError::File { name: name.to_owned(), reason: error.to_string() })?;
        Ok(Self { name: name.to_owned(), ..suite })
    }

    /// The suite as a profile runs it.
    #[must_use]
    pub fn for_profile(mut self, profile: &str) -> (Self, Vec<Deviation>) {
        let Some(changes) = self.profile.get(profile).cloned() else { return (self, Vec::new()) };
        self.datasets = changes.datasets.unwrap_or(self.datasets);
        self.seeds = changes.seeds.unwrap_or(self.seeds);
        self.set.extend(changes.set);
        (self, changes.deviations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_suite_parses() {
        for (name, _) in SUITES {
            let suite = SuiteFile::find(name).unwrap();
            assert!(!suite.datasets.is_empty() && !suite.methods.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_misspelt_key_is_named() {
        let error = SuiteFile::parse("x", "titel = \"x\"").unwrap_err().to_string();
        assert!(error.contains("titel"), "{error}");
    }
}
