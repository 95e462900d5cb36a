//! Named lists of sentences that methods average over, so that a TOML says `wordings = ["imagenet_7"]`.

/// A named list.
#[derive(Clone, Copy, Debug)]
pub struct WordingList {
    /// Its name in a TOML.
    pub name: &'static str,
    /// Its sentences; `{}` is the class name.
    pub sentences: &'static [&'static str],
    /// The one dataset it serves; others take their own sentence. Absent: all take the list.
    pub only_on: Option<&'static str>,
}

impl WordingList {
    /// The sentences for a dataset whose own sentence is `own`.
    pub fn sentences<'s>(&self, dataset: &str, own: &'s str) -> Vec<&'s str> {
        match self.only_on {
            Some(only) if only != dataset => vec![own],
            _ => self.sentences.to_vec(),
        }
    }
}

/// The seven sentences that CLIP's authors selected for ImageNet.
const IMAGENET_7: [&str; 7] = [
    "itap of a {}.",
    "a bad photo of the {}.",
    "a origami {}.",
    "a photo of the large {}.",
    "a {} in a video game.",
    "art of the {}.",
    "a photo of the small {}.",
];

/// The seven and CoOp's sentence.
const IMAGENET_8: [&str; 8] = [
    "itap of a {}.",
    "a bad photo of the {}.",
    "a origami {}.",
    "a photo of the large {}.",
    "a {} in a video game.",
    "art of the {}.",
    "a photo of the small {}.",
    "a photo of a {}.",
];

/// The first sixty of the sentences that CLIP's authors published for ImageNet: what PromptSRC's teacher averages.
const IMAGENET_60: [&str; 60] = [
    "a photo of a {}.",
    "a bad photo of a {}.",
    "a photo of many {}.",
    "a sculpture of a {}.",
    "a photo of the hard to see {}.",
    "a low resolution photo of the {}.",
    "a rendering of a {}.",
    "graffiti of a {}.",
    "a bad photo of the {}.",
    "a cropped photo of the {}.",
    "a tattoo of a {}.",
    "the embroidered {}.",
    "a photo of a hard to see {}.",
    "a bright photo of a {}.",
    "a photo of a clean {}.",
    "a photo of a dirty {}.",
    "a dark photo of the {}.",
    "a drawing of a {}.",
    "a photo of my {}.",
    "the plastic {}.",
    "a photo of the cool {}.",
    "a close-up photo of a {}.",
    "a black and white photo of the {}.",
    "a painting of the {}.",
    "a painting of a {}.",
    "a pixelated photo of the {}.",
    "a sculpture of the {}.",
    "a bright photo of the {}.",
    "a cropped photo of a {}.",
    "a plastic {}.",
    "a photo of the dirty {}.",
    "a jpeg corrupted photo of a {}.",
    "a blurry photo of the {}.",
    "a photo of the {}.",
    "a good photo of the {}.",
    "a rendering of the {}.",
    "a {} in a video game.",
    "a photo of one {}.",
    "a doodle of a {}.",
    "a close-up photo of the {}.",
    "the origami {}.",
    "the {} in a video game.",
    "a sketch of a {}.",
    "a doodle of the {}.",
    "a origami {}.",
    "a low resolution photo of a {}.",
    "the toy {}.",
    "a rendition of the {}.",
    "a photo of the clean {}.",
    "a photo of a large {}.",
    "a rendition of a {}.",
    "a photo of a nice {}.",
    "a photo of a weird {}.",
    "a blurry photo of a {}.",
    "a cartoon {}.",
    "art of a {}.",
    "a sketch of the {}.",
    "a embroidered {}.",
    "a pixelated photo of a {}.",
    "itap of the {}.",
];

/// Every list.
pub const LISTS: [WordingList; 3] = [
    WordingList { name: "imagenet_60", sentences: &IMAGENET_60, only_on: None },
    WordingList { name: "imagenet_7", sentences: &IMAGENET_7, only_on: Some("imagenet") },
    WordingList { name: "imagenet_8", sentences: &IMAGENET_8, only_on: Some("imagenet") },
];

/// The list of this name.
pub fn find(name: &str) -> Option<&'static WordingList> {
    LISTS.iter().find(|list| list.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_has_a_place_for_the_class_and_none_repeats() {
        for list in LISTS {
            assert!(
                list.sentences.iter().all(|sentence| sentence.matches("{}").count() == 1),
                "{}",
                list.name
            );
            let distinct: std::collections::BTreeSet<_> = list.sentences.iter().collect();
            assert_eq!(distinct.len(), list.sentences.len(), "{}", list.name);
        }
    }

    #[test]
    fn other_datasets_take_their_own_sentence() {
        let list = find("imagenet_7").unwrap();
        assert_eq!(list.sentences("imagenet", "a {}.").len(), 7);
        assert_eq!(list.sentences("dtd", "{} texture."), ["{} texture."]);
    }
}
