//! Swept settings: the variants of a method that a suite runs.
//!
//! A variant is named by what it changes: the suite's own settings have the empty name, so that a cell has the
//! same name whether or not somebody sweeps around it.

use std::collections::BTreeMap;

use toml::Value;

use super::file::Sweep;
use super::names::method_key;
use super::overrides::{Resolved, Settings};
use crate::method;
use crate::suite::error::SuiteError;

/// Checks the sweeps of a suite, whichever methods take part.
///
/// # Errors
/// [`SuiteError::Override`] for a key that is no method's setting, an empty list, or a table over two methods.
pub(in crate::suite) fn check(settings: &Settings, sweeps: &[Sweep]) -> Result<(), SuiteError> {
    for sweep in sweeps {
        let mut owner: Option<&str> = None;
        for (key, values) in sweep {
            let fail = |reason: &str| SuiteError::Override {
                key: key.clone(),
                value: format!("{values:?}"),
                reason: reason.to_owned(),
            };
            let (id, _) = method_key(key).ok_or_else(|| fail("only settings of a method can be swept"))?;
            method::find(id)?;
            if values.is_empty() {
                return Err(fail("a sweep needs at least one value"));
            }
            if owner.replace(id).is_some_and(|other| other != id) {
                return Err(fail("one sweep table concerns one method; use two tables"));
            }
            for value in values {
                settings.with(key, value)?;
            }
        }
    }
    Ok(())
}

/// The variants of one method: the union over the sweeps that concern it, in their order, each once; the
/// method alone when none does.
///
/// # Errors
/// A setting the method refuses.
pub(in crate::suite) fn variants(
    settings: &Settings,
    sweeps: &[Sweep],
    id: &'static str,
) -> Result<Vec<Resolved>, SuiteError> {
    let entry = method::find(id)?;
    let own = settings.resolve(entry)?;
    let concerns = |sweep: &&Sweep| sweep.keys().all(|key| method_key(key).is_some_and(|(m, _)| m == id));
    let mut found: Vec<Resolved> = Vec::new();
    for sweep in sweeps.iter().filter(concerns).filter(|sweep| !sweep.is_empty()) {
        for assignment in combinations(sweep) {
            let mut settings = settings.clone();
            for (key, value) in &assignment {
                settings = settings.with(key, value)?;
            }
            let mut resolved = settings.resolve(entry)?;
            resolved.variant = difference(&own, &resolved);
            if found.iter().all(|other| other.variant != resolved.variant) {
                found.push(resolved);
            }
        }
    }
    Ok(if found.is_empty() { vec![own] } else { found })
}

/// Settings in which `other` departs from `own`.
fn difference(own: &Resolved, other: &Resolved) -> BTreeMap<String, String> {
    let departs = |(key, value): &(&String, &String)| own.config.get(*key) != Some(*value);
    other.config.iter().filter(departs).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Every combination of a table's values; the last key varies fastest.
fn combinations<'a>(sweep: &'a Sweep) -> Vec<Vec<(&'a str, &'a Value)>> {
    let mut all = vec![Vec::new()];
    for (key, values) in sweep {
        let longer = |start: Vec<(&'a str, &'a Value)>| {
            values.iter().map(move |value| [start.as_slice(), &[(key.as_str(), value)]].concat())
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweeps(text: &str) -> Vec<Sweep> {
        #[derive(serde::Deserialize)]
        struct File {
            sweep: Vec<Sweep>,
        }
        toml::from_str::<File>(text).unwrap().sweep
    }

    fn names(text: &str, id: &'static str) -> Vec<String> {
        let settings = Settings::new([]).unwrap();
        let words = |resolved: Resolved| {
            let pairs: Vec<String> = resolved.variant.iter().map(|(k, v)| format!("{k}={v}")).collect();
            pairs.join(" ")
        };
        variants(&settings, &sweeps(text), id).unwrap().into_iter().map(words).collect()
    }

    #[test]
    fn tables_are_combined_and_the_suites_own_settings_come_once() {
        let text = "[[sweep]]\n\"rpo.mask\" = [true, false]\n\"rpo.initialisation\" = [\"special_token\", \"random\"]\n\
                    [[sweep]]\n\"rpo.k\" = [24, 1]\n";
        let expected = [
            "",
            "rpo.mask=false",
            "rpo.initialisation=random",
            "rpo.initialisation=random rpo.mask=false",
            "rpo.k=1",
        ];
        assert_eq!(names(text, "rpo"), expected);
        assert_eq!(names(text, "coop"), [""]);
    }

    #[test]
    fn faults_of_a_sweep_are_named() {
        let settings = Settings::new([]).unwrap();
        for (text, word) in [
            ("\"rpo.kk\" = [1]", "rpo.k?"),
            ("\"rpo.k\" = []", "at least one value"),
            ("\"rpo.k\" = [\"four\"]", "whole number"),
            ("\"views\" = [\"shared\"]", "settings of a method"),
            ("\"rpoo.k\" = [1]", "did you mean rpo?"),
            ("\"rpo.k\" = [1]\n\"coop.epochs\" = [3]", "two tables"),
        ] {
            let error = check(&settings, &sweeps(&format!("[[sweep]]\n{text}"))).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
