//! Reading a method's hyper-parameters from its TOML table, and the wording of its prompts.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::MethodError;
use super::wordings;

/// A method's TOML table, cut into the parts different readers own.
#[derive(Clone, Debug, Default)]
pub struct SettingsTable {
    /// Wording of the prompts.
    pub prompt: toml::Table,
    /// Training recipe; empty for a method that trains nothing.
    pub recipe: toml::Table,
    /// Which images it draws, and how its views are cut.
    pub sampling: toml::Table,
    /// The method's own hyper-parameters.
    pub own: toml::Table,
}

impl SettingsTable {
    const PROMPT_KEYS: [&str; 5] =
        ["template", "template_exceptions", "raw_class_names", "wordings", "wording_exceptions"];
    const SAMPLING_KEYS: [&str; 2] = ["draw", "crop_scale"];
    const RECIPE_KEYS: [&str; 18] = [
        "learning_rate",
        "batch_size",
        "epochs",
        "epochs_by_shots",
        "steps_per_shot",
        "optimiser",
        "momentum",
        "weight_decay",
        "beta1",
        "beta2",
        "eps",
        "schedule",
        "warmup_epochs",
        "final_learning_rate",
        "last_batch",
        "pool_views",
        "average_mean",
        "average_std",
    ];

    /// Sorts the keys of a table.
    pub fn split(table: toml::Table) -> Self {
        let mut parts = Self::default();
        for (key, value) in table {
            let part = match key.as_str() {
                k if Self::PROMPT_KEYS.contains(&k) => &mut parts.prompt,
                k if Self::RECIPE_KEYS.contains(&k) => &mut parts.recipe,
                k if Self::SAMPLING_KEYS.contains(&k) => &mut parts.sampling,
                _ => &mut parts.own,
            };
            part.insert(key, value);
        }
        parts
    }
}

/// Parses a method's own keys strictly.
///
/// # Errors
/// [`MethodError::Setting`] naming the key.
pub(super) fn parse<T: DeserializeOwned>(method: &str, table: toml::Table) -> Result<T, MethodError> {
    toml::Value::Table(table)
        .try_into()
        .map_err(|error: toml::de::Error| setting(method, error.message().to_owned()))
}

/// A refused setting.
pub(super) fn setting(method: &str, reason: String) -> MethodError {
    MethodError::Setting { method: method.to_owned(), reason }
}

/// The sentence around a class name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Template {
    /// The dataset's hand-written sentence.
    Dataset,
    /// This sentence; `{}` is the class name. Or the name of a [set](super::wordings::SETS) that has one for each dataset.
    Fixed(String),
}

impl From<String> for Template {
    fn from(text: String) -> Self {
        if text == "dataset" { Self::Dataset } else { Self::Fixed(text) }
    }
}

/// How a method words its class prompts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptStyle {
    /// The sentence.
    pub template: Template,
    /// By dataset id, the sentence in place of it.
    #[serde(default)]
    pub template_exceptions: BTreeMap<String, String>,
    /// True keeps the underscores of class names, as the published RPO and LP code does.
    pub raw_class_names: bool,
    /// Further wordings of every class: `dataset`, a [named list or set](super::wordings), or a sentence with `{}`.
    #[serde(default)]
    pub wordings: Vec<String>,
    /// By dataset id, the sentence in place of `dataset` among the wordings.
    #[serde(default)]
    pub wording_exceptions: BTreeMap<String, String>,
}

impl PromptStyle {
    /// Why the sentence cannot be used: without the class name every class has the same prompt.
    pub fn fault(&self) -> Option<String> {
        let template = match &self.template {
            Template::Dataset => None,
            Template::Fixed(text) => Some(("template", text)),
        };
        let template = template.filter(|(_, text)| wordings::set(text).is_none());
        let unnamed = |text: &str| wordings::find(text).is_none() && wordings::set(text).is_none();
        let named = |text: &&String| *text != "dataset" && unnamed(text);
        let further = self.wordings.iter().filter(named).chain(self.wording_exceptions.values());
        let exceptions = self.template_exceptions.values().map(|text| ("template_exceptions", text));
        let mut sentences =
            template.into_iter().chain(exceptions).chain(further.map(|text| ("wordings", text)));
        let (key, text) = sentences.find(|(_, text)| text.matches("{}").count() != 1)?;
        Some(format!("{key} is {text:?}: expected {{}} exactly once, where the class name goes"))
    }

    /// The prompt of one class of a dataset, which has this sentence of its own.
    pub fn prompt(&self, class_name: &str, (dataset, its_template): (&str, &str)) -> String {
        self.sentence(self.own_sentence(dataset, its_template), class_name)
    }

    /// The sentence around a class name for a dataset with this one of its own.
    pub fn own_sentence<'a>(&'a self, dataset: &str, its_template: &'a str) -> &'a str {
        match (self.template_exceptions.get(dataset), &self.template) {
            (Some(text), _) => text,
            (None, Template::Fixed(text)) => wordings::set(text).map_or(text, |set| set.sentence(dataset)),
            (None, Template::Dataset) => its_template,
        }
    }

    /// A sentence with the class name in place of `{}`.
    pub fn sentence(&self, template: &str, class_name: &str) -> String {
        let name = if self.raw_class_names { class_name.to_owned() } else { class_name.replace('_', " ") };
        template.replace("{}", &name)
    }

    /// The sentences of the further wordings for a dataset.
    pub fn wordings<'s>(&'s self, dataset: &str, dataset_template: &'s str) -> Vec<&'s str> {
        let own = self.wording_exceptions.get(dataset).map_or(dataset_template, String::as_str);
        let expand = |wording: &'s String| match wording.as_str() {
            "dataset" => vec![own],
            name => match (wordings::find(name), wordings::set(name)) {
                (Some(list), _) => list.sentences(dataset, own),
                (None, Some(set)) => vec![set.sentence(dataset)],
                (None, None) => vec![name],
            },
        };
        self.wordings.iter().flat_map(expand).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_become_spaces_unless_raw() {
        let style = |raw_class_names| PromptStyle {
            template: Template::Dataset,
            template_exceptions: BTreeMap::from([("food101".to_owned(), "some {}.".to_owned())]),
            raw_class_names,
            wordings: vec!["dataset".to_owned(), "imagenet_7".to_owned(), "one {}.".to_owned()],
            wording_exceptions: BTreeMap::from([("dtd".to_owned(), "the {}.".to_owned())]),
        };
        assert_eq!(
            style(false).prompt("golden_retriever", ("dtd", "a photo of a {}.")),
            "a photo of a golden retriever."
        );
        let texture = style(true).prompt("golden_retriever", ("dtd", "{} texture."));
        assert_eq!(texture, "golden_retriever texture.");
        assert_eq!(style(true).prompt("apple_pie", ("food101", "{}")), "some apple_pie.");
        assert_eq!(style(true).wordings("ucf101", "a {}."), ["a {}.", "a {}.", "one {}."]);
        assert_eq!(style(true).wordings("dtd", "a {}."), ["the {}.", "the {}.", "one {}."]);
        assert_eq!(style(true).wordings("imagenet", "a {}.").len(), 9);
    }
}
