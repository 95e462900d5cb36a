//! The nouns of a classification dataset: items, splits, and which half of the classes is meant.

use serde::{Deserialize, Serialize};

/// One labelled image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Path relative to the data root, `/`-separated on every platform. It is an identifier too:
    /// augmentation streams and predictions are keyed by it.
    pub path: String,
    /// Class index in the dataset's full label space, before any base/new halving.
    pub label: u32,
}

/// A dataset's three lists, in the order of the split file: draws depend on that order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Items the few-shot training draw picks from.
    pub train: Vec<Item>,
    /// Items the few-shot validation draw picks from; empty where the dataset has none (ImageNet).
    pub val: Vec<Item>,
    /// Test items, never drawn from.
    pub test: Vec<Item>,
}

/// Which classes of a dataset take part: all, the first half (base) or the second (new).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Classes {
    /// The first ⌈n/2⌉ labels in sorted order.
    Base,
    /// The remaining labels, relabelled from 0.
    New,
    /// Every label.
    All,
}

impl Classes {
    /// The name used in files and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Classes::Base => "base",
            Classes::New => "new",
            Classes::All => "all",
        }
    }
}

impl std::fmt::Display for Classes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
