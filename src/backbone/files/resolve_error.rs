//! Why a name given as a model leads to no model on this machine.

use std::path::PathBuf;

/// Why a model was not found, or not unambiguously.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Neither a path that exists nor a name of a model.
    #[error(
        "open {given} as a model: there is no such file or folder, and it is not a name such as \
         openai/clip-vit-base-patch16 or ViT-B/16 (`rpo-bench list models` shows what is on this machine)"
    )]
    NotFound {
        /// What was given.
        given: String,
    },
    /// A name that stands for a model which is nowhere on this machine.
    #[error("open {given} as a model: not on this machine; looked for {}. `rpo-bench model fetch {fetch}` gets it", looked.join(" and "))]
    Absent {
        /// What was given.
        given: String,
        /// The places.
        looked: Vec<String>,
        /// The id to fetch.
        fetch: String,
    },
    /// A folder with more than one model file.
    #[error("open {} as a model: several models lie there ({}); give one of the files", folder.display(), files.join(", "))]
    Several {
        /// The folder.
        folder: PathBuf,
        /// Names of the model files.
        files: Vec<String>,
    },
    /// A path to a file that is no model file by itself.
    #[error("open {} as a model: give the folder it lies in, with configuration, weights and tokenizer together", path.display())]
    PartOfAFolder {
        /// What was given.
        path: PathBuf,
    },
    /// A cached model without a reference to choose by.
    #[error("open {id} from {}: it has no refs/main and {} revisions; choose one: {}", repo.display(), revisions.len(), revisions.iter().map(|r| format!("{id}@{r}")).collect::<Vec<_>>().join(" or "))]
    Unreferenced {
        /// The model's id.
        id: String,
        /// Its folder in the hub cache.
        repo: PathBuf,
        /// Its revisions.
        revisions: Vec<String>,
    },
    /// A revision that is not in the cache.
    #[error("open {id} from {}: revision {revision} is not in its snapshots ({}); download it: `rpo-bench model fetch {id}@{revision}`", repo.display(), if there.is_empty() { "there are none".to_owned() } else { format!("there are {}", there.join(", ")) })]
    NoRevision {
        /// The model's id.
        id: String,
        /// Its folder in the hub cache.
        repo: PathBuf,
        /// The revision looked for.
        revision: String,
        /// References and revisions that are there.
        there: Vec<String>,
    },
    /// A download that did not come to its end.
    #[error("open {id} from {}: the download did not finish ({incomplete} is left of it, {missing} is missing); download it again: `rpo-bench model fetch {id}`", snapshot.display())]
    Interrupted {
        /// The model's id.
        id: String,
        /// The snapshot.
        snapshot: PathBuf,
        /// The unfinished file.
        incomplete: String,
        /// A file that should be there.
        missing: String,
    },
    /// A link to a blob that was deleted.
    #[error("open {id}: {} is a link to a blob that is gone ({target}); download it again: `rpo-bench model fetch {id}`", link.display())]
    Dangling {
        /// The model's id.
        id: String,
        /// The link.
        link: PathBuf,
        /// Where it points.
        target: String,
    },
    /// A folder of the cache could not be listed.
    #[error("read {}: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}
