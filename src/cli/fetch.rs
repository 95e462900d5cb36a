//! `model fetch` and `data fetch`.

use std::path::Path;

use indicatif::ProgressBar;

use super::args::PatienceArgs;
use super::exit::{Exit, Failure};
use super::progress::bar;
use crate::backbone::files::hub_cache::hub_folder;
use crate::backbone::files::hub_id::HubId;
use crate::backbone::files::known_names::{KnownModel, known_model, openai_folder};
use crate::data::{Manifest, embedded};
use crate::fetch::dataset::{Sources, fetch, pieces};
use crate::fetch::download::{Pinned, Places, download};
use crate::fetch::hub::{ENDPOINT, plan};
use crate::fetch::space::free_bytes;
use crate::fetch::{Client, FetchError};

fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A bar of bytes that follows a download.
fn follow(progress: &ProgressBar, at: u64, of: Option<u64>) {
    progress.set_length(of.unwrap_or(at));
    progress.set_position(at);
}

pub(super) fn model(given: &str, dry_run: bool, patience: PatienceArgs) -> Result<Exit, Failure> {
    if set("HF_HUB_OFFLINE")
        .is_some_and(|value| ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str()))
    {
        return Err(Failure::new(
            Exit::Usage,
            "HF_HUB_OFFLINE is set: no connection is opened; unset it to fetch",
        ));
    }
    let known = known_model(given);
    let (id, revision) = match (known, HubId::with_revision(given)) {
        (Some(known), _) => match known.id.and_then(HubId::parse) {
            Some(id) => (id, None),
            None => return openai(known, dry_run, patience),
        },
        (None, Some(both)) => both,
        (None, None) => {
            let message =
                format!("model fetch {given}: expected owner/name[@revision], or a name such as ViT-B/16");
            return Err(Failure::new(Exit::Usage, message));
        }
    };
    let hub = hub_folder().ok_or_else(|| Failure::new(Exit::Usage, "no home folder: set HF_HOME"))?;
    let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
    let client = Client::new(patience.patience(), set("HF_TOKEN"));
    let plan = plan(&client, endpoint.trim_end_matches('/'), &id, revision)?;
    if dry_run {
        for file in &plan.files {
            println!("{}  {} bytes", file.url, file.bytes.map_or("?".to_owned(), |bytes| bytes.to_string()));
        }
        println!("{} bytes into {}, {}", plan.bytes(), hub.display(), room(&hub)?);
        return Ok(Exit::Ok);
    }
    let progress = bar(0, id.text());
    let snapshot = plan.fetch(&client, &hub, &mut |at, of| follow(&progress, at, of))?;
    progress.finish_and_clear();
    println!("{}", snapshot.display());
    eprintln!("use it as --clip {given}");
    Ok(Exit::Ok)
}

/// A model only OpenAI offers, into the folder its own code downloads to.
fn openai(known: &KnownModel, dry_run: bool, patience: PatienceArgs) -> Result<Exit, Failure> {
    let folder = openai_folder().ok_or_else(|| Failure::new(Exit::Usage, "no home folder: set HOME"))?;
    let file = folder.join(known.file);
    let url = format!("https://openaipublic.azureedge.net/clip/models/{}/{}", known.sha256, known.file);
    if dry_run {
        println!("{url}  {} bytes into {}, {}", known.bytes, file.display(), room(&folder)?);
        return Ok(Exit::Ok);
    }
    let published =
        Pinned { bytes: Some(known.bytes), sha256: Some(known.sha256.to_owned()), ..Pinned::default() };
    let progress = bar(known.bytes, known.name);
    let client = Client::new(patience.patience(), None);
    download(&client, &[url], &published, &Places::beside(&file), &mut |at, of| follow(&progress, at, of))?;
    progress.finish_and_clear();
    println!("{}", file.display());
    Ok(Exit::Ok)
}

/// The free space where a folder is or would be.
fn room(folder: &Path) -> Result<String, FetchError> {
    let there = folder.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/"));
    Ok(format!("{} bytes free there", free_bytes(there)?))
}

pub(super) fn datasets(
    ids: &[String],
    data: &Path,
    sources: &Sources,
    dry_run: bool,
    patience: PatienceArgs,
) -> Result<Exit, Failure> {
    let manifest = |id: &String| embedded::manifest(id).map_err(|error| Failure::new(Exit::Usage, error));
    let manifests = ids.iter().map(manifest).collect::<Result<Vec<_>, _>>()?;
    let client = Client::new(patience.patience(), set("HF_TOKEN"));
    let mut fetched = Vec::new();
    let mut failed = false;
    for manifest in &manifests {
        terms(manifest);
        if dry_run {
            show(manifest, sources);
            continue;
        }
        let progress = bar(0, manifest.id.as_str());
        let mut follow = |file: &str, at: u64, of: Option<u64>| {
            progress.set_message(format!("{} {file}", manifest.id));
            follow(&progress, at, of);
        };
        let result = fetch(&client, manifest, sources, data, &mut follow);
        progress.finish_and_clear();
        match result {
            Ok(()) => fetched.push(manifest.id.to_string()),
            Err(error) => {
                failed = true;
                eprintln!("error: {error}");
            }
        }
    }
    if dry_run {
        println!("into {}, {}", data.display(), room(data)?);
        return Ok(Exit::Ok);
    }
    if !fetched.is_empty() {
        let root = data.display().to_string();
        let sound = super::data::check(&fetched, &root, true, None, false)?;
        // Who takes other archives than the published ones knows that counts may differ; the table says where.
        failed |= sound != Exit::Ok && !sources.unchecked;
    }
    Ok(if failed { Exit::Data } else { Exit::Ok })
}

fn terms(manifest: &Manifest) {
    let terms = manifest.licence.as_ref().map_or("no statement was found", |licence| licence.terms.as_str());
    eprintln!("{} ({}), terms: {terms}", manifest.display_name, manifest.id);
}

fn show(manifest: &Manifest, sources: &Sources) {
    for piece in pieces(manifest, sources) {
        let bytes = piece.published.bytes.map_or("size unknown".to_owned(), |bytes| format!("{bytes} bytes"));
        println!("{} {}  {bytes}", manifest.id, piece.file);
        for url in &piece.urls {
            println!("  {url}");
        }
        if piece.urls.is_empty() {
            println!("  by hand only: `rpo-bench data list {}` says where", manifest.id);
        }
    }
}
