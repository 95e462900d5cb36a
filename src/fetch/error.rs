//! Why something could not be fetched, with what to do next.

use std::path::PathBuf;

/// Why a download or what follows it stopped.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The network or the server failed, as often as was tried.
    #[error(
        "get {url}: {problem} ({attempts} attempts); what has arrived is kept, the same command goes on from there"
    )]
    Connection {
        /// The address.
        url: String,
        /// What happened at the last attempt.
        problem: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The server says no.
    #[error("get {url}: the server answers {status}{hint}")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What that means here.
        hint: &'static str,
    },
    /// A page in place of the file.
    #[error(
        "get {url}: the server sent an HTML page in place of the file (a log-in, a quota or a virus-scan page); open the address in a browser and put the file where `--dry-run` says"
    )]
    HtmlPage {
        /// The address.
        url: String,
    },
    /// Another length than published.
    #[error("get {url}: {found} bytes, but {expected} are published; nothing was kept")]
    WrongLength {
        /// The address.
        url: String,
        /// What the server has.
        found: u64,
        /// What is published.
        expected: u64,
    },
    /// Other bytes than published.
    #[error("get {url}: its {kind} is {found}, but {expected} is published; nothing was kept")]
    WrongDigest {
        /// The address.
        url: String,
        /// `sha256` or `md5`.
        kind: &'static str,
        /// Of what arrived.
        found: String,
        /// What is published.
        expected: String,
    },
    /// Not enough room, found before anything was written.
    #[error("write {}: {needed} bytes are needed and {free} are free there; make room, then the same command goes on", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// Bytes still to be written.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The operating system refused.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// An archive that would write where it must not, or that cannot be read.
    #[error("unpack {}: entry {entry:?} {problem}; nothing of it was put into place", archive.display())]
    Archive {
        /// The archive.
        archive: PathBuf,
        /// The entry; empty for the archive as a whole.
        entry: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An archive without the folder that is wanted.
    #[error("unpack {}: no folder {wanted:?} is in it (it begins with {found:?})", archive.display())]
    NothingWanted {
        /// The archive.
        archive: PathBuf,
        /// The folder looked for.
        wanted: String,
        /// The first entry.
        found: String,
    },
    /// The hub's answer is not understood, or lacks what a model needs.
    #[error("fetch model {id}: {problem}")]
    Hub {
        /// The model.
        id: String,
        /// What is wrong.
        problem: String,
    },
    /// A dataset that no address gives.
    #[error("fetch dataset {id}: {problem}")]
    Dataset {
        /// The dataset.
        id: String,
        /// Every address with its reason, or what a person has to do.
        problem: String,
    },
}

impl FetchError {
    /// For `map_err`: an input or output error with what was tried on which file.
    pub(super) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
