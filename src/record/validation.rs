//! What a training chose by images that it did not train on. Numbers that rest on more of them than the few-shot rule
//! allows carry a mark in every table.

use serde::{Deserialize, Serialize};

/// Images that a training looked at to choose by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationUse {
    /// How many; 0 where nothing was chosen by them.
    pub images: u64,
    /// What they chose, and by which images where that is not the validation split; empty for nothing.
    pub chose: String,
    /// Whether they are more than at most min(shots, 4) validation images a class, as published code has it: such numbers
    /// carry a mark in every table.
    pub whole_split: bool,
}

/// The mark of the whole validation split, which goes without saying which images.
const WHOLE_SPLIT: &str = "whole_split";
/// Stands before the name of other images.
const BY: &str = " by ";

impl ValidationUse {
    /// So many images chose something; `mark` names them where they are more than the few-shot rule allows.
    pub fn new(images: u64, chooses: &str, mark: Option<&str>) -> Self {
        let by =
            mark.filter(|mark| *mark != WHOLE_SPLIT).map_or_else(String::new, |mark| format!("{BY}{mark}"));
        Self { images, chose: format!("{chooses}{by}"), whole_split: mark.is_some() }
    }

    /// Which images they are, where the few-shot rule does not allow them.
    pub fn mark(&self) -> Option<&str> {
        let named = self.chose.rsplit_once(BY).map_or(WHOLE_SPLIT, |(_, images)| images);
        self.whole_split.then_some(named)
    }
}

#[cfg(test)]
mod tests {
    use super::ValidationUse;

    #[test]
    fn a_mark_says_which_images_and_the_few_shot_rule_has_none() {
        let mark = |mark| ValidationUse::new(9, "alpha and beta", mark).mark().map(str::to_owned);
        assert_eq!(mark(None), None);
        assert_eq!(ValidationUse::default().mark(), None);
        for images in ["whole_split", "test_images"] {
            assert_eq!(mark(Some(images)).as_deref(), Some(images));
        }
        // As records of the first version that had it.
        let old = ValidationUse { images: 3, chose: "alpha and beta".to_owned(), whole_split: true };
        assert_eq!(old, ValidationUse::new(3, "alpha and beta", Some("whole_split")));
    }
}
