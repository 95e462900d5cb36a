//! Models into HuggingFace's cache, laid out as the Python library does it, so that both find each other's files.
//!
//! Blobs are named by the hub (SHA-256 of large files, git's hash of small ones), snapshots link to them, and the
//! reference is written last: until then the model counts as not there.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::download::{Pinned, Places, Progress, download};
use super::error::FetchError;
use super::http::Client;
use crate::backbone::files::hub_cache::repo_folder;
use crate::backbone::files::hub_id::HubId;

/// Where HuggingFace is, unless `$HF_ENDPOINT` says otherwise.
pub const ENDPOINT: &str = "https://huggingface.co";
/// Files beside the weights, of either library.
const SMALL: [&str; 10] = [
    "config.json",
    "open_clip_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
];
/// Weights, the first that is there.
const WEIGHTS: [&str; 4] =
    ["model.safetensors", "open_clip_model.safetensors", "pytorch_model.bin", "open_clip_pytorch_model.bin"];
const SHARD_INDEX: &str = "model.safetensors.index.json";

#[derive(Deserialize)]
struct Listing {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

/// One file of a model on the hub.
#[derive(Clone, Debug)]
pub struct HubFile {
    /// Its name in the model.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// What the hub calls its content.
    pub blob: String,
    /// Its size, where the hub says it.
    pub bytes: Option<u64>,
}

/// What a fetch of a model would get.
#[derive(Clone, Debug)]
pub struct HubPlan {
    /// The model.
    pub id: HubId,
    /// The commit.
    pub commit: String,
    /// The reference that leads to it, unless the commit itself was asked for.
    pub reference: Option<String>,
    /// The files.
    pub files: Vec<HubFile>,
}

/// Asks the hub what a model consists of.
///
/// # Errors
/// [`FetchError`]: no such model or revision, no CLIP among its files, a gated model without `HF_TOKEN`.
pub fn plan(
    client: &Client,
    endpoint: &str,
    id: &HubId,
    revision: Option<&str>,
) -> Result<HubPlan, FetchError> {
    let refuse = |problem: String| FetchError::Hub { id: id.text().to_owned(), problem };
    let wanted = revision.unwrap_or("main");
    let escaped = wanted.replace('/', "%2F");
    let text = client.small(&format!("{endpoint}/api/models/{}/revision/{escaped}", id.text()))?;
    let listing: Listing = serde_json::from_str(&text)
        .map_err(|error| refuse(format!("the hub's answer is not its list of files: {error}")))?;
    if listing.sha.len() != 40 || !listing.sha.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(refuse(format!("the hub calls its commit {:?}", listing.sha)));
    }
    let names: Vec<&str> = listing.siblings.iter().map(|file| file.rfilename.as_str()).collect();
    let has = |name: &str| names.contains(&name);
    let mut chosen: Vec<String> = SMALL.into_iter().filter(|name| has(name)).map(str::to_owned).collect();
    match WEIGHTS.into_iter().find(|name| has(name)) {
        Some(single) if single == WEIGHTS[0] || !has(SHARD_INDEX) => chosen.push(single.to_owned()),
        None if !has(SHARD_INDEX) => {
            return Err(refuse(format!("none of {} is among its files", WEIGHTS.join(", "))));
        }
        _ => {
            chosen.push(SHARD_INDEX.to_owned());
            let shard = |name: &&str| name.starts_with("model-") && name.ends_with(".safetensors");
            let plain = |name: &&str| shard(name) && !name.contains('/');
            chosen.extend(names.iter().copied().filter(plain).map(str::to_owned));
        }
    }
    if !has("config.json") && !has("open_clip_config.json") {
        return Err(refuse("neither config.json nor open_clip_config.json is among its files".to_owned()));
    }
    let commit = listing.sha;
    let file = |name: String| -> Result<HubFile, FetchError> {
        let url = format!("{endpoint}/{}/resolve/{commit}/{name}", id.text());
        let (blob, bytes) = describe(client, &url)?;
        let blob = blob.ok_or_else(|| refuse(format!("the hub gives no ETag for {name}")))?;
        Ok(HubFile { name, url, blob, bytes })
    };
    let files = chosen.into_iter().map(file).collect::<Result<_, _>>()?;
    let reference = (wanted != commit).then(|| wanted.to_owned());
    Ok(HubPlan { id: id.clone(), commit: commit.clone(), reference, files })
}

/// A file's name as content and its size, out of the hub's own headers.
fn describe(client: &Client, url: &str) -> Result<(Option<String>, Option<u64>), FetchError> {
    let response = client.head(url)?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let tag = header("X-Linked-Etag").or_else(|| header("ETag"));
    let tag = tag.map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned());
    let plain = |tag: &String| !tag.is_empty() && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let size = header("X-Linked-Size").or_else(|| {
        let redirected = response.status().is_redirection();
        header("Content-Length").filter(|_| !redirected)
    });
    Ok((tag.filter(plain), size.and_then(|size| size.parse().ok())))
}

impl HubPlan {
    /// Bytes of all files whose size is known.
    pub fn bytes(&self) -> u64 {
        self.files.iter().filter_map(|file| file.bytes).sum()
    }

    /// Downloads what is missing into `hub` and links it: the snapshot's folder.
    ///
    /// # Errors
    /// [`FetchError`]; what has arrived stays for the next try.
    pub fn fetch(&self, client: &Client, hub: &Path, progress: Progress<'_>) -> Result<PathBuf, FetchError> {
        let repo = repo_folder(hub, &self.id);
        let snapshot = repo.join("snapshots").join(&self.commit);
        let locks = hub.join(".locks").join(repo.file_name().unwrap_or_default());
        for folder in [&snapshot, &repo.join("refs"), &repo.join("blobs"), &locks] {
            std::fs::create_dir_all(folder).map_err(FetchError::io("make", folder))?;
        }
        for file in &self.files {
            let blob = repo.join("blobs").join(&file.blob);
            let mut part = blob.clone().into_os_string();
            part.push(".incomplete");
            let lock = locks.join(format!("{}.lock", file.blob));
            let places = Places { file: blob, part: part.into(), lock };
            // A name of 64 digits is the content's SHA-256.
            let sha256 = Some(file.blob.clone()).filter(|name| name.len() == 64);
            let published = Pinned { bytes: file.bytes, sha256, ..Pinned::default() };
            download(client, std::slice::from_ref(&file.url), &published, &places, progress)?;
            link(&snapshot.join(&file.name), &file.blob)?;
        }
        if let Some(reference) = &self.reference {
            let path = repo.join("refs").join(reference);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(FetchError::io("make", folder))?;
            }
            crate::util::atomic_file::write(&path, self.commit.as_bytes())
                .map_err(FetchError::io("write", &path))?;
        }
        Ok(snapshot)
    }
}

/// Links a snapshot's file to its blob, in place of any link that is there.
fn link(path: &Path, blob: &str) -> Result<(), FetchError> {
    let target = Path::new("../../blobs").join(blob);
    if std::fs::read_link(path).is_ok_and(|there| there == target) {
        return Ok(());
    }
    let new = path.with_extension(format!("{}.new", std::process::id()));
    std::os::unix::fs::symlink(&target, &new)
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(FetchError::io("link", path))
}
