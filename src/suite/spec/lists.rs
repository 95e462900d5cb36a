//! The lists of a suite: what is empty or named twice would train everything and then have nothing to report.

use std::collections::BTreeSet;

use super::file::SuiteFile;
use super::names::method_id;
use crate::suite::error::SuiteError;

impl SuiteFile {
    /// Checks every list, those of the profiles too; `path` names the file in messages.
    ///
    /// # Errors
    /// [`SuiteError::File`] naming the list, and the entry that stands there twice.
    pub fn check(&self, path: &str) -> Result<(), SuiteError> {
        let fail = |reason| Err(SuiteError::File { path: path.to_owned(), reason });
        match self.fault() {
            Some(reason) => fail(reason),
            None => Ok(()),
        }
    }

    fn fault(&self) -> Option<String> {
        let methods: Vec<&str> = self.methods.iter().map(|id| method_id(id)).collect();
        let tested: Vec<&String> = self.datasets.iter().chain(&self.evaluate_on).collect();
        let own = list("datasets", &self.datasets, true)
            .or_else(|| list("methods", &methods, true))
            .or_else(|| list("seeds", &self.seeds, true))
            .or_else(|| list("shots", &self.shots, true))
            .or_else(|| list("evaluate", &self.evaluate, false))
            .or_else(|| list("datasets and evaluate_on together", &tested, true))
            .or_else(|| {
                self.shots.contains(&0).then(|| "shots holds 0; give images a class, from 1 on".to_owned())
            });
        own.or_else(|| {
            self.profile.iter().find_map(|(name, changes)| {
                let of = |key: &str| format!("profile.{name}.{key}");
                let texts = |key: &str, items: &Option<Vec<String>>, some| {
                    items.as_ref().and_then(|items| list(&of(key), items, some))
                };
                texts("datasets", &changes.datasets, true)
                    .or_else(|| texts("evaluate_on", &changes.evaluate_on, false))
                    .or_else(|| changes.seeds.as_ref().and_then(|seeds| list(&of("seeds"), seeds, true)))
                    .or_else(|| changes.shots.as_ref().and_then(|shots| list(&of("shots"), shots, true)))
            })
        })
    }
}

/// What is wrong with a list: it is empty though it must not be, or an entry stands there twice.
fn list<T: Ord + std::fmt::Display>(name: &str, items: &[T], some: bool) -> Option<String> {
    if some && items.is_empty() {
        return Some(format!("{name} is empty; name at least one"));
    }
    let mut seen = BTreeSet::new();
    let twice = items.iter().find(|item| !seen.insert(*item))?;
    Some(format!("{name} names {twice} twice; name it once"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::spec::file::SUITES;

    #[test]
    fn empty_lists_and_repeated_entries_are_named() {
        let smoke = SUITES.iter().find(|(name, _)| *name == "smoke").unwrap().1;
        let check = |text: &str| SuiteFile::parse("x", text).unwrap().check("x.toml");
        assert!(check(smoke).is_ok());
        for (right, wrong, said) in [
            ("seeds = [1]", "seeds = []", "seeds is empty"),
            ("seeds = [1]", "seeds = [2, 1, 2]", "seeds names 2 twice"),
            ("[\"eurosat\", \"dtd\"]", "[\"eurosat\", \"eurosat\"]", "datasets names eurosat twice"),
            ("[\"base\", \"new\"]", "[\"base\", \"base\"]", "evaluate names base twice"),
            ("\"linear_probe\",", "\"linear_probe\", \"lp\",", "methods names linear_probe twice"),
            ("shots = [2]", "shots = [0]", "shots holds 0"),
            ("shots = [2]", "shots = [2]\nevaluate_on = [\"dtd\"]", "together names dtd twice"),
            ("[set]", "[profile.pocket]\nseeds = []\n[set]", "profile.pocket.seeds is empty"),
        ] {
            assert!(smoke.contains(right), "{right}");
            let error = check(&smoke.replacen(right, wrong, 1)).unwrap_err().to_string();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }
}
