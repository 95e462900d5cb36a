//! Class texts: the prompts of a half's classes, as a method words them, as token ids.

use super::dataset::BenchDataset;
use super::open::World;
use crate::data::Classes;
use crate::method::{ClassTexts, PromptStyle};
use crate::suite::error::SuiteError;

impl World {
    /// Token ids of the prompts of a half's classes in this wording, in label order.
    ///
    /// # Errors
    /// [`SuiteError::Tokenizer`] for a prompt that is too long.
    pub fn class_prompts(
        &self,
        dataset: &BenchDataset,
        style: &PromptStyle,
        classes: Classes,
    ) -> Result<Vec<Vec<u32>>, SuiteError> {
        self.each_class(dataset, classes, |name| style.prompt(name, (&dataset.id, &dataset.template)))
    }

    /// The same with the further wordings that the style names.
    ///
    /// # Errors
    /// As [`World::class_prompts`].
    pub fn class_texts(
        &self,
        dataset: &BenchDataset,
        style: &PromptStyle,
        classes: Classes,
    ) -> Result<ClassTexts, SuiteError> {
        let wordings = style.wordings(&dataset.id, &dataset.template);
        let other = |wording: &&str| self.each_class(dataset, classes, |name| style.sentence(wording, name));
        let others = wordings.iter().map(other).collect::<Result<_, _>>()?;
        Ok(ClassTexts { prompts: self.class_prompts(dataset, style, classes)?, others })
    }

    fn each_class(
        &self,
        dataset: &BenchDataset,
        classes: Classes,
        text: impl Fn(&str) -> String,
    ) -> Result<Vec<Vec<u32>>, SuiteError> {
        let prompt = |label: &u32| Ok(self.tokenizer.encode(&text(&dataset.class_names[*label as usize]))?);
        dataset.labels(classes).labels().iter().map(prompt).collect()
    }
}
