//! From a suite to its plan: profile, overrides, sweeps and a dataset's own settings become methods whose settings are
//! all decided. No dataset is opened for it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::method;
use crate::protocol::switches;
use crate::suite::error::SuiteError;
use crate::suite::spec::file::SuiteFile;
use crate::suite::spec::names::{method_id, method_key};
use crate::suite::spec::overrides::{Resolved, Settings};
use crate::suite::spec::variants;

/// Everything a suite will do, resolved.
pub struct Plan {
    /// The suite, as its profile runs it, with every override.
    pub suite: SuiteFile,
    /// Settings after all overrides.
    pub settings: Settings,
    /// Methods in table order, each with its variants; behind them those with a dataset's own settings.
    pub methods: Vec<Resolved>,
    /// How many of them belong to no dataset.
    pub(super) general: usize,
    /// By dataset: what takes the place of which general method.
    pub(super) own_methods: BTreeMap<String, BTreeMap<usize, usize>>,
    /// `--limit`: at most this many test images a class.
    pub limit: Option<u32>,
    /// `--prompts`: the folder prompts are read from.
    pub prompts_dir: Option<PathBuf>,
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
    pub(super) fn set_for_dataset(&self, dataset: &str, index: usize) -> BTreeMap<String, String> {
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

/// Settings in the order they are applied: those that change several others come first.
pub(in crate::suite) fn in_order(
    set: &BTreeMap<String, toml::Value>,
) -> impl Iterator<Item = (&String, &toml::Value)> {
    let (single, wide): (Vec<_>, Vec<_>) = set.iter().partition(|(key, _)| key.contains('.'));
    let (other, protocol): (Vec<_>, Vec<_>) = wide.into_iter().partition(|(key, _)| *key != "protocol");
    protocol.into_iter().chain(other).chain(single)
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
