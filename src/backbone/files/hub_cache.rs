//! HuggingFace's cache on disk, as the Python library lays it out: one folder a model with blobs, refs, snapshots.
//!
//! Owns where it lies, which snapshot a name means and whether that snapshot is whole. No connection is opened here.

use std::path::{Path, PathBuf};

use super::hub_id::HubId;
use super::resolve_error::ResolveError;

/// Files that make a snapshot unusable when one of them is a link to nothing.
const ENDINGS: [&str; 4] = ["json", "safetensors", "bin", "txt"];
const WEIGHTS: [&str; 4] =
    ["model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin"];
const SHARD_INDEX: &str = "model.safetensors.index.json";

/// One revision of a model in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The model.
    pub id: HubId,
    /// The commit: the folder's name.
    pub revision: String,
    /// The folder.
    pub path: PathBuf,
}

/// The hub folder: `$HF_HUB_CACHE`, else `$HF_HOME/hub`, else `$XDG_CACHE_HOME/huggingface/hub`, else
/// `~/.cache/huggingface/hub`; none without a home folder.
pub fn hub_folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("HF_HUB_CACHE")
        .or_else(|| Some(set("HF_HOME")?.join("hub")))
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("huggingface/hub")))
        .or_else(|| Some(std::env::home_dir()?.join(".cache/huggingface/hub")))
}

/// The folder of a model in a hub folder.
pub fn repo_folder(hub: &Path, id: &HubId) -> PathBuf {
    hub.join(format!("models--{}", id.text().replace('/', "--")))
}

/// The id a folder of the hub is about.
pub fn id_of_repo(repo: &Path) -> Option<HubId> {
    let name = repo.file_name()?.to_str()?.strip_prefix("models--")?;
    HubId::parse(&name.replacen("--", "/", 1))
}

/// Every model folder of a hub, in name order; none where the hub is not there.
pub fn repos(hub: &Path) -> Vec<(HubId, PathBuf)> {
    let entries = std::fs::read_dir(hub).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut repos: Vec<_> = entries.filter_map(|path| Some((id_of_repo(&path)?, path))).collect();
    repos.sort_by(|a, b| a.1.cmp(&b.1));
    repos
}

/// The snapshot a revision of a model means: a reference, a commit or the start of one. Without a revision that of
/// refs/main, else the only one.
///
/// # Errors
/// [`ResolveError`]: no such revision, or several and no reference; a snapshot that is not whole.
pub fn snapshot(id: &HubId, repo: &Path, revision: Option<&str>) -> Result<Snapshot, ResolveError> {
    let commits = names(&repo.join("snapshots"))?;
    let refs = names(&repo.join("refs"))?;
    let wanted = revision.unwrap_or("main");
    let commit = match (reference(repo, wanted)?, commits.as_slice()) {
        (Some(commit), _) => commit,
        (None, [only]) if revision.is_none() => only.clone(),
        (None, [_, _, ..]) if revision.is_none() => {
            let (id, repo) = (id.text().to_owned(), repo.to_owned());
            return Err(ResolveError::Unreferenced { id, repo, revisions: commits });
        }
        (None, _) => wanted.to_owned(),
    };
    let starts: Vec<&String> = commits.iter().filter(|there| there.starts_with(&commit)).collect();
    match starts.as_slice() {
        [one] if commit.len() >= 7 => whole(id, repo, one),
        _ => Err(ResolveError::NoRevision {
            id: id.text().to_owned(),
            repo: repo.to_owned(),
            revision: commit,
            there: [refs, commits].concat(),
        }),
    }
}

/// What `refs/NAME` says; none where there is no such reference.
fn reference(repo: &Path, name: &str) -> Result<Option<String>, ResolveError> {
    if name.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Ok(None);
    }
    let path = repo.join("refs").join(name);
    if !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).map_err(|source| ResolveError::Io { path, source })?;
    Ok(Some(text.trim().to_owned()).filter(|commit| !commit.is_empty()))
}

/// A snapshot, checked: its download finished, and nothing it links to is gone.
///
/// # Errors
/// [`ResolveError::Dangling`] and [`ResolveError::Interrupted`].
pub fn whole(id: &HubId, repo: &Path, commit: &str) -> Result<Snapshot, ResolveError> {
    let path = repo.join("snapshots").join(commit);
    for name in names(&path)? {
        let link = path.join(&name);
        let matters = link.extension().is_some_and(|ending| ENDINGS.iter().any(|e| ending == *e));
        if matters && !link.exists() {
            let target = std::fs::read_link(&link).unwrap_or_default().display().to_string();
            return Err(ResolveError::Dangling { id: id.text().to_owned(), link, target });
        }
    }
    if let (Some(missing), Some(incomplete)) = (missing(&path), incomplete(repo)?) {
        let id = id.text().to_owned();
        return Err(ResolveError::Interrupted { id, snapshot: path, incomplete, missing });
    }
    Ok(Snapshot { id: id.clone(), revision: commit.to_owned(), path })
}

/// A file that a whole model has and this snapshot has not.
fn missing(snapshot: &Path) -> Option<String> {
    let has = |name: &str| snapshot.join(name).exists();
    if !has("config.json") && !has("open_clip_config.json") {
        return Some("config.json".to_owned());
    }
    if WEIGHTS.into_iter().any(has) {
        return None;
    }
    let index = std::fs::read_to_string(snapshot.join(SHARD_INDEX)).ok();
    let index: Option<serde_json::Value> = index.and_then(|text| serde_json::from_str(&text).ok());
    let Some(index) = index else { return Some("model.safetensors".to_owned()) };
    let shards = index["weight_map"].as_object()?.values().filter_map(|shard| shard.as_str());
    shards.into_iter().find(|shard| !has(shard)).map(str::to_owned)
}

/// An unfinished download of a model: newer libraries name it BLOB.<8 hex>.incomplete, older ones BLOB.incomplete.
fn incomplete(repo: &Path) -> Result<Option<String>, ResolveError> {
    let blobs = names(&repo.join("blobs"))?;
    let name = blobs.into_iter().find(|name| name.ends_with(".incomplete"));
    Ok(name.map(|name| format!("blobs/{name}")))
}

/// File names in a folder, sorted; none where it is not there.
fn names(folder: &Path) -> Result<Vec<String>, ResolveError> {
    let fail = |source| ResolveError::Io { path: folder.to_owned(), source };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        names.push(entry.map_err(fail)?.file_name().display().to_string());
    }
    names.sort();
    Ok(names)
}
