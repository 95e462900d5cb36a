//! One file, from the first of several addresses that has it, whole and checked.
//!
//! What arrives goes to NAME.part, which is locked against a second fetch, continued by range after a cut or a kill,
//! checked for length and digest, and renamed at the end.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use md5::Md5;
use sha2::{Digest, Sha256};

use super::error::FetchError;
use super::http::{Answer, Client, Refused, pause};
use super::space::check_room;
use crate::util::hex;

const BUFFER: usize = 1 << 18;
/// How much of a file is looked at to tell a page from it.
const SNIFFED: usize = 512;

/// What is known about a file beforehand.
#[derive(Clone, Debug, Default)]
pub struct Pinned {
    /// Size.
    pub bytes: Option<u64>,
    /// SHA-256, lower-case hex.
    pub sha256: Option<String>,
    /// MD5, where no SHA-256 is published.
    pub md5: Option<String>,
    /// Size and digest are those of the tar inside, where the file is a tar.gz.
    pub unpacked: bool,
}

impl Pinned {
    /// The length a server must state.
    fn transferred(&self) -> Option<u64> {
        self.bytes.filter(|_| !self.unpacked)
    }
}

/// What is told while bytes arrive: how many are there, of how many.
pub type Progress<'a> = &'a mut dyn FnMut(u64, Option<u64>);

/// Where a download is written until it is whole.
#[derive(Clone, Debug)]
pub struct Places {
    /// The final name.
    pub file: PathBuf,
    /// The unfinished file.
    pub part: PathBuf,
    /// Held while one process works on it.
    pub lock: PathBuf,
}

impl Places {
    /// NAME, NAME.part and NAME.lock in one folder.
    pub fn beside(file: &Path) -> Self {
        let with = |ending: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        Self { file: file.to_owned(), part: with(".part"), lock: with(".lock") }
    }
}

/// Downloads `places.file` from the first of `urls` that has it. A file that is there already is checked and kept.
///
/// # Errors
/// [`FetchError`] of the last address. An unfinished part stays, a wrong one does not.
pub fn download(
    client: &Client,
    urls: &[String],
    published: &Pinned,
    places: &Places,
    progress: Progress<'_>,
) -> Result<(), FetchError> {
    if let Some(folder) = places.file.parent() {
        std::fs::create_dir_all(folder).map_err(FetchError::io("make", folder))?;
    }
    let lock = File::create(&places.lock).map_err(FetchError::io("open", &places.lock))?;
    lock.lock().map_err(FetchError::io("lock", &places.lock))?;
    if places.file.exists() {
        return check(&places.file, &places.file.display().to_string(), published);
    }
    let mut last = None;
    for url in urls {
        match from_one(client, url, published, places, progress) {
            Ok(()) => return Ok(()),
            // Another address does not help against a full disk.
            Err(error @ (FetchError::DiskFull { .. } | FetchError::Io { .. })) => return Err(error),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| FetchError::Dataset {
        id: places.file.display().to_string(),
        problem: "no address is known".to_owned(),
    }))
}

fn from_one(
    client: &Client,
    url: &str,
    published: &Pinned,
    places: &Places,
    progress: Progress<'_>,
) -> Result<(), FetchError> {
    let mut fruitless = 0;
    loop {
        let before = length(&places.part);
        let result = attempt(client, url, published, places, progress);
        fruitless = if length(&places.part) > before { 0 } else { fruitless + 1 };
        let (problem, wait) = match result {
            Ok(()) => break,
            Err(Refused::Final(error)) => return Err(error),
            Err(Refused::Again(problem, wait)) => (problem, wait),
        };
        if fruitless >= client.patience().attempts {
            let url = url.to_owned();
            return Err(FetchError::Connection { url, problem, attempts: fruitless });
        }
        pause(fruitless, wait);
    }
    if let Err(error) = check(&places.part, url, published) {
        std::fs::remove_file(&places.part).map_err(FetchError::io("remove", &places.part))?;
        return Err(error);
    }
    std::fs::rename(&places.part, &places.file).map_err(FetchError::io("rename", &places.part))
}

/// One connection: asks for what is missing and writes what comes.
fn attempt(
    client: &Client,
    url: &str,
    published: &Pinned,
    places: &Places,
    progress: Progress<'_>,
) -> Result<(), Refused> {
    let failed = |action| {
        let path = places.part.clone();
        move |source| Refused::Final(FetchError::Io { action, path, source })
    };
    // Without a digest nothing would tell the end of another version from the rest of this one.
    let resumable = published.sha256.is_some() || published.md5.is_some();
    let have = if resumable { length(&places.part) } else { 0 };
    if have > 0 && published.transferred() == Some(have) {
        return Ok(());
    }
    let answer = match client.get(url, have) {
        Err(Refused::Final(FetchError::Status { status: 416, .. })) if have > 0 => client.get(url, 0)?,
        answer => answer?,
    };
    if is_html(&answer) {
        return Err(Refused::Final(FetchError::HtmlPage { url: url.to_owned() }));
    }
    let start = if answer.partial { have } else { 0 };
    let total = total(&answer, start).map_err(|problem| Refused::Again(problem, None))?;
    if let (Some(found), Some(expected)) = (total, published.transferred())
        && found != expected
    {
        return Err(Refused::Final(FetchError::WrongLength { url: url.to_owned(), found, expected }));
    }
    check_room(&places.part, total.unwrap_or(0).saturating_sub(start)).map_err(Refused::Final)?;
    let mut part = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&places.part)
        .map_err(failed("open"))?;
    part.set_len(start).and_then(|()| part.seek(SeekFrom::End(0))).map_err(failed("write"))?;
    let mut body = answer.response.into_body().into_reader();
    let (mut buffer, mut at) = (vec![0; BUFFER], start);
    loop {
        let count = body.read(&mut buffer).map_err(|error| Refused::Again(error.to_string(), None))?;
        if count == 0 {
            break;
        }
        if at == 0 && looks_like_html(&buffer[..count]) {
            return Err(Refused::Final(FetchError::HtmlPage { url: url.to_owned() }));
        }
        part.write_all(&buffer[..count]).map_err(failed("write"))?;
        at += count as u64;
        progress(at, total);
    }
    part.sync_all().map_err(failed("write"))?;
    match total {
        Some(total) if at != total => Err(Refused::Again(format!("cut after {at} of {total} bytes"), None)),
        _ => Ok(()),
    }
}

/// The whole file's length, as the server says it.
fn total(answer: &Answer, start: u64) -> Result<Option<u64>, String> {
    if !answer.partial {
        return Ok(answer.response.body().content_length());
    }
    let range = answer.response.headers().get("Content-Range").and_then(|value| value.to_str().ok());
    let parsed = range.and_then(|range| {
        let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        Some((span.split_once('-')?.0.parse::<u64>().ok()?, total.parse::<u64>().ok()))
    });
    match parsed {
        Some((from, total)) if from == start => Ok(total),
        _ => Err(format!("asked from byte {start} on, the server sent {range:?}")),
    }
}

fn is_html(answer: &Answer) -> bool {
    answer.response.body().mime_type().is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"))
}

fn looks_like_html(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&start[..start.len().min(SNIFFED)]).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with("<!doctype html") || text.starts_with("<html")
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Compares a file with what is published; `from` is named in the error.
///
/// # Errors
/// [`FetchError::WrongLength`] and [`FetchError::WrongDigest`].
pub fn check(path: &Path, from: &str, published: &Pinned) -> Result<(), FetchError> {
    let found = length(path);
    if let Some(expected) = published.transferred().filter(|expected| *expected != found) {
        return Err(FetchError::WrongLength { url: from.to_owned(), found, expected });
    }
    if let Some(expected) = &published.sha256 {
        return compare::<Sha256>(path, from, ("sha256", expected), published.unpacked);
    }
    match &published.md5 {
        Some(expected) => compare::<Md5>(path, from, ("md5", expected), published.unpacked),
        None => Ok(()),
    }
}

fn compare<D: Digest>(
    path: &Path,
    from: &str,
    (kind, expected): (&'static str, &str),
    unpacked: bool,
) -> Result<(), FetchError> {
    let mut file = File::open(path).map_err(FetchError::io("open", path))?;
    let mut head = [0; 2];
    let is_gzip = file.read(&mut head).map_err(FetchError::io("read", path))? == 2 && head == [0x1f, 0x8b];
    file.rewind().map_err(FetchError::io("read", path))?;
    let mut reader: Box<dyn Read> =
        if unpacked && is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let (mut hash, mut buffer) = (D::new(), vec![0; BUFFER]);
    loop {
        let count = reader.read(&mut buffer).map_err(FetchError::io("read", path))?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
    }
    let found = hex(&hash.finalize());
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(FetchError::WrongDigest { url: from.to_owned(), kind, found, expected: expected.to_owned() })
}
