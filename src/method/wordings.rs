//! Named sentences, so that a TOML says `wordings = ["imagenet_7"]` or `template = "class_last"`: lists that methods average
//! over, and sets that have one for each dataset.

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

/// A named set: one sentence for each dataset.
#[derive(Clone, Copy, Debug)]
pub struct SentenceSet {
    /// Its name in a TOML.
    pub name: &'static str,
    /// Datasets and their sentences; `{}` is the class name.
    pub by_dataset: &'static [(&'static str, &'static str)],
    /// The sentence of every other dataset.
    pub otherwise: &'static str,
}

impl SentenceSet {
    /// The sentence for a dataset.
    pub fn sentence(&self, dataset: &str) -> &'static str {
        let own = self.by_dataset.iter().find(|(id, _)| *id == dataset);
        own.map_or(self.otherwise, |(_, sentence)| sentence)
    }
}

/// Every set. ProGrad's code has the class name last and nothing but a full stop behind it; its contexts of 16 words begin with
/// as many placeholders as words, counted by spaces, are missing. A comma is a token of its own, so that of "…, a photo of
/// a" the last word stays behind the sixteen.
pub const SETS: [SentenceSet; 2] = [
    SentenceSet {
        name: "class_last",
        by_dataset: &[
            ("oxford_pets", "a type of pet, a photo of a {}."),
            ("oxford_flowers", "a type of flower, a photo of a {}."),
            ("fgvc_aircraft", "a type of aircraft, a photo of a {}."),
            ("dtd", "a texture of {}."),
            ("eurosat", "a centered satellite photo of {}."),
            ("food101", "a type of food, a photo of {}."),
            ("ucf101", "a photo of a person doing {}."),
        ],
        otherwise: "a photo of a {}.",
    },
    SentenceSet {
        name: "class_last_16",
        by_dataset: &[
            ("oxford_pets", "X X X X X X X X a type of pet, a photo of a {}."),
            ("oxford_flowers", "X X X X X X X X a type of flower, a photo of a {}."),
            ("fgvc_aircraft", "X X X X X X X X a type of aircraft, a photo of a {}."),
            ("dtd", "X X X X X X X X X X X X X a texture of {}."),
            ("eurosat", "X X X X X X X X X X X a centered satellite photo of {}."),
            ("food101", "X X X X X X X X X a type of food, a photo of {}."),
            ("ucf101", "X X X X X X X X X X a photo of a person doing {}."),
        ],
        otherwise: "X X X X X X X X X X X X a photo of a {}.",
    },
];

/// The set of this name.
pub fn set(name: &str) -> Option<&'static SentenceSet> {
    SETS.iter().find(|set| set.name == name)
}

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
    fn a_set_has_the_class_last_and_sixteen_words_in_front() {
        let ids = set("class_last").unwrap().by_dataset.iter().map(|(id, _)| *id);
        for id in ids.chain(["caltech101"]) {
            let [plain, padded] = ["class_last", "class_last_16"].map(|name| set(name).unwrap().sentence(id));
            assert!(plain.ends_with(" {}."), "{plain}");
            assert!(
                padded.ends_with(plain) && padded.trim_end_matches(plain).trim().split(' ').all(|x| x == "X")
            );
            assert_eq!(padded.trim_end_matches(" {}.").split(' ').count(), 16, "{padded}");
        }
    }

    #[test]
    fn other_datasets_take_their_own_sentence() {
        let list = find("imagenet_7").unwrap();
        assert_eq!(list.sentences("imagenet", "a {}.").len(), 7);
        assert_eq!(list.sentences("dtd", "{} texture."), ["{} texture."]);
    }
}
