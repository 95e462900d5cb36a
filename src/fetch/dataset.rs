//! A dataset as its manifest says: the archives that give its images, the split file, the class names, each put where
//! CoOp's layout wants it.
//!
//! Everything unfinished lies in DATA/.fetch/ID; what stands in the dataset's folder is whole.

use std::fs::File;
use std::path::Path;

use super::download::{Pinned, Places, download};
use super::error::FetchError;
use super::http::Client;
use super::into_folder::{place, put, remove};
use super::unpack::unpack;
use crate::data::checked::BelowPath;
use crate::data::guide::class_names_url;
use crate::data::{Archive, Layout, Manifest};

/// Where files are asked for and whether published digests are insisted on.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Asked as BASE/DATASET/FILE before the manifest's addresses.
    pub mirror: Option<String>,
    /// Takes what the mirror has, whatever its digest: repackaged archives.
    pub unchecked: bool,
}

/// One file to download.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its name, on a mirror too.
    pub file: String,
    /// Addresses in the order they are asked.
    pub urls: Vec<String>,
    /// What is published about it.
    pub published: Pinned,
    /// What becomes of it.
    pub kind: PieceKind,
}

/// What becomes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// It is put into the dataset's folder under this path.
    File(String),
    /// Unpacked; these folders of it are put into the dataset's folder, under the second name.
    Folders(Vec<(String, String)>),
}

/// Everything `data fetch` would ask for, in order. Archives that give the same stand in for each other.
pub fn pieces(manifest: &Manifest, sources: &Sources) -> Vec<Piece> {
    let is_dead =
        |archive: &&Archive| archive.status.as_ref().is_some_and(|status| status.starts_with("dead"));
    // What is known to be gone is asked last: a server may have come back.
    let (dead, alive): (Vec<_>, Vec<_>) = manifest.archives.iter().partition(is_dead);
    let archives = alive.into_iter().chain(dead).filter_map(|archive| piece(manifest, archive, sources));
    let mut pieces: Vec<Piece> = archives.collect();
    if let (Layout::CoopSplitJson { split_file, .. }, Some(facts)) = (&manifest.layout, &manifest.split_file)
    {
        let published = Pinned {
            bytes: facts.bytes,
            sha256: facts.sha256.as_ref().map(ToString::to_string),
            ..Pinned::default()
        };
        let kind = PieceKind::File(split_file.to_string());
        pieces.push(plain(manifest, split_file.as_str(), &[facts.url.as_str()], published, kind, sources));
    }
    if let Layout::ImagenetFolders { class_names_file, .. }
    | Layout::ImagenetVariant { class_names_file, .. } = &manifest.layout
    {
        let (url, name) = (class_names_url(manifest), class_names_file.as_str());
        let kind = PieceKind::File(name.to_owned());
        pieces.push(plain(manifest, name, &[url.as_str()], Pinned::default(), kind, sources));
    }
    pieces
}

fn piece(manifest: &Manifest, archive: &Archive, sources: &Sources) -> Option<Piece> {
    let rule = archive.fetch.as_ref()?;
    // A digest of the file itself goes before one of what is inside.
    let unpacked = archive.digests.iter().all(|digest| digest.unpacked);
    let digests = || archive.digests.iter().filter(|digest| digest.unpacked == unpacked);
    let published = Pinned {
        bytes: digests().find_map(|digest| digest.bytes),
        sha256: digests().find_map(|digest| digest.sha256.as_ref().map(ToString::to_string)),
        md5: digests().find_map(|digest| digest.md5.as_ref().map(ToString::to_string)),
        unpacked,
    };
    let put = |folder: &BelowPath| (folder.to_string(), rule.put.as_ref().unwrap_or(folder).to_string());
    let kind = PieceKind::Folders(rule.gives.iter().map(put).collect());
    let own = (!rule.by_hand).then_some(archive.url.as_str());
    let urls: Vec<&str> = own
        .into_iter()
        .chain(archive.mirror.as_deref().filter(|mirror| mirror.starts_with("http")))
        .collect();
    Some(plain(manifest, &archive.file, &urls, published, kind, sources))
}

fn plain(
    manifest: &Manifest,
    file: &str,
    urls: &[&str],
    published: Pinned,
    kind: PieceKind,
    sources: &Sources,
) -> Piece {
    let mirror =
        sources.mirror.as_ref().map(|base| format!("{}/{}/{file}", base.trim_end_matches('/'), manifest.id));
    let published = if sources.unchecked { Pinned::default() } else { published };
    let urls = mirror.into_iter().chain(urls.iter().map(|url| direct(url))).collect();
    Piece { file: file.to_owned(), urls, published, kind }
}

/// A page of Google Drive as the address of its file. Popular files answer with a quota page, which is recognised.
fn direct(url: &str) -> String {
    let id = url
        .strip_prefix("https://drive.google.com/file/d/")
        .and_then(|rest| rest.split('/').next())
        .or_else(|| url.strip_prefix("https://drive.google.com/open?id="));
    match id {
        Some(id) => {
            format!("https://drive.usercontent.google.com/download?id={id}&export=download&confirm=t")
        }
        None => url.to_owned(),
    }
}

/// Downloads and places what the dataset lacks below `data`.
///
/// # Errors
/// [`FetchError::Dataset`] with every address that failed and why.
pub fn fetch(
    client: &Client,
    manifest: &Manifest,
    sources: &Sources,
    data: &Path,
    progress: &mut dyn FnMut(&str, u64, Option<u64>),
) -> Result<(), FetchError> {
    let home = data.join(manifest.folder.as_str());
    let work = data.join(".fetch").join(manifest.id.as_str());
    std::fs::create_dir_all(&work).map_err(FetchError::io("make", &work))?;
    // One process at a time unpacks a dataset; the second finds it done.
    let path = work.join("fetch.lock");
    let lock = File::create(&path).map_err(FetchError::io("open", &path))?;
    lock.lock().map_err(FetchError::io("lock", &path))?;
    let mut failures = Vec::new();
    for piece in pieces(manifest, sources) {
        if piece.missing(&home).is_empty() {
            continue;
        }
        let one = one(client, &piece, &home, &work, manifest, &mut |at, of| progress(&piece.file, at, of));
        match one {
            Ok(()) => {}
            Err(error @ (FetchError::Io { .. } | FetchError::DiskFull { .. })) => return Err(error),
            Err(error) => failures.push(error.to_string()),
        }
    }
    let lacking: Vec<String> =
        pieces(manifest, sources).iter().flat_map(|piece| piece.missing(&home)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let how = format!("`rpo-bench data list {}` says where a person gets it", manifest.id);
    let problem = format!("{} is missing; {how}. {}", lacking.join(", "), failures.join("; "));
    Err(FetchError::Dataset { id: manifest.id.to_string(), problem })
}

impl Piece {
    /// What of it is not in the dataset's folder.
    fn missing(&self, home: &Path) -> Vec<String> {
        let names = match &self.kind {
            PieceKind::File(name) => vec![name.clone()],
            PieceKind::Folders(folders) => folders.iter().map(|(_, put)| put.clone()).collect(),
        };
        names.into_iter().filter(|name| !home.join(name).exists()).collect()
    }
}

fn one(
    client: &Client,
    piece: &Piece,
    home: &Path,
    work: &Path,
    manifest: &Manifest,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), FetchError> {
    let file = work.join(&piece.file);
    download(client, &piece.urls, &piece.published, &Places::beside(&file), progress)?;
    std::fs::create_dir_all(home).map_err(FetchError::io("make", home))?;
    let folders = match &piece.kind {
        PieceKind::File(name) => return place(&file, &home.join(name)),
        PieceKind::Folders(folders) => folders,
    };
    let unpacked = work.join("unpacked");
    remove(&unpacked)?;
    let done = unpack(&file, &unpacked).and_then(|()| put(&file, &unpacked, folders, home, manifest));
    remove(&unpacked)?;
    // The archive is as large as what came out of it; a damaged one must not be met again either.
    std::fs::remove_file(&file).map_err(FetchError::io("remove", &file))?;
    done
}
