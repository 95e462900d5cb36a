//! Every setting with its default, published value and meaning.
//!
//! A method's own keys are explained where they are set: by the comment on or above their line in `suites/methods`.

use super::globals::{GLOBAL_MEANINGS, Globals};
use crate::method::{self, Entry};
use crate::protocol;
use crate::suite::error::SuiteError;

/// Keys that methods share.
const COMMON: [(&str, &str); 24] = [
    ("template", "sentence around a class name, with {} in its place; dataset: each dataset's own"),
    ("template_exceptions", "by dataset, the sentence in place of template"),
    ("raw_class_names", "true keeps the underscores of class names"),
    ("learning_rate", "base learning rate; the first epoch is a warm-up at 1e-5"),
    ("batch_size", "images per step"),
    ("epochs", "passes over the training images, the warm-up epoch counted; 0 where the length is in steps"),
    ("wordings", "further sentences of every class: dataset, a named list, or a sentence with {}"),
    ("wording_exceptions", "by dataset, the sentence in place of `dataset` among the wordings"),
    ("epochs_by_shots", "other numbers of epochs for some shots, such as 1:50, 2:100"),
    ("steps_per_shot", "length in steps for every shot; 0 where it is in epochs"),
    ("optimiser", "sgd, adam (decay in the gradient) or adamw (decay of the value)"),
    ("momentum", "of sgd"),
    ("weight_decay", "added to the gradient, times the value; with adamw of the value itself"),
    ("beta1", "adam's first decay rate"),
    ("beta2", "adam's second decay rate"),
    ("eps", "what adam adds to the root"),
    ("schedule", "how the rate moves: epoch_cosine, step_cosine or constant"),
    ("warmup_epochs", "epochs at 1e-5 before an epoch-wise cosine begins"),
    ("final_learning_rate", "where a step-wise cosine ends"),
    ("last_batch", "an epoch's incomplete batch: drop (unless it is the only one) or keep"),
    (
        "average_mean",
        "centre, in epochs from 1, of the Gaussian under which parameters are averaged over epochs",
    ),
    ("average_std", "its width in epochs; 0 for no average"),
    (
        "draw",
        "which images are drawn: coop, with_replacement (small classes are filled up), or validation_first (and the \
         validation images are drawn before)",
    ),
    ("crop_scale", "the least share of an image's area that a training crop covers"),
];

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Dotted name, as `--set` takes it.
    pub key: String,
    /// Value without `--set`, as TOML.
    pub default: String,
    /// Published value, as TOML.
    pub published: String,
    /// What it is, with its unit.
    pub meaning: String,
}

/// Every setting of one method, or of all methods and of none.
///
/// # Errors
/// [`SuiteError::Method`] for a method file that is not TOML.
pub fn settings(entry: Option<&Entry>) -> Result<Vec<Setting>, SuiteError> {
    let mut all = Vec::new();
    for known in method::REGISTRY.iter().filter(|known| entry.is_none_or(|entry| entry.id == known.id)) {
        for (field, value) in known.default_table()? {
            let key = format!("{}.{field}", known.id);
            let default = value.to_string();
            let published = published(&key).unwrap_or_else(|| default.clone());
            all.push(Setting { meaning: meaning(known, &field), key, default, published });
        }
    }
    if entry.is_none() {
        let defaults = Globals::default().values();
        all.extend(GLOBAL_MEANINGS.iter().zip(defaults).map(|((key, meaning), default)| Setting {
            key: (*key).to_owned(),
            published: published(key).unwrap_or_else(|| default.clone()),
            default,
            meaning: (*meaning).to_owned(),
        }));
    }
    Ok(all)
}

/// The published value of a switch, as TOML.
fn published(key: &str) -> Option<String> {
    let switch = protocol::switches().into_iter().find(|switch| switch.key == key)?;
    Some(switch.published.to_owned())
}

/// The comment on the line of a key, or on the lines right above it; else what methods share.
fn meaning(entry: &Entry, field: &str) -> String {
    let lines: Vec<&str> = entry.defaults.lines().collect();
    let is_key = |line: &&str| line.split_once('=').is_some_and(|(key, _)| key.trim() == field);
    let Some(at) = lines.iter().position(is_key) else { return String::new() };
    if let Some((_, comment)) = lines[at].split_once(" # ") {
        return comment.trim().to_owned();
    }
    if let Some((_, common)) = COMMON.iter().find(|(key, _)| *key == field) {
        return (*common).to_owned();
    }
    let above: Vec<&str> = lines[..at].iter().rev().map_while(|line| line.strip_prefix('#')).collect();
    above.into_iter().rev().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_meaning_and_its_values() {
        let all = settings(None).unwrap();
        for setting in &all {
            assert!(
                !setting.meaning.is_empty(),
                "{}: explain it in its TOML, on or above its line",
                setting.key
            );
            assert!(!setting.default.is_empty() && !setting.published.is_empty(), "{setting:?}");
        }
        let find = |key: &str| all.iter().find(|setting| setting.key == key).unwrap();
        assert_eq!((find("rpo.k").default.as_str(), find("rpo.k").published.as_str()), ("24", "24"));
        assert!(
            find("rpo.raw_class_names").published == "true" && find("views").published.contains("per_method")
        );
        assert!(find("rpo.k").meaning.contains("prompts"), "{:?}", find("rpo.k"));
        let own = settings(Some(method::find("rpo").unwrap())).unwrap();
        assert!(own.len() < all.len() && own.iter().all(|setting| setting.key.starts_with("rpo.")));
    }
}
