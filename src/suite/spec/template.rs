//! A suite file to begin with: every key explained, lists of known words filled in from the types that read them.

use std::collections::BTreeSet;

use super::file::{SUITES, SuiteFile};
use crate::data::embedded;
use crate::method::REGISTRY;
use crate::suite::error::SuiteError;

const TEMPLATE: &str = include_str!("template.toml");
/// What no suite file says: the reader answers with what it knows.
const NO_WORD: &str = "?";
/// Columns of a comment.
const WIDTH: usize = 110;

/// The words that the reader of suite files expects where this text has none of them, in its order.
pub(super) fn expected(text: &str) -> Vec<String> {
    let Err(error) = toml::from_str::<SuiteFile>(text) else { return Vec::new() };
    let (_, known) = error.message().split_once("expected").unwrap_or_default();
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The text of a suite file called `name`.
///
/// # Errors
/// [`SuiteError::Usage`] for a name that no file and no run folder should have, or that is a suite's already.
pub fn new_suite(name: &str) -> Result<String, SuiteError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let usage = |reason: &str| Err(SuiteError::Usage(format!("make suite {name:?}: {reason}")));
    if name.is_empty() || !name.chars().all(plain) {
        return usage("a name has letters, digits and underscores, such as my_suite");
    }
    if SUITES.iter().any(|(known, _)| *known == name) {
        return usage("there is one of this name; its runs and yours would share a folder");
    }
    let datasets = embedded::manifests().map_err(crate::data::DataError::from)?;
    let datasets: Vec<String> = datasets.iter().map(|manifest| manifest.id.to_string()).collect();
    let methods: Vec<String> = REGISTRY.iter().map(|entry| entry.id.to_owned()).collect();
    let lists = [
        ("{DATASETS}", datasets),
        ("{METHODS}", methods),
        ("{CLASSES}", expected(&format!("train_classes = \"{NO_WORD}\""))),
        ("{SECTIONS}", expected(&format!("sections = [\"{NO_WORD}\"]"))),
        ("{MEASURES}", expected(&format!("measure = [\"{NO_WORD}\"]"))),
    ];
    let mut out = String::new();
    for line in TEMPLATE.lines() {
        let mut line = line.replace("{NAME}", name);
        for (place, words) in &lists {
            line = line.replace(place, &words.join(", "));
        }
        out.push_str(&folded(&line));
    }
    Ok(out)
}

/// A comment broken between words; other lines stay as they are.
fn folded(line: &str) -> String {
    if !line.starts_with("# ") || line.chars().count() <= WIDTH {
        return format!("{line}\n");
    }
    let (mut out, mut used) = ("#".to_owned(), 1);
    for word in line.split(' ').skip(1) {
        if used + 1 + word.chars().count() > WIDTH {
            out.push_str("\n#");
            used = 1;
        }
        out.push_str(&format!(" {word}"));
        used += 1 + word.chars().count();
    }
    out + "\n"
}

/// Every key that a suite file knows, nested ones behind the name of their table.
pub fn known_keys() -> BTreeSet<String> {
    let tables = [
        ("", "\"?\" = 1".to_owned()),
        ("dataset", "[dataset.x]\n\"?\" = 1".to_owned()),
        ("prompts", "[prompts]\n\"?\" = 1".to_owned()),
        ("deviations", "[[deviations]]\n\"?\" = 1".to_owned()),
        ("profile", "[profile.x]\n\"?\" = 1".to_owned()),
    ];
    tables
        .into_iter()
        .flat_map(|(table, text)| expected(&text).into_iter().map(move |key| format!("{table}.{key}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::plan::resolve::Plan;

    /// The template with every optional key in force.
    fn whole(text: &str) -> String {
        let bare = |line: &str| match line.strip_prefix('#') {
            Some(key) if !key.is_empty() && !key.starts_with(' ') => key.to_owned(),
            _ => line.to_owned(),
        };
        text.lines().map(bare).collect::<Vec<_>>().join("\n")
    }

    /// Keys of a TOML table, nested ones as [`known_keys`] writes them.
    fn keys(table: &toml::Table) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = table.keys().map(|key| format!(".{key}")).collect();
        let mut inner = |name: &str, value: &toml::Value| {
            found.extend(
                value.as_table().into_iter().flat_map(|t| t.keys().map(|key| format!("{name}.{key}"))),
            );
        };
        for name in ["dataset", "profile"] {
            table[name].as_table().unwrap().values().for_each(|value| inner(name, value));
        }
        inner("prompts", &table["prompts"]);
        table["deviations"].as_array().unwrap().iter().for_each(|value| inner("deviations", value));
        found
    }

    #[test]
    fn a_new_suite_runs_as_it_is_and_has_every_key_the_reader_knows() {
        let text = new_suite("mine").unwrap();
        let suite = SuiteFile::parse("mine", &text).unwrap();
        suite.check("mine.toml").unwrap();
        Plan::new(suite.for_profile("pocket"), &[], None).unwrap();
        let all = whole(&text);
        SuiteFile::parse("mine", &all).unwrap().check("mine.toml").unwrap();
        let known = known_keys();
        assert!(known.contains(".title") && known.contains("profile.sweep") && known.len() > 30, "{known:?}");
        assert_eq!(keys(&toml::from_str(&all).unwrap()), known);
        let without = all.lines().filter(|line| !line.starts_with("limit")).collect::<Vec<_>>().join("\n");
        assert_ne!(keys(&toml::from_str(&without).unwrap()), known, "a key that is missing is noticed");
    }

    #[test]
    fn lists_of_known_words_are_those_of_the_types() {
        let text = new_suite("mine").unwrap();
        for word in
            ["oxford_flowers", "two_datasets", "lp_plus_plus", "method_tests", "representation_shift", "{"]
        {
            let should = !["two_datasets", "{"].contains(&word);
            let comments = text.lines().filter(|line| line.starts_with("# "));
            assert_eq!(comments.clone().any(|line| line.contains(word)), should, "{word}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH + 2), "{text}");
    }

    #[test]
    fn names_that_would_mix_runs_are_refused() {
        for (name, why) in
            [("base2new", "share a folder"), ("a/b", "letters"), ("", "letters"), ("a b", "letters")]
        {
            let error = new_suite(name).unwrap_err().to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
    }
}
