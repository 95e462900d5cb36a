//! The names OpenAI's code gives its models, with the file it saves each in and the id of HuggingFace's conversion.

use std::path::PathBuf;

/// A model under its short name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownModel {
    /// The name in `clip.load(NAME)`.
    pub name: &'static str,
    /// The file in `~/.cache/clip`.
    pub file: &'static str,
    /// HuggingFace's id, where the model is there in HuggingFace's format.
    pub id: Option<&'static str>,
}

const fn known(name: &'static str, file: &'static str, id: Option<&'static str>) -> KnownModel {
    KnownModel { name, file, id }
}

/// Every model of openai/CLIP `clip/clip.py`.
pub const KNOWN_MODELS: [KnownModel; 9] = [
    known("RN50", "RN50.pt", None),
    known("RN101", "RN101.pt", None),
    known("RN50x4", "RN50x4.pt", None),
    known("RN50x16", "RN50x16.pt", None),
    known("RN50x64", "RN50x64.pt", None),
    known("ViT-B/32", "ViT-B-32.pt", Some("openai/clip-vit-base-patch32")),
    known("ViT-B/16", "ViT-B-16.pt", Some("openai/clip-vit-base-patch16")),
    known("ViT-L/14", "ViT-L-14.pt", Some("openai/clip-vit-large-patch14")),
    known("ViT-L/14@336px", "ViT-L-14-336px.pt", Some("openai/clip-vit-large-patch14-336")),
];

/// The model of that name: as OpenAI writes it, or with dashes, in any case.
pub fn known_model(name: &str) -> Option<&'static KnownModel> {
    let plain = |name: &str| name.replace(['/', '@'], "-").to_ascii_lowercase();
    KNOWN_MODELS.iter().find(|model| plain(model.name) == plain(name))
}

/// Where OpenAI's code keeps its downloads: `~/.cache/clip`; none without a home folder.
pub fn openai_folder() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(".cache").join("clip"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written_and_others_are_not() {
        for name in ["ViT-L/14@336px", "vit-l-14-336px", "ViT-L-14@336px"] {
            assert_eq!(known_model(name).unwrap().file, "ViT-L-14-336px.pt");
        }
        assert_eq!(known_model("ViT-B/16").unwrap().id, Some("openai/clip-vit-base-patch16"));
        assert!(known_model("openai/clip-vit-base-patch16").is_none() && known_model("ViT-B").is_none());
    }
}
