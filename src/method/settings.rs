//! Reading a method's hyper-parameters from its TOML table, and the wording of its prompts.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::MethodError;

/// A method's TOML table, cut into the parts different readers own.
#[derive(Clone, Debug, Default)]
pub struct SettingsTable {
    /// Wording of the prompts.
    pub prompt: toml::Table,
    /// Training recipe; empty for a method that trains nothing.
    pub recipe: toml::Table,
    /// The method's own hyper-parameters.
    pub own: toml::Table,
}

impl SettingsTable {
    const PROMPT_KEYS: [&str; 2] = ["template", "raw_class_names"];
    const RECIPE_KEYS: [&str; 3] = ["learning_rate", "batch_size", "epochs"];

    /// Sorts the keys of a table.
    pub fn split(table: toml::Table) -> Self {
        let mut parts = Self::default();
        for (key, value) in table {
            let part = match key.as_str() {
                k if Self::PROMPT_KEYS.contains(&k) => &mut parts.prompt,
                k if Self::RECIPE_KEYS.contains(&k) => &mut parts.recipe,
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
    /// This sentence; `{}` is the class name.
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
    /// True keeps the underscores of class names, as the published RPO and LP code does.
    pub raw_class_names: bool,
}

impl PromptStyle {
    /// Why the sentence cannot be used: without the class name every class has the same prompt.
    pub fn fault(&self) -> Option<String> {
        let Template::Fixed(text) = &self.template else { return None };
        let count = text.matches("{}").count();
        (count != 1)
            .then(|| format!("template is {text:?}: expected {{}} exactly once, where the class name goes"))
    }

    /// The prompt of one class.
    pub fn prompt(&self, class_name: &str, dataset_template: &str) -> String {
        let name = if self.raw_class_names { class_name.to_owned() } else { class_name.replace('_', " ") };
        self.own_sentence(dataset_template).replace("{}", &name)
    }

    /// The sentence around a class name for a dataset with this one of its own.
    pub fn own_sentence<'a>(&'a self, dataset_template: &'a str) -> &'a str {
        match &self.template {
            Template::Dataset => dataset_template,
            Template::Fixed(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_become_spaces_unless_raw() {
        let style = |raw_class_names| PromptStyle { template: Template::Dataset, raw_class_names };
        assert_eq!(
            style(false).prompt("golden_retriever", "a photo of a {}."),
            "a photo of a golden retriever."
        );
        assert_eq!(style(true).prompt("golden_retriever", "{} texture."), "golden_retriever texture.");
    }
}
