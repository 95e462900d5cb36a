//! The settings a plan's methods run with, and where they are not the published ones.
//!
//! Published is: the methods' own files, the published column of the switches, and what an embedded suite sets for its
//! experiment. What a profile reduces, a suite file of one's own sets, or somebody types, departs from it.

use std::collections::BTreeMap;

use serde::Serialize;
use toml::Value;

use crate::method;
use crate::suite::error::SuiteError;
use crate::suite::plan::resolve::{Plan, in_order};
use crate::suite::spec::file::{SUITES, SuiteFile};
use crate::suite::spec::overrides::Settings;

/// The settings of one method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MethodSettings {
    /// Method id.
    pub method: String,
    /// Swept settings in which this variant departs from the suite's own.
    pub variant: BTreeMap<String, String>,
    /// The dataset they hold for alone; absent where they hold for all without settings of their own.
    pub dataset: Option<String>,
    /// Every setting in force, dotted names.
    pub settings: BTreeMap<String, String>,
    /// Published values of those that are not the published ones.
    pub published: BTreeMap<String, String>,
    /// What the warm-up leaves of a short training.
    pub caution: Option<String>,
}

/// The settings of every method of a plan.
///
/// # Errors
/// A setting of the embedded suite that its methods refuse.
pub(in crate::suite) fn of(plan: &Plan) -> Result<Vec<MethodSettings>, SuiteError> {
    let general = published(&plan.suite.name, None)?;
    let mut all = Vec::new();
    for (index, resolved) in plan.methods.iter().enumerate() {
        let dataset = plan.dataset_of(index);
        let own;
        let settings = match dataset {
            Some(_) => {
                own = published(&plan.suite.name, dataset)?;
                &own
            }
            None => &general,
        };
        let theirs = settings.resolve(method::find(resolved.id)?)?;
        let theirs: BTreeMap<&String, &String> = theirs.config.iter().chain(&theirs.switches).collect();
        let ours = resolved.config.iter().chain(&resolved.switches);
        let departs =
            |(key, value): &(&String, &String)| theirs.get(*key).is_some_and(|other| other != value);
        all.push(MethodSettings {
            method: resolved.id.to_owned(),
            variant: resolved.variant.clone(),
            dataset: dataset.map(str::to_owned),
            published: ours
                .clone()
                .filter(departs)
                .filter_map(|(key, _)| Some((key.clone(), (*theirs.get(key)?).clone())))
                .collect(),
            settings: ours.map(|(key, value)| (key.clone(), value.clone())).collect(),
            caution: resolved.recipe.as_ref().and_then(|recipe| recipe.caution()),
        });
    }
    Ok(all)
}

/// The published settings of a suite's experiment, for one dataset where it has its own.
fn published(suite: &str, dataset: Option<&str>) -> Result<Settings, SuiteError> {
    let known = SUITES.iter().any(|(name, _)| *name == suite);
    let suite = if known { Some(SuiteFile::find(suite)?).filter(|suite| !suite.reduced) } else { None };
    let word = Value::String("published".to_owned());
    let mut settings = Settings::new([("protocol", word)])?;
    if let Some(suite) = suite {
        for (key, value) in in_order(&suite.set) {
            settings = settings.with(key, value)?;
        }
        for (key, value) in dataset.and_then(|id| suite.dataset.get(id)).into_iter().flat_map(|own| &own.set)
        {
            settings = settings.with(key, value)?;
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(name: &str, profile: &str, typed: &[&str]) -> Plan {
        let typed: Vec<_> = typed.iter().map(|text| Settings::parse_assignment(text).unwrap()).collect();
        Plan::new(SuiteFile::find(name).unwrap().for_profile(profile), &typed, None).unwrap()
    }

    fn departures(plan: &Plan, id: &str) -> Vec<String> {
        let found = of(plan).unwrap().into_iter().find(|each| each.method == id).unwrap();
        found
            .published
            .iter()
            .map(|(key, value)| format!("{key} {} not {value}", found.settings[key]))
            .collect()
    }

    #[test]
    fn the_pocket_profile_s_reductions_are_said_even_under_the_published_protocol() {
        let published = plan("base2new", "pocket", &["protocol=published"]);
        let said = departures(&published, "rpo");
        assert_eq!(said, ["rpo.epochs 6 not 15", "rpo.k 4 not 24"]);
        assert_eq!(departures(&plan("base2new", "", &["protocol=published"]), "rpo"), Vec::<String>::new());
        assert_eq!(departures(&plan("smoke", "pocket", &["protocol=published"]), "rpo").len(), 2);
        let own = departures(&plan("base2new", "", &["rpo.k=8"]), "rpo");
        assert!(
            own.contains(&"rpo.k 8 not 24".to_owned())
                && own.contains(&"views shared not per_method".to_owned())
        );
    }

    #[test]
    fn what_a_suite_sets_for_its_experiment_or_for_one_dataset_is_published() {
        let typed = ["protocol=published"];
        assert_eq!(departures(&plan("domain_generalisation", "", &typed), "rpo"), Vec::<String>::new());
        let all = of(&plan("base2new", "", &typed)).unwrap();
        let imagenet = all.iter().find(|each| each.dataset.is_some()).unwrap();
        assert_eq!((imagenet.method.as_str(), imagenet.dataset.as_deref()), ("coop", Some("imagenet")));
        assert_eq!((imagenet.settings["coop.epochs"].as_str(), imagenet.published.len()), ("50", 0));
        let short = of(&plan("base2new", "", &["rpo.epochs=2"])).unwrap();
        let caution = |id: &str| short.iter().find(|each| each.method == id).unwrap().caution.clone();
        assert!(
            caution("rpo").unwrap().contains("1 of 2 epochs is the warm-up") && caution("coop").is_none()
        );
    }
}
