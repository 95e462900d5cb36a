//! The manifests inside the program. A new dataset is a new file under `data-manifests/` and a line here.
//!
//! The order of the table is the order of tables and reports: the eleven datasets as papers list
//! them, then ImageNet's test-only variants.

use super::manifest::{Manifest, ManifestError};
use crate::util::likely;

/// Declares the table; each id is also the manifest's file name.
macro_rules! manifests {
    ($($id:literal),* $(,)?) => {
        const TEXTS: &[(&str, &str)] = &[
            $(($id, include_str!(concat!("../../data-manifests/", $id, ".toml")))),*
        ];
    };
}

manifests!(
    "imagenet",
    "caltech101",
    "oxford_pets",
    "stanford_cars",
    "oxford_flowers",
    "food101",
    "fgvc_aircraft",
    "sun397",
    "dtd",
    "eurosat",
    "ucf101",
    "imagenetv2",
    "imagenet_sketch",
    "imagenet_a",
    "imagenet_r",
);

/// Every embedded manifest, in table order.
///
/// # Errors
/// [`ManifestError`] if a file is malformed; a test parses them all.
pub fn manifests() -> Result<Vec<Manifest>, ManifestError> {
    TEXTS.iter().map(|(id, text)| Manifest::parse(text, &format!("data-manifests/{id}.toml"))).collect()
}

/// One embedded manifest.
///
/// # Errors
/// [`ManifestError::Unknown`] with the nearest ids.
pub fn manifest(id: &str) -> Result<Manifest, ManifestError> {
    let text = text(id).ok_or_else(|| unknown(id, TEXTS.iter().map(|(known, _)| *known)))?;
    Manifest::parse(text, &format!("data-manifests/{id}.toml"))
}

/// The text of one embedded manifest file.
pub fn text(id: &str) -> Option<&'static str> {
    TEXTS.iter().find(|(known, _)| *known == id).map(|(_, text)| *text)
}

/// The error for an id that is none of `known`: names those it may have been meant for.
pub(super) fn unknown<'a>(id: &str, known: impl IntoIterator<Item = &'a str>) -> ManifestError {
    let known: Vec<&str> = known.into_iter().collect();
    let near = likely(id, known.iter().copied());
    let hint = if near.is_empty() {
        format!("known datasets are {}", known.join(", "))
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    ManifestError::Unknown { id: id.to_owned(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_manifest_parses_and_carries_its_file_name() {
        let all = manifests().unwrap();
        assert_eq!(all.len(), 15);
        for (manifest, (id, _)) in all.iter().zip(TEXTS) {
            assert_eq!(manifest.id.as_str(), *id);
            assert!(manifest.counts.is_some() && manifest.placement.is_some(), "{id}");
        }
    }

    #[test]
    fn zero_shot_templates_are_the_published_ones() {
        let special = [
            ("oxford_pets", "a photo of a {}, a type of pet."),
            ("oxford_flowers", "a photo of a {}, a type of flower."),
            ("fgvc_aircraft", "a photo of a {}, a type of aircraft."),
            ("dtd", "{} texture."),
            ("eurosat", "a centered satellite photo of {}."),
            ("food101", "a photo of {}, a type of food."),
            ("ucf101", "a photo of a person doing {}."),
        ];
        for manifest in manifests().unwrap() {
            let expected = special.iter().find(|(id, _)| *id == manifest.id.as_str());
            let expected = expected.map_or("a photo of a {}.", |(_, template)| *template);
            assert_eq!(manifest.prompt.template.as_str(), expected, "{}", manifest.id);
        }
    }

    #[test]
    fn an_unknown_id_gets_near_names_or_all() {
        let said = manifest("oxford_pet").unwrap_err().to_string();
        assert!(said.contains("did you mean oxford_pets"), "{said}");
        let said = manifest("zzz").unwrap_err().to_string();
        assert!(said.contains("imagenet, caltech101"), "{said}");
    }
}
