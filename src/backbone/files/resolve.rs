//! From what a person gives as a model to a place on disk and a name. No connection is opened.
//!
//! A path that exists is always taken as a path. Otherwise OpenAI's names are looked up in `~/.cache/clip` and in
//! HuggingFace's cache, and `owner/name[@revision]` in HuggingFace's cache.

use std::path::{Path, PathBuf};

use super::hub_cache::{self, Snapshot};
use super::hub_id::HubId;
use super::known_names::{KNOWN_MODELS, KnownModel, known_model, openai_folder};
use super::load_error::LoadError;
use super::resolve_error::ResolveError;

/// A model's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// A folder or a file.
    pub path: PathBuf,
    /// What the model is called: a hub id, a file's name without its ending, a folder's name.
    pub name: String,
    /// The commit, of a model in HuggingFace's cache.
    pub revision: Option<String>,
}

impl From<Snapshot> for Found {
    fn from(snapshot: Snapshot) -> Self {
        let name = snapshot.id.text().to_owned();
        Self { path: snapshot.path, name, revision: Some(snapshot.revision) }
    }
}

/// Finds the model `given` means.
///
/// # Errors
/// [`ResolveError`], where nothing or too much is found.
pub fn resolve(given: &Path) -> Result<Found, LoadError> {
    if given.exists() {
        return in_hub(given).unwrap_or_else(|| plain(given));
    }
    let text = given.to_str().unwrap_or_default();
    if let Some(known) = known_model(text) {
        return Ok(by_known_name(text, known)?);
    }
    match HubId::with_revision(text) {
        Some((id, revision)) => Ok(by_id(text, &id, revision)?),
        None => Err(ResolveError::NotFound { given: given.display().to_string() }.into()),
    }
}

/// A folder of HuggingFace's cache, or one of its snapshots.
fn in_hub(path: &Path) -> Option<Result<Found, LoadError>> {
    let real = path.canonicalize().ok()?;
    if let Some(id) = hub_cache::id_of_repo(&real).filter(|_| real.join("snapshots").is_dir()) {
        return Some(hub_cache::snapshot(&id, &real, None).map(Found::from).map_err(LoadError::from));
    }
    let commit = real.file_name()?.to_str()?;
    let snapshots =
        real.parent().filter(|parent| parent.file_name().is_some_and(|name| name == "snapshots"))?;
    let repo = snapshots.parent()?;
    let id = hub_cache::id_of_repo(repo)?;
    Some(hub_cache::whole(&id, repo, commit).map(Found::from).map_err(LoadError::from))
}

/// The last part of the path as it was given, of a file without its ending; of the real path where that is `.` or `..`.
fn plain(path: &Path) -> Result<Found, LoadError> {
    let name_of = |path: &Path| match path.is_file() {
        true => path.file_stem().map(|name| name.display().to_string()),
        false => path.file_name().map(|name| name.display().to_string()),
    };
    let name = match name_of(path) {
        Some(name) => name,
        None => name_of(&path.canonicalize().map_err(LoadError::io("open", path))?)
            .unwrap_or_else(|| "model".to_owned()),
    };
    Ok(Found { path: path.to_owned(), name, revision: None })
}

fn by_known_name(given: &str, known: &KnownModel) -> Result<Found, ResolveError> {
    let openai = openai_folder().map(|folder| folder.join(known.file));
    if let Some(path) = openai.clone().filter(|path| path.is_file()) {
        let name = known.file.trim_end_matches(".pt").to_owned();
        return Ok(Found { path, name, revision: None });
    }
    let mut looked: Vec<String> = openai.iter().map(|path| path.display().to_string()).collect();
    let id = known.id.and_then(HubId::parse);
    if let (Some(id), Some(hub)) = (&id, hub_cache::hub_folder()) {
        let repo = hub_cache::repo_folder(&hub, id);
        if repo.is_dir() {
            return Ok(hub_cache::snapshot(id, &repo, None)?.into());
        }
        looked.push(repo.display().to_string());
    }
    let fetch = known.id.unwrap_or(known.name).to_owned();
    Err(ResolveError::Absent { given: given.to_owned(), looked, fetch })
}

fn by_id(given: &str, id: &HubId, revision: Option<&str>) -> Result<Found, ResolveError> {
    let hub = hub_cache::hub_folder();
    let repo = hub.map(|hub| hub_cache::repo_folder(&hub, id));
    match repo {
        Some(repo) if repo.is_dir() => Ok(hub_cache::snapshot(id, &repo, revision)?.into()),
        repo => Err(ResolveError::Absent {
            given: given.to_owned(),
            looked: repo.iter().map(|repo| repo.display().to_string()).collect(),
            fetch: given.to_owned(),
        }),
    }
}

/// What lies on this machine where models usually lie: OpenAI's downloads, and HuggingFace's cache with what is wrong
/// with a model there. Whether a hub model is a CLIP is for opening it to find.
pub fn on_this_machine() -> Vec<(String, Result<Found, ResolveError>)> {
    let downloads = openai_folder();
    let files = KNOWN_MODELS.iter().filter_map(|known| Some((known, downloads.as_ref()?.join(known.file))));
    let files = files.filter(|(_, path)| path.is_file()).map(|(known, path)| {
        let name = known.file.trim_end_matches(".pt").to_owned();
        (known.name.to_owned(), Ok(Found { path, name, revision: None }))
    });
    let hub = hub_cache::hub_folder().map(|hub| hub_cache::repos(&hub)).unwrap_or_default();
    let cached = hub.into_iter().map(|(id, repo)| {
        let found = hub_cache::snapshot(&id, &repo, None).map(Found::from);
        (id.text().to_owned(), found)
    });
    files.chain(cached).collect()
}
