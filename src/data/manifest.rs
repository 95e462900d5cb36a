//! A dataset's manifest: where it lies under a data root, what it must hold, where it can be had.
//!
//! It owns the file format and its checks, not the reading of any data. Counts and digests are other
//! people's published figures; opening a dataset does not enforce them (a user may hold a subset),
//! [`data::verify`](crate::data::verify) compares with them.
//!
//! Long because it is the whole format, to be read from top to bottom.

use serde::{Deserialize, Serialize};

use super::checked::{BelowPath, DatasetId, Md5Hex, Sha256Hex, Template};

/// The only manifest format this build reads.
pub const MANIFEST_SCHEMA_VERSION: u32 = 1;

/// Why a manifest was refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not TOML, an unknown or missing key, or a value of the wrong form.
    #[error("parse manifest {file}: {reason}")]
    Parse {
        /// The manifest file.
        file: String,
        /// What the parser said, with line and column.
        reason: String,
    },
    /// Two fields contradict each other.
    #[error("check manifest {file}: {field} is {value}, {reason}")]
    Inconsistent {
        /// The manifest file.
        file: String,
        /// The offending field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What it should agree with.
        reason: String,
    },
    /// No manifest carries this id.
    #[error("find dataset {id:?}: {hint}")]
    Unknown {
        /// The id that was asked for.
        id: String,
        /// The nearest known ids, or all of them.
        hint: String,
    },
}

/// Everything known about one dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format version of the file, [`MANIFEST_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The id used on the command line and in records.
    pub id: DatasetId,
    /// The name printed in tables.
    pub display_name: String,
    /// The dataset's folder under the data root; `.` where the dataset is the root itself.
    pub folder: BelowPath,
    /// Whether it can be trained on.
    pub role: Role,
    /// When the sources were read, `YYYY-MM-DD`; absent for a user's own folder.
    pub read_on: Option<String>,
    /// How its files are arranged and read.
    pub layout: Layout,
    /// What a user has to put where.
    pub placement: Option<Placement>,
    /// Where class names come from.
    pub class_names: Option<ClassNames>,
    /// The hand-written zero-shot prompt.
    pub prompt: Prompt,
    /// Published sizes of the lists.
    pub counts: Option<Counts>,
    /// The published split file, for layouts that have one.
    pub split_file: Option<SplitFileFacts>,
    /// What can be fetched, in the publisher's files.
    #[serde(default)]
    pub archives: Vec<Archive>,
    /// Terms of use, where any source states them.
    pub licence: Option<Licence>,
    /// Known oddities.
    #[serde(default)]
    pub quirks: Vec<Quirk>,
}

/// Whether a dataset has training lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It has a training and a test list.
    TrainAndTest,
    /// It has a test list only, for models trained on ImageNet.
    TestOnly,
}

/// How a dataset's files are arranged. Paths are relative to the dataset's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Layout {
    /// CoOp's split JSON; its paths are relative to `images_dir`.
    CoopSplitJson {
        /// The folder that the split file's paths start from.
        images_dir: BelowPath,
        /// The split file.
        split_file: BelowPath,
    },
    /// FGVCAircraft's own lists: an image number, a space, the variant.
    FgvcLists {
        /// The flat image folder.
        images_dir: BelowPath,
        /// What follows the image number in a file name, with its dot.
        image_ending: String,
        /// One class name a line; the line number is the label.
        class_list_file: BelowPath,
        /// The training list.
        train_list_file: BelowPath,
        /// The validation list.
        val_list_file: BelowPath,
        /// The test list.
        test_list_file: BelowPath,
    },
    /// ImageNet: one folder a class in each of two trees; there is no validation list.
    ImagenetFolders {
        /// The training tree.
        train_dir: BelowPath,
        /// The tree used as test set.
        test_dir: BelowPath,
        /// `wnid name` a line.
        class_names_file: BelowPath,
    },
    /// A test-only variant of ImageNet with wnid or numbered class folders.
    ImagenetVariant {
        /// The folder that holds the class folders.
        images_dir: BelowPath,
        /// What the published copy's class folders are called; readers accept both forms.
        class_folders: ClassFolders,
        /// A copy of ImageNet's class name file, all lines.
        class_names_file: BelowPath,
    },
    /// A user's folder: `train/CLASS/*`, `test/CLASS/*`, optionally `val/CLASS/*`.
    ImageFolder,
}

/// What the class folders of an ImageNet variant are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassFolders {
    /// WordNet ids; labels are positions among this dataset's own sorted folders.
    Wnid,
    /// ImageNet's label numbers, which text order does not sort.
    ImagenetLabel,
}

impl Layout {
    /// The layout's name in files.
    pub fn kind(&self) -> &'static str {
        match self {
            Layout::CoopSplitJson { .. } => "coop_split_json",
            Layout::FgvcLists { .. } => "fgvc_lists",
            Layout::ImagenetFolders { .. } => "imagenet_folders",
            Layout::ImagenetVariant { .. } => "imagenet_variant",
            Layout::ImageFolder => "image_folder",
        }
    }
}

/// What a user has to put where, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// Pattern of the image paths inside the dataset's folder.
    pub images: String,
    /// How the image files below a split file's image folder are called, for exports: see `data/export/naming.rs`.
    pub file_pattern: Option<String>,
    /// Further files that must be there.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What to move or rename after unpacking.
    pub note: Option<String>,
    /// Where this is said.
    pub source: String,
}

/// Where class names come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassNames {
    /// The rule in words.
    pub rule: String,
    /// Lines by which the right class name file is told from look-alikes.
    #[serde(default)]
    pub anchors: Vec<NameAnchor>,
    /// Where this is said.
    pub source: String,
}

/// One known line of a class name file; exactly one of `folder` and `line` is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameAnchor {
    /// The class folder the line is about.
    pub folder: Option<String>,
    /// The line's number from 0; means something only in a file of all classes.
    pub line: Option<usize>,
    /// The class name it must carry.
    pub name: String,
}

/// The zero-shot prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// The template.
    pub template: Template,
    /// Where this is said.
    pub source: String,
}

/// Published sizes, in images and classes. An absent figure was not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Number of classes.
    pub classes: usize,
    /// Length of the training list.
    pub train: Option<usize>,
    /// Length of the validation list.
    pub val: Option<usize>,
    /// Length of the test list.
    pub test: usize,
    /// Classes of the base half.
    pub base_classes: Option<usize>,
    /// Classes of the new half.
    pub new_classes: Option<usize>,
    /// Test images of the base half.
    pub base_test: Option<usize>,
    /// Test images of the new half.
    pub new_test: Option<usize>,
    /// Where these are said.
    pub source: String,
}

/// The published split file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitFileFacts {
    /// Size when unpacked.
    pub bytes: Option<u64>,
    /// SHA-256 of the unpacked file.
    pub sha256: Option<Sha256Hex>,
    /// Where it can be had.
    pub url: String,
    /// What a user should know.
    pub note: Option<String>,
    /// Where these are said.
    pub source: String,
}

/// One file of the publisher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// File name; its ending need not be its format.
    pub file: String,
    /// Published address.
    pub url: String,
    /// A second address.
    pub mirror: Option<String>,
    /// What is known about the address; absent means that no report was found, not that it works.
    pub status: Option<String>,
    /// What a user should know.
    pub note: Option<String>,
    /// What unpacking gives.
    pub unpacks_to: Option<String>,
    /// What `data fetch` does with it; absent where it is not needed.
    pub fetch: Option<FetchRule>,
    /// Published digests; publishers record different kinds.
    #[serde(default)]
    pub digests: Vec<PublishedDigest>,
    /// Where these are said.
    pub source: String,
}

/// What an archive gives a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchRule {
    /// Folders inside the archive that the dataset needs, as paths from wherever they lie in it.
    pub gives: Vec<BelowPath>,
    /// What the folder is called in the dataset's folder, where that is another name.
    pub put: Option<BelowPath>,
    /// The address is a page where a person accepts terms or logs in: only a mirror can be asked for the file.
    #[serde(default)]
    pub by_hand: bool,
}

/// A size and digest as one publisher records them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedDigest {
    /// Size in bytes.
    pub bytes: Option<u64>,
    /// SHA-256.
    pub sha256: Option<Sha256Hex>,
    /// MD5, where the publisher records no other.
    pub md5: Option<Md5Hex>,
    /// Size and digest are very likely those of the tar inside the tar.gz: whoever recorded them had a client that
    /// unpacked on the way.
    #[serde(default)]
    pub unpacked: bool,
    /// Who records it.
    pub source: String,
}

/// Terms of use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// The terms, in short.
    pub terms: String,
    /// Whether the publisher asks for a registration.
    pub registration_required: bool,
    /// Where this is said.
    pub source: String,
}

/// A known oddity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quirk {
    /// What it is.
    pub text: String,
    /// Where this is said.
    pub source: String,
}

impl Manifest {
    /// The folder that image paths of a CoOp split start from, relative to the data root;
    /// `None` for layouts without a split file.
    pub fn split_images_dir(&self) -> Option<String> {
        match &self.layout {
            Layout::CoopSplitJson { images_dir, .. } => Some(self.below_root(images_dir)),
            _ => None,
        }
    }

    /// A path inside the dataset's folder, relative to the data root.
    pub fn below_root(&self, inside: &BelowPath) -> String {
        match inside.as_str() {
            "." => self.folder.as_str().to_owned(),
            rest => self.folder.join_text(rest),
        }
    }
}
