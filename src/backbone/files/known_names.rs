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
    /// SHA-256 of the file, which is a part of its address too.
    pub sha256: &'static str,
    /// Size of the file.
    pub bytes: u64,
}

/// Every model of openai/CLIP `clip/clip.py`, whose addresses hold the digests; sizes as copies of the files report them.
pub const KNOWN_MODELS: [KnownModel; 9] = [
    KnownModel {
        name: "RN50",
        file: "RN50.pt",
        id: None,
        sha256: "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762",
        bytes: 255_827_503,
    },
    KnownModel {
        name: "RN101",
        file: "RN101.pt",
        id: None,
        sha256: "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599",
        bytes: 291_791_292,
    },
    KnownModel {
        name: "RN50x4",
        file: "RN50x4.pt",
        id: None,
        sha256: "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd",
        bytes: 421_854_225,
    },
    KnownModel {
        name: "RN50x16",
        file: "RN50x16.pt",
        id: None,
        sha256: "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa",
        bytes: 661_125_706,
    },
    KnownModel {
        name: "RN50x64",
        file: "RN50x64.pt",
        id: None,
        sha256: "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c",
        bytes: 1_353_500_174,
    },
    KnownModel {
        name: "ViT-B/32",
        file: "ViT-B-32.pt",
        id: Some("openai/clip-vit-base-patch32"),
        sha256: "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
        bytes: 353_976_522,
    },
    KnownModel {
        name: "ViT-B/16",
        file: "ViT-B-16.pt",
        id: Some("openai/clip-vit-base-patch16"),
        sha256: "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
        bytes: 350_837_078,
    },
    KnownModel {
        name: "ViT-L/14",
        file: "ViT-L-14.pt",
        id: Some("openai/clip-vit-large-patch14"),
        sha256: "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
        bytes: 932_768_134,
    },
    KnownModel {
        name: "ViT-L/14@336px",
        file: "ViT-L-14-336px.pt",
        id: Some("openai/clip-vit-large-patch14-336"),
        sha256: "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
        bytes: 934_088_680,
    },
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
