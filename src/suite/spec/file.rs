//! Suite files: which datasets, methods, seeds and shots, what is swept, and what a profile changes.
//!
//! The same struct is read from `suites/NAME.toml` and, resolved, written beside the records as `suite.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::names::method_key;
use super::prompt_files::PromptFiles;
use crate::data::Classes;
use crate::record::Store;
use crate::report::{Deviation, Section};
use crate::suite::error::SuiteError;
use crate::util::mistaken::read_text;

/// The suites in the binary: name and text. A new suite is a file and a line here.
pub const SUITES: &[(&str, &str)] = &[
    ("base2new", include_str!("../../../suites/base2new.toml")),
    ("methods", include_str!("../../../suites/methods.toml")),
    ("all_to_all", include_str!("../../../suites/all_to_all.toml")),
    ("few_shot", include_str!("../../../suites/few_shot.toml")),
    ("variance", include_str!("../../../suites/variance.toml")),
    ("domain_generalisation", include_str!("../../../suites/domain_generalisation.toml")),
    ("cross_dataset", include_str!("../../../suites/cross_dataset.toml")),
    ("open_world", include_str!("../../../suites/open_world.toml")),
    ("ablation", include_str!("../../../suites/ablation.toml")),
    ("representation_shift", include_str!("../../../suites/representation_shift.toml")),
    ("cost", include_str!("../../../suites/cost.toml")),
    ("published", include_str!("../../../suites/published.toml")),
    ("smoke", include_str!("../../../suites/smoke.toml")),
];

/// Name of the resolved suite in a run directory.
const STORED: &str = "suite.toml";

/// Settings to combine: dotted key → values. Every combination of one table is run.
pub type Sweep = BTreeMap<String, Vec<toml::Value>>;

/// What a cell measures besides accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How far trained prompts move the tokens' own features, per tower and layer.
    RepresentationShift,
    /// Multiply-adds, memory and seconds, derived and measured.
    Cost,
}

/// One experiment, as its TOML states it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteFile {
    /// Name, as in `suites/NAME.toml`.
    #[serde(skip)]
    pub name: String,
    /// Title of the report.
    pub title: String,
    /// One paragraph for the report and `list suites`.
    pub description: String,
    /// Dataset ids, in table order. Every method is trained on each of them.
    pub datasets: Vec<String>,
    /// Further datasets that every training is tested on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluate_on: Vec<String>,
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
    /// What is measured besides accuracy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measure: Vec<Measure>,
    /// Parts of the report, in order.
    pub sections: Vec<Section>,
    /// Prompts that are read from files instead of being trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<PromptFiles>,
    /// At most this many test images a class; `--limit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Hyper-parameters this suite changes, dotted keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, toml::Value>,
    /// True where [`SuiteFile::set`] holds reductions, not what was published for this experiment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reduced: bool,
    /// Settings swept; the cells are the union over the tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sweep: Vec<Sweep>,
    /// What holds for one dataset alone, by its id; a profile's or a typed setting of the same name wins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dataset: BTreeMap<String, DatasetChanges>,
    /// Rows of the report's deviations table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<Deviation>,
    /// What a profile changes; `pocket` is the embedded one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profile: BTreeMap<String, ProfileChanges>,
}

/// What holds for one dataset alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetChanges {
    /// Hyper-parameters, dotted keys of methods.
    pub set: BTreeMap<String, toml::Value>,
}

/// Changes for one profile, each a named deviation. Whatever is absent stays as the suite has it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileChanges {
    /// Datasets, where the profile runs others.
    pub datasets: Option<Vec<String>>,
    /// Further datasets tested on.
    pub evaluate_on: Option<Vec<String>>,
    /// Seeds.
    pub seeds: Option<Vec<u64>>,
    /// Training images per class.
    pub shots: Option<Vec<u32>>,
    /// Settings swept.
    pub sweep: Option<Vec<Sweep>>,
    /// Where prompts are read from.
    pub prompts: Option<PromptFiles>,
    /// Hyper-parameters the profile changes, dotted keys.
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    /// Rows of the report's deviations table.
    #[serde(default)]
    pub deviations: Vec<Deviation>,
}

impl SuiteFile {
    /// The suite `name` of [`SUITES`], or a file of one's own where `name` ends in `.toml`.
    ///
    /// # Errors
    /// [`SuiteError::Unknown`], or [`SuiteError::File`] naming line and key.
    pub fn find(name: &str) -> Result<Self, SuiteError> {
        if let Some(stem) = name.strip_suffix(".toml") {
            let stem = Path::new(stem).file_name().unwrap_or_default().to_string_lossy().into_owned();
            /// The embedded suites have two kilobytes.
            const LIMIT: u64 = 1 << 20;
            let fail = |reason: String| SuiteError::File { path: name.to_owned(), reason };
            let text = read_text(Path::new(name), LIMIT).map_err(|error| fail(error.to_string()))?;
            let suite = Self::parse_from(&stem, &text, name)?;
            suite.check(name)?;
            return Ok(suite);
        }
        let text = SUITES.iter().find(|(known, _)| *known == name).ok_or_else(|| SuiteError::Unknown {
            name: name.to_owned(),
            known: SUITES.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", "),
        })?;
        let suite = Self::parse(name, text.1)?;
        suite.check(&format!("suites/{name}.toml"))?;
        Ok(suite)
    }

    /// Parses a suite file.
    ///
    /// # Errors
    /// [`SuiteError::File`] naming line and key, with the keys that exist.
    pub fn parse(name: &str, text: &str) -> Result<Self, SuiteError> {
        Self::parse_from(name, text, &format!("suites/{name}.toml"))
    }

    /// Parses a suite file that was read from `path`, which messages name.
    ///
    /// # Errors
    /// As [`SuiteFile::parse`].
    pub(in crate::suite) fn parse_from(name: &str, text: &str, path: &str) -> Result<Self, SuiteError> {
        let suite: Self = toml::from_str(text)
            .map_err(|error| SuiteError::File { path: path.to_owned(), reason: error.to_string() })?;
        Ok(Self { name: name.to_owned(), ..suite })
    }

    /// The resolved suite that a run left beside its records, if there is one.
    ///
    /// # Errors
    /// [`SuiteError::File`] for one of another version of this program.
    pub fn stored(store: &Store, name: &str) -> Result<Option<Self>, SuiteError> {
        let Ok(bytes) = store.read(STORED) else { return Ok(None) };
        let path = store.dir().join(STORED);
        Self::parse_from(name, &String::from_utf8_lossy(&bytes), &path.display().to_string()).map(Some)
    }

    /// Writes it there, unless it is there already.
    ///
    /// # Errors
    /// [`SuiteError::Store`].
    pub(in crate::suite) fn store(&self, store: &Store) -> Result<(), SuiteError> {
        let text = toml::to_string(self).map_err(|error| SuiteError::File {
            path: format!("{}.toml", self.name),
            reason: error.to_string(),
        })?;
        if store.read(STORED).is_ok_and(|old| old == text.as_bytes()) {
            return Ok(());
        }
        store.write(STORED, text.as_bytes())?;
        Ok(())
    }

    /// The suite as a profile runs it; what other profiles change is dropped.
    #[must_use]
    pub fn for_profile(mut self, profile: &str) -> Self {
        let Some(changes) = std::mem::take(&mut self.profile).remove(profile) else { return self };
        self.datasets = changes.datasets.unwrap_or(self.datasets);
        self.evaluate_on = changes.evaluate_on.unwrap_or(self.evaluate_on);
        self.seeds = changes.seeds.unwrap_or(self.seeds);
        self.shots = changes.shots.unwrap_or(self.shots);
        self.sweep = changes.sweep.unwrap_or(self.sweep);
        self.prompts = changes.prompts.or(self.prompts);
        self.drop_for_datasets(changes.set.keys().map(String::as_str));
        self.set.extend(changes.set);
        self.deviations.extend(changes.deviations);
        self
    }
}

impl SuiteFile {
    /// Whether trainings are tested on classes they have not seen.
    pub(in crate::suite) fn asks_new_classes(&self) -> bool {
        !self.evaluate_on.is_empty() || self.evaluate.iter().any(|classes| *classes != self.train_classes)
    }

    /// Drops what single datasets have of these settings: something stronger says them for all.
    pub(in crate::suite) fn drop_for_datasets<'k>(&mut self, keys: impl Iterator<Item = &'k str>) {
        let whole = |key: &str| method_key(key).map(|(id, field)| format!("{id}.{field}"));
        for key in keys.filter_map(whole) {
            self.dataset.values_mut().for_each(|changes| {
                changes.set.retain(|own, _| whole(own).as_deref() != Some(key.as_str()));
            });
        }
        self.dataset.retain(|_, changes| !changes.set.is_empty());
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
    fn a_resolved_suite_survives_its_file() {
        for (name, _) in SUITES {
            let suite = SuiteFile::find(name).unwrap().for_profile("pocket");
            let text = toml::to_string(&suite).unwrap();
            let again = SuiteFile::parse(name, &text).unwrap();
            assert_eq!(toml::to_string(&again).unwrap(), text, "{name}");
        }
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line() {
        let smoke = SUITES.iter().find(|(name, _)| *name == "smoke").unwrap().1;
        for (right, wrong) in [("title", "titel"), ("\"failures\"", "\"failurs\""), ("\"base\"", "\"basis\"")]
        {
            let error = SuiteFile::parse("x", &smoke.replacen(right, wrong, 1)).unwrap_err().to_string();
            let (key, known) = (wrong.trim_matches('"'), right.trim_matches('"'));
            assert!(error.contains(key) && error.contains(known) && error.contains("line"), "{error}");
        }
    }
}
