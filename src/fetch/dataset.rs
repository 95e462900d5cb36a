//! A dataset as its manifest says: the archives that give its images, the split file, the class names, each put where
//! CoOp's layout wants it.
//!
//! Everything unfinished lies in DATA/.fetch/ID; what stands in the dataset's folder is whole.

use std::path::{Path, PathBuf};

use super::download::{Places, Published, download};
use super::error::FetchError;
use super::http::Client;
use super::unpack::{is_archive, unpack};
use crate::data::checked::BelowPath;
use crate::data::guide::class_names_url;
use crate::data::{Archive, Layout, Manifest};

/// How deep a wanted folder may lie in an archive.
const MOST_DEPTH: usize = 4;

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
    pub published: Published,
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
        let published = Published {
            bytes: facts.bytes,
            sha256: facts.sha256.as_ref().map(ToString::to_string),
            ..Published::default()
        };
        let kind = PieceKind::File(split_file.to_string());
        pieces.push(plain(manifest, split_file.as_str(), &[facts.url.as_str()], published, kind, sources));
    }
    if let Layout::ImagenetFolders { class_names_file, .. }
    | Layout::ImagenetVariant { class_names_file, .. } = &manifest.layout
    {
        let (url, name) = (class_names_url(manifest), class_names_file.as_str());
        let kind = PieceKind::File(name.to_owned());
        pieces.push(plain(manifest, name, &[url.as_str()], Published::default(), kind, sources));
    }
    pieces
}

fn piece(manifest: &Manifest, archive: &Archive, sources: &Sources) -> Option<Piece> {
    let rule = archive.fetch.as_ref()?;
    // A digest of the file itself goes before one of what is inside.
    let unpacked = archive.digests.iter().all(|digest| digest.unpacked);
    let digests = || archive.digests.iter().filter(|digest| digest.unpacked == unpacked);
    let published = Published {
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
    published: Published,
    kind: PieceKind,
    sources: &Sources,
) -> Piece {
    let mirror =
        sources.mirror.as_ref().map(|base| format!("{}/{}/{file}", base.trim_end_matches('/'), manifest.id));
    let published = if sources.unchecked { Published::default() } else { published };
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

/// Moves the wanted folders and the lists beside them into the dataset's folder.
fn put(
    archive: &Path,
    unpacked: &Path,
    folders: &[(String, String)],
    home: &Path,
    manifest: &Manifest,
) -> Result<(), FetchError> {
    for (wanted, name) in folders {
        let found = match find(unpacked, wanted)? {
            Some(found) => found,
            // Caltech101's zip holds a second archive.
            None => {
                unpack_inner(unpacked)?;
                find(unpacked, wanted)?.ok_or_else(|| nothing_wanted(archive, unpacked, wanted))?
            }
        };
        let beside = found.parent().unwrap_or(unpacked).to_owned();
        for list in lists(manifest) {
            let (from, to) = (beside.join(&list), home.join(&list));
            if from.is_file() && !to.exists() {
                place(&from, &to)?;
            }
        }
        if !home.join(name).exists() {
            place(&found, &home.join(name))?;
        }
    }
    Ok(())
}

/// Small files that lie beside the images in an archive and belong beside them.
fn lists(manifest: &Manifest) -> Vec<String> {
    match &manifest.layout {
        Layout::FgvcLists { class_list_file, train_list_file, val_list_file, test_list_file, .. } => {
            [class_list_file, train_list_file, val_list_file, test_list_file].map(ToString::to_string).into()
        }
        _ => Vec::new(),
    }
}

/// The folder of that name that lies least deep.
fn find(root: &Path, wanted: &str) -> Result<Option<PathBuf>, FetchError> {
    let mut level = vec![root.to_owned()];
    for _ in 0..MOST_DEPTH {
        if let Some(found) = level.iter().map(|folder| folder.join(wanted)).find(|path| path.is_dir()) {
            return Ok(Some(found));
        }
        let mut next = Vec::new();
        for folder in &level {
            next.extend(entries(folder)?.into_iter().filter(|path| path.is_dir()));
        }
        level = next;
    }
    Ok(None)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, FetchError> {
    let listed = std::fs::read_dir(folder).map_err(FetchError::io("read", folder))?;
    let mut paths = Vec::new();
    for entry in listed {
        paths.push(entry.map_err(FetchError::io("read", folder))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Unpacks the archives that lie in an unpacked archive or one folder below.
fn unpack_inner(root: &Path) -> Result<(), FetchError> {
    let mut files = entries(root)?;
    for folder in files.clone().into_iter().filter(|path| path.is_dir()) {
        files.extend(entries(&folder)?);
    }
    for (at, file) in files.into_iter().filter(|path| path.is_file()).enumerate() {
        if is_archive(&file)? {
            unpack(&file, &root.join(format!("inner-{at}")))?;
        }
    }
    Ok(())
}

fn nothing_wanted(archive: &Path, unpacked: &Path, wanted: &str) -> FetchError {
    let first =
        entries(unpacked).ok().and_then(|paths| Some(paths.first()?.file_name()?.display().to_string()));
    let (archive, wanted) = (archive.to_owned(), wanted.to_owned());
    FetchError::NothingWanted { archive, wanted, found: first.unwrap_or_default() }
}

/// Gives a finished file or folder its final name, on the same disk.
fn place(from: &Path, to: &Path) -> Result<(), FetchError> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(FetchError::io("make", folder))?;
    }
    std::fs::rename(from, to).map_err(FetchError::io("put into place", to))
}

fn remove(folder: &Path) -> Result<(), FetchError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(FetchError::Io { action: "remove", path: folder.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}
